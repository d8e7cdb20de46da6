"""Ten thousand mutated logins and ten thousand mutated bets: none is accepted, none breaks anything."""

from __future__ import annotations

import json
from collections import Counter
from random import Random
from typing import Any

import pytest
from falcon import testing

from runtime.auth.signatures import sign
from tests.attack.arena import Arena
from tests.attack.attacker import Player
from tests.attack.conftest import OTHER_WALLET, WALLET
from tests.attack.mutations import encoded, mutated, mutated_message
from tests.runtime.auth.logins import delegating

CASES = 10_000
SIGNED_FIELDS = ("cell_id", "amount", "min_rate_bp", "nonce", "timestamp")
pytestmark = pytest.mark.timeout(120)


def read(data: bytes) -> dict[str, Any]:
    """Read a body that may be anything."""
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def spelt(signature: Any) -> str:
    """Write a signature in one way: the case of its digits and the count of its last byte change nothing."""
    text = str(signature).lower()
    return text[:-2] + {"00": "1b", "01": "1c"}.get(text[-2:], text[-2:])


def says_the_same(data: bytes, body: dict[str, Any], names: tuple[str, ...]) -> bool:
    """Tell whether a changed body still asks for what was signed, in another spelling."""
    found = read(data)
    # 100.0 is 100, and true is not 1.
    if not all(found.get(name) == body[name] and type(found[name]) in (type(body[name]), float) for name in names):
        return False
    return spelt(found.get("signature")) == spelt(body["signature"])


def post(arena: Arena, path: str, data: bytes, token: str = "") -> testing.Result:
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    result = arena.one.client.simulate_post(path, body=data, headers=headers)
    assert 200 <= result.status_code < 500, (data, result.text)
    if result.status_code >= 400:
        assert result.headers["content-type"].startswith("application/problem+json")
    return result


def recombined(random: Random, bets: list[dict[str, Any]]) -> bytes:
    """Return a bet of which every field is good in itself, taken from one of several signed bets."""
    return encoded({name: random.choice(bets)[name] for name in bets[0]})


def test_no_mutated_bet_is_accepted(arena: Arena, victim: Player) -> None:
    random, met = Random(191), Counter[str]()
    spent, fresh = victim.bet(), victim.bet(rows=1)
    others = [victim.bet(columns=5, amount=500, min_rate_bp=9_000), victim.bet(timestamp=arena.now_ms // 1000 - 9)]
    placed = victim.place(spent).json
    while met.total() < CASES:
        # One that is spent, whose changes could only be told from a replay by the signature; and one that is not.
        original = random.choice((spent, fresh))
        data = recombined(random, [fresh, *others]) if random.random() < 0.2 else mutated(random, original)
        same = says_the_same(data, spent, SIGNED_FIELDS)
        if any(says_the_same(data, bet, SIGNED_FIELDS) for bet in (fresh, *others)):
            continue
        result = post(arena, "/api/bets", data, victim.token)
        assert result.status_code >= 400, data
        met[result.json["code"]] += 1
        assert (result.json["code"] == "REPLAYED_NONCE") <= same, data
    assert arena.desk.database.execute("SELECT id FROM bets") == [(placed["bet"]["id"],)]
    assert victim.balance == placed["balance"]
    assert [victim.place(bet).status_code for bet in (fresh, *others)] == [201, 201, 409]
    assert {"INVALID_REQUEST", "INVALID_SIGNATURE", "SIGNATURE_EXPIRED", "CELL_UNKNOWN", "REPLAYED_NONCE"} <= set(met)
    assert met["INVALID_SIGNATURE"] > CASES / 5, met


def test_no_mutated_login_is_accepted(arena: Arena) -> None:
    random, met = Random(4361), Counter[str]()
    text = delegating(arena.now_ms).to_text()
    body = {"message": text, "signature": sign(text.encode(), WALLET)}
    while met.total() < CASES:
        data = mutated(random, body)
        if random.random() < 0.5:
            data = encoded(body | {"message": mutated_message(random, text)})
        if says_the_same(data, body, ("message",)):
            continue
        result = post(arena, "/api/auth/login", data)
        assert result.status_code in (400, 401, 413), (data, result.text)
        met[result.json["code"]] += 1
    assert (arena.count("users"), arena.count("delegations")) == (0, 0)
    assert post(arena, "/api/auth/login", encoded(body)).status_code == 200
    assert {"INVALID_REQUEST", "INVALID_SIGNATURE"} <= set(met)
    assert met["INVALID_SIGNATURE"] > CASES / 20, met


def test_what_is_signed_anew_after_a_change_never_opens_the_victims_account(arena: Arena, victim: Player) -> None:
    """An attacker who may sign anything with their own key gets at most an account of their own."""
    random = Random(712)
    text = delegating(arena.now_ms).to_text()
    for _ in range(CASES // 10):
        changed = mutated_message(random, text)
        signature = sign(changed.encode("utf-8", "surrogatepass"), OTHER_WALLET)
        result = post(arena, "/api/auth/login", encoded({"message": changed, "signature": signature}))
        assert result.status_code in (400, 401), changed
    assert arena.desk.database.execute("SELECT id FROM users") == [(victim.user_id,)]
