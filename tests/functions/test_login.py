"""Login through the HTTP interface: one account a wallet, one use a message, and no way around the checks."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import pytest
import redis

from runtime.addresses import to_checksum_address
from runtime.auth.signatures import address_of, sign
from runtime.clock import rfc3339
from runtime.messaging import redis_keys
from runtime.messaging.connection import connect
from runtime.messaging.queues import begin_epoch
from tests.functions.signing_in import House, app_of
from tests.runtime.auth import foreign_wallet
from tests.runtime.auth.logins import DOMAIN, SESSION_KEY, WALLET, delegating, message, signed

DAY_MS = 24 * 3600 * 1000


def test_the_first_login_opens_an_account_with_demo_money(house: House) -> None:
    result = house.post_login(*signed(message(house.now_ms).to_text()))
    assert result.status_code == 200
    answer = result.json
    assert answer["user"] == {
        "id": answer["user"]["id"],
        "wallet_address": to_checksum_address(WALLET),
        "balance": 1_000_000,
        "created_at": rfc3339(house.now_ms),
        "kind": "wallet",
    }
    assert answer["expires_ms"] == house.now_ms + DAY_MS
    assert answer["expires_at"] == rfc3339(house.now_ms + DAY_MS)
    assert len(answer["token"]) == 43


def test_later_logins_find_the_same_account(house: House) -> None:
    first = house.post_login(*signed(message(house.now_ms, nonce="a" * 8).to_text())).json
    house.parts.clock.advance(60_000)
    second = house.post_login(*signed(message(house.now_ms, nonce="b" * 8).to_text())).json
    assert second["user"] == first["user"]
    assert second["token"] != first["token"]
    assert (house.count("users"), house.count("transaction_ledger")) == (1, 1)


def test_every_spelling_of_an_address_is_one_account_or_refused(house: House) -> None:
    spellings = [to_checksum_address(WALLET), WALLET, "0X" + WALLET[2:].upper(), "0x" + WALLET[2:].upper(), WALLET[2:]]
    statuses = [
        house.post_login(
            *signed(message(house.now_ms, address=spelling, nonce=f"nonce{number:03d}").to_text())
        ).status_code
        for number, spelling in enumerate(spellings)
    ]
    assert statuses == [200, 200, 400, 400, 400]
    assert (house.count("users"), house.count("transaction_ledger")) == (1, 1)


def test_a_login_that_viem_wrote_and_signed_is_taken(house: House) -> None:
    results = [house.post_login(*one) for one in (foreign_wallet.LOOPBACK_WITH_KEY, foreign_wallet.LOCALHOST)]
    assert [result.status_code for result in results] == [200, 200]
    assert {result.json["user"]["wallet_address"] for result in results} == {to_checksum_address(WALLET)}
    assert (house.count("users"), house.count("delegations")) == (1, 1)


def test_a_message_logs_in_once(house: House) -> None:
    text, signature = signed(message(house.now_ms).to_text())
    assert house.post_login(text, signature).status_code == 200
    again = house.post_login(text, signature)
    assert (again.status_code, again.json["code"]) == (409, "REPLAYED_NONCE")


def test_the_other_spellings_of_a_signature_do_not_log_in_again(house: House) -> None:
    text, signature = signed(message(house.now_ms).to_text())
    assert house.post_login(text, signature).status_code == 200
    v = int(signature[-2:], 16)
    assert house.post_login(text, f"{signature[:-2]}{v - 27:02x}").json["code"] == "REPLAYED_NONCE"
    for spelling in ("0x" + signature[2:].upper(), "0X" + signature[2:], signature[2:]):
        assert house.post_login(text, spelling).json["code"] == "REPLAYED_NONCE"


def test_a_refused_message_does_not_use_up_its_nonce(house: House) -> None:
    text, signature = signed(message(house.now_ms).to_text())
    assert house.post_login(text, sign(text.encode(), b"\x33" * 32)).json["code"] == "INVALID_SIGNATURE"
    assert house.post_login(text, signature).status_code == 200


def test_nonces_of_two_wallets_are_apart(house: House) -> None:
    house.log_in()
    other = b"\x33" * 32
    house.log_in(key=other, address=address_of(other))
    assert house.count("users") == 2


def test_messages_from_before_an_empty_redis_are_refused(house: House, redis_client: redis.Redis) -> None:
    text, signature = signed(message(house.now_ms).to_text())
    assert house.post_login(text, signature).status_code == 200
    redis_client.flushall()
    house.parts.clock.advance(3_000)
    again = house.post_login(text, signature)
    assert (again.status_code, again.json["code"]) == (401, "SIGNATURE_EXPIRED")
    assert again.json["server_time_ms"] == house.now_ms
    house.parts.clock.advance(1_000)
    house.log_in()


def test_a_new_redis_takes_logins_from_the_next_second_on(house: House, redis_client: redis.Redis) -> None:
    redis_client.flushall()
    begin_epoch(redis_client, house.now_ms)
    assert house.post_login(*signed(message(house.now_ms).to_text())).json["code"] == "SIGNATURE_EXPIRED"
    house.parts.clock.advance(1_000)
    begin_epoch(redis_client, house.now_ms)
    house.log_in()


@pytest.mark.parametrize(
    ("age_ms", "side"),
    [
        pytest.param(40_000, "40.000 s behind", id="a slow clock"),
        pytest.param(-10_000, "10.000 s ahead of", id="a fast clock"),
        pytest.param(30_001, "30.001 s behind", id="a millisecond too slow"),
        pytest.param(-5_001, "5.001 s ahead of", id="a millisecond too fast"),
    ],
)
def test_a_wrong_clock_is_told_the_right_time_and_the_rule(house: House, age_ms: int, side: str) -> None:
    result = house.post_login(*signed(message(house.now_ms - age_ms).to_text()))
    assert (result.status_code, result.json["code"]) == (401, "SIGNATURE_EXPIRED")
    assert result.json["server_time_ms"] == house.now_ms
    for part in (side, rfc3339(house.now_ms), "at most 30 s behind and 5 s ahead"):
        assert part in result.json["detail"]


REFUSED: list[Any] = [
    pytest.param({"domain": "evil.example"}, 401, "INVALID_SIGNATURE", id="other domain"),
    pytest.param({"uri": "https://evil.example"}, 401, "INVALID_SIGNATURE", id="other URI"),
    pytest.param({"chain_id": 137}, 401, "INVALID_SIGNATURE", id="other chain"),
    pytest.param({"issued_at": "2020-01-01T00:00:00Z"}, 401, "SIGNATURE_EXPIRED", id="old"),
    pytest.param({"issued_at": "2036-01-01T00:00:00Z"}, 401, "SIGNATURE_EXPIRED", id="future"),
    pytest.param({"address": "0x" + "33" * 20}, 401, "INVALID_SIGNATURE", id="somebody else"),
    pytest.param({"statement": "a\nb"}, 400, "INVALID_REQUEST", id="newline"),
    pytest.param({"statement": "e\u0301"}, 400, "INVALID_REQUEST", id="decomposed letter"),
    pytest.param({"nonce": "short"}, 400, "INVALID_REQUEST", id="short nonce"),
]


@pytest.mark.parametrize(("changed", "status", "code"), REFUSED)
def test_attacks_are_refused(house: House, changed: dict[str, Any], status: int, code: str) -> None:
    result = house.post_login(*signed(message(house.now_ms, **changed).to_text()))
    assert (result.status_code, result.json["code"]) == (status, code)
    assert result.headers["content-type"].startswith("application/problem+json")
    assert house.count("users") == 0


BODIES = [
    pytest.param(b"", id="nothing"),
    pytest.param(b"[]", id="no object"),
    pytest.param(b'{"message": "a"}', id="no signature"),
    pytest.param(b'{"message": "\\ud800", "signature": "0x"}', id="lone surrogate"),
    pytest.param(b'{"message": 1, "signature": "0x"}', id="no text"),
    pytest.param(b'{"message": "a", "signature": "0x", "wallet": "b"}', id="unknown field"),
    pytest.param(b'{"message": "\xff", "signature": "0x"}', id="no UTF-8"),
    pytest.param(b'{"message": "' + b"a" * 70_000 + b'", "signature": "0x"}', id="too long"),
]


@pytest.mark.parametrize("body", BODIES)
def test_odd_bodies_are_refused_cleanly(house: House, body: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    result = house.client.simulate_post("/api/auth/login", body=body, headers=headers)
    assert result.status_code in (400, 413)


def test_a_contract_wallet_is_told_so(house: House) -> None:
    result = house.post_login(message(house.now_ms).to_text(), "0x" + "ab" * 600)
    assert (result.status_code, result.json["code"]) == (401, "CONTRACT_WALLET")
    assert "Contract wallets" in result.json["detail"]


def test_mutated_logins_neither_pass_nor_break_anything(house: House) -> None:
    rng = random.Random(4361)
    house.parts.settings = replace(house.parts.settings, logins_per_minute=10**9)
    house.client = app_of(house.parts)
    text, signature = signed(delegating(house.now_ms).to_text())
    for _ in range(300):
        letters, marks = list(text), list(signature)
        target = rng.choice([letters, marks])
        for _ in range(rng.randint(1, 3)):
            place = rng.randrange(len(target))
            target[place : place + rng.randrange(3)] = rng.choice(["", rng.choice(text + "\r\x00é\U0001f600")])
        changed = "".join(letters), "".join(marks)
        if changed[0] != text or changed[1].lower().removeprefix("0x") != signature[2:]:
            result = house.post_login(*changed)
            assert result.status_code in (400, 401), changed
    assert house.count("users") == 0


@pytest.mark.parametrize("prefix", ["0x", "0X", ""])
def test_a_session_key_is_kept_with_its_message_and_the_signature_in_one_form(house: House, prefix: str) -> None:
    text, signature = signed(delegating(house.now_ms).to_text())
    token = house.post_login(text, prefix + signature[2:].upper()).json["token"]
    session = house.parts.sessions.find(token)
    assert session is not None
    assert session.session_key == SESSION_KEY
    rows = house.parts.pool.rows("SELECT id, user_id, session_key, message, signature FROM delegations")
    assert rows == [
        {
            "id": session.delegation_id,
            "user_id": session.user_id,
            "session_key": SESSION_KEY,
            "message": text,
            "signature": signature,
        }
    ]


@pytest.mark.parametrize(
    ("headers", "given"),
    [
        pytest.param({}, True, id="a program"),
        pytest.param({"Sec_Fetch_Site": "same-origin"}, True, id="the page"),
        pytest.param({"Origin": f"http://{DOMAIN}"}, True, id="the page, in an older browser"),
        pytest.param({"Origin": "http://localhost:8000"}, True, id="the page under another name of this machine"),
        pytest.param({"Origin": "http://localhost:8001"}, False, id="another server of this machine"),
        pytest.param({"Sec_Fetch_Site": "cross-site"}, False, id="another page"),
        pytest.param({"Sec_Fetch_Site": "same-site"}, False, id="a neighbour's page"),
        pytest.param({"Origin": "https://evil.example"}, False, id="another page, in an older browser"),
        pytest.param({"Origin": "null"}, False, id="a sandboxed page"),
    ],
)
def test_only_the_page_itself_gets_a_cookie(house: House, headers: dict[str, str], given: bool) -> None:
    result = house.post_login(*signed(message(house.now_ms).to_text()), **headers)
    assert ("set-cookie" in result.headers) is given
    if given:
        cookie = result.headers["set-cookie"]
        assert cookie.startswith(f"taptrade_session={result.json['token']};")
        for part in ("HttpOnly", "SameSite=Strict", "Path=/", "Max-Age=86400"):
            assert part in cookie
        assert "Secure" not in cookie


def test_the_cookie_is_secure_behind_https(house: House) -> None:
    result = house.post_login(*signed(message(house.now_ms).to_text()), X_Forwarded_Proto="https")
    assert "Secure" in result.headers["set-cookie"]


def test_a_token_cannot_be_chosen(house: House) -> None:
    planted = "A" * 43
    text, signature = signed(message(house.now_ms).to_text())
    result = house.post_login(text, signature, Cookie=f"taptrade_session={planted}", Authorization=f"Bearer {planted}")
    assert result.status_code == 200
    assert result.json["token"] != planted
    assert house.call("GET", "/api/me", planted).status_code == 401


def test_without_the_writer_it_is_unavailable(house: House) -> None:
    house.parts.outbox.answers = False
    result = house.post_login(*signed(message(house.now_ms).to_text()))
    assert (result.status_code, result.json["code"], result.json["retryable"]) == (503, "UNAVAILABLE", True)


def test_without_redis_it_is_unavailable(house: House) -> None:
    house.parts.redis = connect("redis://127.0.0.1:1/0")
    house.client = app_of(house.parts)
    result = house.post_login(*signed(message(house.now_ms).to_text()))
    assert (result.status_code, result.json["code"]) == (503, "UNAVAILABLE")


def test_live_mode_gives_no_money(house: House) -> None:
    house.parts.settings = replace(house.parts.settings, mode="live")
    result = house.post_login(*signed(message(house.now_ms).to_text()))
    assert result.json["user"]["balance"] == 0
    assert house.count("transaction_ledger") == 0


def test_redis_keeps_the_nonce_under_the_canonical_address(house: House, redis_client: redis.Redis) -> None:
    house.log_in(nonce="abcd1234")
    key = redis_keys.nonce(WALLET, "abcd1234")
    assert 0 < int(redis_client.ttl(key)) <= redis_keys.NONCE_TTL_S
