"""Sessions under attack, over the whole app: chosen, ended and revoked tokens, and other people's."""

from __future__ import annotations

from typing import Any

import pytest
import redis

from runtime.auth import entrance
from runtime.auth.sessions import session_id
from runtime.auth.signatures import sign
from tests.attack.arena import Arena
from tests.attack.attacker import Player, code_of
from tests.attack.conftest import WALLET
from tests.runtime.auth.logins import message

REVOKED_WITHIN_MS = 1_000
UNAUTHENTICATED = (401, "UNAUTHENTICATED")
PATHS = ("/api/me", "/api/me/sessions", "/api/me/limits", "/api/bets", "/api/ledger", "/api/deposits")


def test_a_token_from_elsewhere_is_never_taken_on(arena: Arena, victim: Player) -> None:
    planted = "A" * 43
    before = victim.token
    text_and_cookie = {"Cookie": f"taptrade_session={planted}"}
    victim.log_in()
    assert victim.token not in (before, planted)
    assert code_of(victim.place(victim.bet(), token=planted, **text_and_cookie)) == UNAUTHENTICATED
    assert arena.one.sessions.find(planted) is None


def test_a_new_login_leaves_the_other_session_alone_and_takes_nothing_from_it(arena: Arena, victim: Player) -> None:
    first = victim.token
    bare = Player(arena, victim.wallet_key).log_in()
    assert bare.token != first
    assert victim.get("/api/me").json["session"]["session_key"] is not None
    assert bare.get("/api/me").json["session"]["session_key"] is None


def test_after_logout_nothing_works_anywhere(arena: Arena, victim: Player) -> None:
    bet, withdrawal = victim.bet(), victim.withdrawal()
    for instance in arena.instances:
        assert victim.get("/api/me", instance=instance).status_code == 200
    headers = {"Authorization": f"Bearer {victim.token}"}
    assert arena.one.client.simulate_post("/api/auth/logout", headers=headers).status_code == 204
    arena.two.sessions.follow()
    for instance in arena.instances:
        assert code_of(victim.place(bet, instance=instance)) == UNAUTHENTICATED
        assert code_of(victim.withdraw(withdrawal, instance=instance)) == UNAUTHENTICATED
        for path in PATHS:
            assert code_of(victim.get(path, instance=instance)) == UNAUTHENTICATED
    assert code_of(victim.send("/api/auth/logout", b"")) == UNAUTHENTICATED
    assert arena.count("bets") == 0
    victim.log_in()
    assert victim.place(bet).status_code == 201  # the signature still counts, in a session that names its key


@pytest.mark.parametrize("follows", [True, False], ids=["bus", "no bus"])
def test_a_revoked_session_keys_bets_are_refused_by_every_process_within_a_second(
    arena: Arena, victim: Player, follows: bool
) -> None:
    if follows:
        arena.two.sessions.follow()
    assert victim.place(victim.bet(), instance=arena.two).status_code == 201
    owner = Player(arena, victim.wallet_key).log_in()
    [listed] = [one for one in owner.get("/api/me/sessions").json["sessions"] if one["session_key"]]
    assert listed["id"] == session_id(victim.token)
    headers = {"Authorization": f"Bearer {owner.token}"}
    path = f"/api/me/sessions/{listed['id']}"
    assert arena.one.client.simulate_delete(path, headers=headers).status_code == 204
    assert code_of(victim.place(victim.bet(rows=1))) == UNAUTHENTICATED
    arena.advance(REVOKED_WITHIN_MS)
    if follows:
        arena.two.sessions.follow()
    assert code_of(victim.place(victim.bet(rows=2), instance=arena.two)) == UNAUTHENTICATED
    # Its key signs for nobody any more, not even in the owner's other session.
    assert code_of(owner.place(victim.bet(rows=3))) == (401, "INVALID_SIGNATURE")
    assert arena.count("bets") == 1


def test_nobody_ends_anothers_session(arena: Arena, victim: Player, attacker: Player) -> None:
    headers = {"Authorization": f"Bearer {attacker.token}"}
    for one in (session_id(victim.token), victim.token, "*", "0" * 64, "..%2f.."):
        answer = arena.one.client.simulate_delete(f"/api/me/sessions/{one}", headers=headers)
        assert answer.status_code == 404
    assert victim.get("/api/me").status_code == 200


def test_a_session_ends_after_a_day(arena: Arena, victim: Player) -> None:
    arena.advance(24 * 3600 * 1000)
    assert code_of(victim.place(victim.bet())) == UNAUTHENTICATED


def test_neither_hash_nor_piece_of_a_token_is_one(arena: Arena, victim: Player) -> None:
    token = victim.token
    for wrong in (session_id(token), token[:-1], token + "A", token.swapcase(), token + "=", f" {token[1:]}", "", "*"):
        assert code_of(victim.place(victim.bet(), token=wrong)) == UNAUTHENTICATED
    assert code_of(victim.place(victim.bet(), Authorization=f"Basic {token}")) == UNAUTHENTICATED
    assert arena.count("bets") == 0


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({"Origin": "https://evil.example"}, id="another page"),
        pytest.param({"Sec_Fetch_Site": "cross-site"}, id="another page, in a newer browser"),
        pytest.param({"Sec_Fetch_Site": "same-site"}, id="a neighbour's page"),
        pytest.param({}, id="nobody says"),
    ],
)
def test_another_page_cannot_use_the_cookie(arena: Arena, victim: Player, headers: dict[str, str]) -> None:
    given: dict[str, Any] = {name.replace("_", "-"): value for name, value in headers.items()}
    given["Cookie"] = f"taptrade_session={victim.token}"
    for path, body in (("/api/bets", victim.bet()), ("/api/withdrawals", victim.withdrawal())):
        answer = arena.one.client.simulate_post(path, json=body, headers=given)
        assert code_of(answer) == (403, "FORBIDDEN")
    cookie = {"Cookie": given["Cookie"]}
    for row, shown in enumerate(({"Sec-Fetch-Site": "same-origin"}, {"Origin": "http://localhost:8000"})):
        own: dict[str, Any] = cookie | shown
        assert arena.one.client.simulate_post("/api/bets", json=victim.bet(rows=row), headers=own).status_code == 201


def test_no_secret_is_kept_where_redis_could_be_read(arena: Arena, victim: Player) -> None:
    victim.get("/api/me")
    for key in arena.desk.client.scan_iter():
        assert victim.token.encode() not in key
        stored = arena.desk.client.dump(key)
        assert isinstance(stored, bytes)
        assert victim.token.encode() not in stored


def test_a_login_whose_nonce_cannot_be_checked_is_not_let_in(arena: Arena, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: Any) -> None:
        raise redis.ConnectionError("away")

    text = message(arena.now_ms).to_text()
    body = {"message": text, "signature": sign(text.encode(), WALLET)}
    with monkeypatch.context() as outage:
        outage.setattr(entrance, "claim_nonce", away)
        answer = arena.one.client.simulate_post("/api/auth/login", json=body)
        assert code_of(answer) == (503, "UNAVAILABLE")
    assert arena.count("users") == 0
    assert arena.one.client.simulate_post("/api/auth/login", json=body).status_code == 200
