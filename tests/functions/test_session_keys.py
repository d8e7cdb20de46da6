"""A session key is that of one account: a signed tap names none, and would be taken in every account of its key."""

from __future__ import annotations

from runtime.addresses import to_checksum_address
from runtime.auth.signatures import address_of
from tests.functions.signing_in import House
from tests.runtime.auth.logins import SESSION_KEY, delegating, signed


def test_a_session_key_is_that_of_one_account(house: House) -> None:
    """The same signed tap would else be taken in both accounts."""
    other = b"\x33" * 32
    address = to_checksum_address(address_of(other))
    assert house.post_login(*signed(delegating(house.now_ms).to_text())).status_code == 200
    refused = house.post_login(*signed(delegating(house.now_ms, address=address).to_text(), other))
    assert (refused.status_code, refused.json["code"]) == (409, "SESSION_KEY_TAKEN")
    assert house.count("users") == 1
    again = delegating(house.now_ms, nonce="again1234").to_text()
    assert house.post_login(*signed(again)).status_code == 200


def test_the_wallet_of_an_account_is_no_session_key_of_another(house: House) -> None:
    owner, other = b"\x22" * 32, b"\x33" * 32
    assert address_of(owner) == SESSION_KEY
    house.log_in(key=owner, address=to_checksum_address(SESSION_KEY))
    address = to_checksum_address(address_of(other))
    refused = house.post_login(*signed(delegating(house.now_ms, address=address).to_text(), other))
    assert (refused.status_code, refused.json["code"]) == (409, "SESSION_KEY_TAKEN")
    own = delegating(house.now_ms, address=to_checksum_address(SESSION_KEY), nonce="mine12345").to_text()
    assert house.post_login(*signed(own, owner)).status_code == 200


def test_a_wallet_that_comes_ends_sessions_that_took_it_for_their_key(house: House) -> None:
    owner = b"\x22" * 32
    token = house.post_login(*signed(delegating(house.now_ms).to_text())).json["token"]
    plain = house.log_in(nonce="plain1234")
    house.log_in(key=owner, address=to_checksum_address(SESSION_KEY))
    assert house.call("GET", "/api/me", token).status_code == 401
    assert house.call("GET", "/api/me", plain).status_code == 200
