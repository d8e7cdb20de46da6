"""A guest's sign-in over HTTP: one account a key, one use a signature, and no way around the checks."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from runtime.addresses import to_checksum_address
from runtime.auth import p256
from runtime.auth.siwe import SESSION_KEY_URN
from runtime.clock import rfc3339
from runtime.personal.seal import about, key_of, opened
from tests.functions.signing_in import House, app_of
from tests.runtime.auth.browser import BrowserKey, guest_body, joined
from tests.runtime.auth.logins import DOMAIN, message, signed

KEY, OTHER = BrowserKey(7), BrowserKey(8)
SEALED_KINDS = (("message", "login"), ("signature", "signed"))


def enter(house: House, key: BrowserKey = KEY, nonce: str = "guest001", domain: str = DOMAIN, **changed: Any) -> Any:
    """Sign in as a guest; the changes were not signed."""
    return post(house, guest_body(key, domain, house.now_ms, nonce, **changed))


def post(house: House, body: Any, **headers: str) -> Any:
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    return house.client.simulate_post("/api/auth/guest", json=body, headers=given)


def outcome(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json["code"] if answer.status_code >= 400 else ""


def test_the_first_sign_in_opens_an_account_with_demo_money_and_sets_the_cookie(house: House) -> None:
    answer = enter(house)
    assert answer.status_code == 200, answer.text
    user = answer.json["user"]
    address = to_checksum_address(p256.address_of_key(KEY.text))
    assert user == {
        "id": user["id"],
        "wallet_address": address,
        "balance": 1_000_000,
        "created_at": rfc3339(house.now_ms),
        "kind": "guest",
    }
    assert answer.json["expires_ms"] == house.now_ms + 24 * 3600 * 1000
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    me = house.call("GET", "/api/me", answer.json["token"]).json
    assert (me["user"], me["session"]["session_key"]) == (user, KEY.text)
    rows = house.parts.pool.rows("SELECT wallet_address, guest_key FROM users")
    assert rows == [{"wallet_address": address.lower(), "guest_key": KEY.text}]
    [kept] = house.parts.pool.rows("SELECT id, user_id, found_by, session_key, message, signature FROM delegations")
    key = key_of(house.parts.pool.execute, kept["user_id"])
    assert kept["found_by"] == opened(kept["session_key"], key, about("session_key", kept["id"])) == KEY.text
    text, signature = (opened(kept[name], key, about(kind, kept["id"])) or "" for name, kind in SEALED_KINDS)
    assert p256.verify(KEY.text, text.encode(), bytes.fromhex(signature[2:]))


def test_later_sign_ins_find_the_same_account_and_other_keys_their_own(house: House) -> None:
    first, again, other = enter(house), enter(house, nonce="guest002"), enter(house, OTHER)
    assert again.json["user"] == first.json["user"]
    assert other.json["user"]["id"] != first.json["user"]["id"]
    assert (house.count("users"), house.count("transaction_ledger"), house.count("delegations")) == (2, 2, 3)


def test_a_signature_signs_in_once(house: House) -> None:
    assert outcome(enter(house)) == (200, "")
    assert outcome(enter(house)) == (409, "REPLAYED_NONCE")
    assert outcome(enter(house, OTHER)) == (200, "")  # a nonce is its key's own


@pytest.mark.parametrize("domain", ["localhost:8000", "127.0.0.1:8000", "[::1]:8000"])
def test_every_name_of_this_machine_is_one_domain(house: House, domain: str) -> None:
    assert outcome(enter(house, domain=domain)) == (200, "")


@pytest.mark.parametrize("domain", ["evil.example", "127.0.0.1:8001", "127.0.0.1", "", "127.0.0.1:8000\nKey: x"])
def test_another_domain_is_refused_by_name(house: House, domain: str) -> None:
    answer = enter(house, domain=domain)
    assert outcome(answer) == (401, "INVALID_SIGNATURE")
    assert answer.json["accepted"] == [DOMAIN]
    assert house.count("users") == 0


def test_what_was_changed_after_the_signing_is_refused(house: House) -> None:
    good = guest_body(KEY, DOMAIN, house.now_ms, "guest001")
    changes: list[dict[str, Any]] = [
        {"public_key": OTHER.text},
        {"domain": "localhost:8000"},
        {"nonce": "guest002"},
        {"timestamp": house.now_ms // 1000 - 1},
        {"signature": guest_body(OTHER, DOMAIN, house.now_ms, "guest001")["signature"]},
    ]
    assert [outcome(post(house, good | change)) for change in changes] == [(401, "INVALID_SIGNATURE")] * len(changes)
    assert house.count("users") == 0
    assert outcome(post(house, good)) == (200, "")  # none of them has used the nonce up


def test_a_high_s_is_refused_with_what_to_do(house: House) -> None:
    body = guest_body(KEY, DOMAIN, house.now_ms, "guest001")
    signature = str(body["signature"])
    high = joined(int(signature[2:66], 16), p256.ORDER - int(signature[66:], 16))
    answer = post(house, body | {"signature": high})
    assert outcome(answer) == (401, "INVALID_SIGNATURE")
    assert answer.json["detail"] == (
        "The signature's s is in the high half: replace s by n - s; WebCrypto does not do that by itself."
    )


@pytest.mark.parametrize(("age_s", "status"), [(30, 200), (31, 401), (-5, 200), (-6, 401)])
def test_a_sign_in_counts_within_its_window(house: House, age_s: int, status: int) -> None:
    answer = post(house, guest_body(KEY, DOMAIN, house.now_ms - age_s * 1000, "guest001"))
    assert answer.status_code == status
    if status == 401:
        assert (answer.json["code"], answer.json["server_time_ms"]) == ("SIGNATURE_EXPIRED", house.now_ms)


def test_a_wrong_key_or_nonce_is_named(house: House) -> None:
    for field, wrong in (("public_key", KEY.text.upper()), ("nonce", "short")):
        answer = post(house, guest_body(KEY, DOMAIN, house.now_ms, "guest001") | {field: wrong})
        assert (outcome(answer), answer.json["field"]) == ((400, "INVALID_REQUEST"), field)


def test_a_foreign_page_gets_no_cookie(house: House) -> None:
    body = guest_body(KEY, DOMAIN, house.now_ms, "guest001")
    answer = post(house, body, Origin="https://evil.example")
    assert (answer.status_code, "set-cookie" in answer.headers) == (200, False)
    answer = post(house, guest_body(KEY, DOMAIN, house.now_ms, "guest002"), Sec_Fetch_Site="same-origin")
    assert (answer.status_code, "set-cookie" in answer.headers) == (200, True)


def test_there_are_no_guests_in_live_mode(house: House) -> None:
    house.parts.settings = replace(house.parts.settings, mode="live")
    house.client = app_of(house.parts)
    answer = enter(house)
    assert outcome(answer) == (403, "FORBIDDEN")
    assert house.count("users") == 0


def test_sign_ins_of_a_key_are_counted_like_logins_of_a_wallet(house: House) -> None:
    house.parts.settings = replace(house.parts.settings, wallet_logins_per_day=2)
    house.client = app_of(house.parts)
    answers = [outcome(enter(house, nonce=f"guest00{number}")) for number in range(3)]
    assert answers == [(200, ""), (200, ""), (429, "RATE_LIMITED")]
    assert outcome(enter(house, OTHER)) == (200, "")


def test_a_key_is_one_accounts_whichever_way_it_came(house: House) -> None:
    def delegate(key: BrowserKey, nonce: str) -> Any:
        text = message(house.now_ms, resources=(SESSION_KEY_URN + key.text,), nonce=nonce).to_text()
        return house.post_login(*signed(text))

    enter(house)
    assert outcome(delegate(KEY, "wallet001")) == (409, "SESSION_KEY_TAKEN")
    assert outcome(delegate(OTHER, "wallet002")) == (200, "")
    assert outcome(enter(house, OTHER)) == (409, "SESSION_KEY_TAKEN")
    assert outcome(delegate(OTHER, "wallet003")) == (200, "")


def test_an_answer_of_a_login_says_that_it_is_a_wallet(house: House) -> None:
    token = house.log_in()
    assert house.call("GET", "/api/me", token).json["user"]["kind"] == "wallet"
