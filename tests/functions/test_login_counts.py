"""How often one may log in: by address and minute whatever is sent, by address and wallet and day what is signed."""

from __future__ import annotations

from dataclasses import replace

from runtime.addresses import to_checksum_address
from runtime.auth.signatures import address_of, sign
from tests.functions.signing_in import House, app_of
from tests.runtime.auth.logins import WALLET, message, signed


def test_logins_of_one_address_are_counted(house: House) -> None:
    house.parts.settings = replace(house.parts.settings, logins_per_minute=2)
    house.client = app_of(house.parts)
    statuses = [house.post_login("", "").status_code for _ in range(3)]
    assert statuses == [400, 400, 429]


def log_in_times(house: House, times: int, key: bytes = b"\x11" * 32, first: int = 0) -> list[int]:
    texts = [
        message(house.now_ms, address=to_checksum_address(address_of(key)), nonce=f"nonce{number:05d}").to_text()
        for number in range(first, first + times)
    ]
    return [house.post_login(*signed(text, key)).status_code for text in texts]


def test_logins_of_one_wallet_are_counted_by_day(house: House) -> None:
    house.parts.settings = replace(house.parts.settings, wallet_logins_per_day=2)
    house.client = app_of(house.parts)
    assert log_in_times(house, 3) == [200, 200, 429]
    refused = house.post_login(*signed(message(house.now_ms).to_text()))
    day_left_s = 86_400 - house.now_ms // 1000 % 86_400
    assert (refused.json["code"], refused.json["bucket"]) == ("RATE_LIMITED", "wallet_logins")
    assert refused.headers["retry-after"] == str(day_left_s)
    assert refused.headers["ratelimit-policy"] == (
        '"logins";q=60;w=60, "address_logins";q=5000;w=86400, "wallet_logins";q=2;w=86400'
    )
    assert refused.headers["ratelimit"] == f'"logins";r=56;t=40, "wallet_logins";r=0;t={day_left_s}'
    assert log_in_times(house, 1, b"\x33" * 32) == [200]
    assert len(house.parts.sessions.of_user(house.user_id_of(WALLET))) == 2
    house.parts.clock.advance(day_left_s * 1000)
    assert log_in_times(house, 1, first=10) == [200]


def test_signed_logins_of_one_address_are_counted_by_day(house: House) -> None:
    house.parts.settings = replace(house.parts.settings, address_logins_per_day=2)
    house.client = app_of(house.parts)
    keys = [bytes([number]) * 32 for number in (1, 2, 3)]
    assert [log_in_times(house, 1, key) for key in keys] == [[200], [200], [429]]
    assert house.count("users") == 2


def test_what_was_not_signed_or_comes_again_uses_up_no_day(house: House) -> None:
    house.parts.settings = replace(house.parts.settings, wallet_logins_per_day=2, address_logins_per_day=2)
    house.client = app_of(house.parts)
    text, signature = signed(message(house.now_ms).to_text())
    codes = [house.post_login(text, sign(text.encode(), b"\x33" * 32)).json["code"] for _ in range(3)]
    assert codes == ["INVALID_SIGNATURE"] * 3
    assert house.post_login(text, signature).status_code == 200
    assert [house.post_login(text, signature).json["code"] for _ in range(3)] == ["REPLAYED_NONCE"] * 3
    assert log_in_times(house, 2) == [200, 429]
