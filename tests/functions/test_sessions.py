"""Sessions through the HTTP interface: bearer and cookie, listing, revoking, and whose they are."""

from __future__ import annotations

import pytest

from runtime.addresses import to_checksum_address
from runtime.auth.signatures import address_of
from runtime.clock import rfc3339
from runtime.game.limits import LIMIT_COLUMNS
from runtime.messaging.connection import connect
from tests.functions.signing_in import House, app_of
from tests.runtime.auth.logins import DOMAIN, SESSION_KEY, WALLET, message, signed

OTHER_KEY = b"\x33" * 32
RESOURCES = (f"urn:taptrade:session-key:{SESSION_KEY}",)


def log_in_as_other(house: House) -> str:
    return house.log_in(key=OTHER_KEY, address=address_of(OTHER_KEY), nonce="other123")


def test_me_shows_account_limits_and_session(house: House) -> None:
    token = house.log_in(resources=RESOURCES)
    answer = house.call("GET", "/api/me", token).json
    assert answer["user"]["wallet_address"] == to_checksum_address(WALLET)
    assert answer["user"]["balance"] == 1_000_000
    assert answer["limits"] == dict.fromkeys(LIMIT_COLUMNS)
    assert answer["session"]["session_key"] == SESSION_KEY
    assert answer["session"]["expires_ms"] == house.now_ms + 24 * 3600 * 1000


@pytest.mark.parametrize(
    "authorization",
    ["", "Bearer", "Bearer ", "Basic {0}", "{0}", "Bearer {0}x", "Bearer {0} {0}", "Bearer é", "Token {0}"],
)
def test_other_credentials_are_none(house: House, authorization: str) -> None:
    token = house.log_in()
    result = house.call("GET", "/api/me", Authorization=authorization.format(token))
    assert (result.status_code, result.json["code"]) == (401, "UNAUTHENTICATED")


def test_the_scheme_may_be_written_in_any_case(house: House) -> None:
    assert house.call("GET", "/api/me", Authorization=f"bEARER {house.log_in()}").status_code == 200


@pytest.mark.parametrize(
    "authorization",
    ["Basic dXNlcjpwYXNz", "basic dXNlcjpwYXNz", "Digest username=a", "Negotiate YII=", "", "Basic a,Bearer b"],
)
def test_the_password_of_a_site_in_front_leaves_the_cookie_alone(house: House, authorization: str) -> None:
    cookie = f"taptrade_session={house.log_in()}"
    given = {"Authorization": authorization, "Cookie": cookie}
    assert house.call("GET", "/api/me", **given).status_code == 200
    assert house.call("POST", "/api/auth/logout", **given).status_code == 403
    assert house.call("POST", "/api/auth/logout", **given, Sec_Fetch_Site="same-origin").status_code == 204


@pytest.mark.parametrize("authorization", ["Bearer", "Bearer ", "bearer   ", "Bearer x", "BEARER " + "A" * 43])
def test_a_bearer_token_stands_for_the_cookie_even_if_it_is_none(house: House, authorization: str) -> None:
    cookie = f"taptrade_session={house.log_in()}"
    result = house.call("GET", "/api/me", Authorization=authorization, Cookie=cookie)
    assert (result.status_code, result.json["code"]) == (401, "UNAUTHENTICATED")


@pytest.mark.parametrize(
    "neighbours",
    [
        pytest.param('a={"b": "c, d=e"}; {0}', id="JSON"),
        pytest.param('a="b; {0}', id="half a quote"),
        pytest.param("a=b=c==; {0}; d", id="no value"),
        pytest.param("=b; ;;{0};", id="no name"),
        pytest.param("a[0]=(1/2)@<3>; {0}", id="odd names"),
        pytest.param("a=\u00e9\u00ff; {0}", id="high bytes"),
        pytest.param("Taptrade_Session=x; taptrade_session2=y; my_taptrade_session=z; {0}", id="names like ours"),
        pytest.param("expires=Thu, 01 Jan 1970 00:00:00 GMT; Path=/; {0}; $Version=1", id="attributes"),
        pytest.param("{0} ; a=b", id="blanks"),
    ],
)
def test_whatever_other_cookies_there_are(house: House, neighbours: str) -> None:
    cookie = neighbours.replace("{0}", f"taptrade_session={house.log_in()}")
    assert house.call("GET", "/api/me", Cookie=cookie).status_code == 200


def test_logout_ends_the_session_and_takes_the_cookie_back(house: House) -> None:
    token = house.log_in()
    result = house.call("POST", "/api/auth/logout", token)
    assert result.status_code == 204
    assert result.headers["set-cookie"].startswith('taptrade_session=""; expires=')
    assert house.call("GET", "/api/me", token).status_code == 401
    assert house.call("POST", "/api/auth/logout", token).status_code == 401


def test_sessions_are_listed_and_revoked(house: House) -> None:
    first = house.log_in(nonce="first123")
    house.parts.clock.advance(10)
    second = house.log_in(nonce="second12", resources=RESOURCES)
    listed = house.call("GET", "/api/me/sessions", first).json["sessions"]
    assert [(one["current"], one["session_key"]) for one in listed] == [(False, SESSION_KEY), (True, None)]
    assert first not in str(listed)
    assert house.call("DELETE", f"/api/me/sessions/{listed[0]['id']}", first).status_code == 204
    assert house.call("GET", "/api/me", second).status_code == 401
    assert house.call("GET", "/api/me", first).status_code == 200
    assert house.call("DELETE", f"/api/me/sessions/{listed[0]['id']}", first).status_code == 404


def test_other_players_sessions_do_not_exist(house: House) -> None:
    mine, theirs = house.log_in(), log_in_as_other(house)
    their_id = house.call("GET", "/api/me/sessions", theirs).json["sessions"][0]["id"]
    result = house.call("DELETE", f"/api/me/sessions/{their_id}", mine)
    assert (result.status_code, result.json["code"]) == (404, "NOT_FOUND")
    assert house.call("GET", "/api/me", theirs).status_code == 200
    assert house.call("DELETE", "/api/me/sessions/%2A", mine).status_code == 404


def test_a_session_ends_after_a_day(house: House) -> None:
    token = house.log_in()
    house.parts.clock.advance(24 * 3600 * 1000)
    assert house.call("GET", "/api/me", token).status_code == 401


def test_a_session_and_its_key_end_with_the_login_message(house: House) -> None:
    ends_ms = house.now_ms + 90_500
    text = message(house.now_ms, resources=RESOURCES, expiration_time=rfc3339(ends_ms)).to_text()
    answer = house.post_login(*signed(text))
    assert (answer.json["expires_ms"], answer.json["expires_at"]) == (ends_ms, rfc3339(ends_ms))
    assert "Max-Age=90;" in answer.headers["set-cookie"]
    token = answer.json["token"]
    house.parts.clock.advance(90_499)
    assert house.call("GET", "/api/me", token).json["session"]["expires_ms"] == ends_ms
    [listed] = house.call("GET", "/api/me/sessions", token).json["sessions"]
    assert (listed["expires_ms"], listed["session_key"]) == (ends_ms, SESSION_KEY)
    other = house.log_in(nonce="other123")
    house.parts.clock.advance(1)
    assert house.call("GET", "/api/me", token).status_code == 401
    assert [one["current"] for one in house.call("GET", "/api/me/sessions", other).json["sessions"]] == [True]


def test_a_cookie_lasts_as_long_as_its_session(house: House) -> None:
    answer = house.post_login(*signed(message(house.now_ms).to_text()))
    assert "Max-Age=86400;" in answer.headers["set-cookie"]


def test_the_cookie_serves_the_page(house: House) -> None:
    cookie = f"taptrade_session={house.log_in()}"
    assert house.call("GET", "/api/me", Cookie=cookie).status_code == 200
    assert house.call("POST", "/api/auth/logout", Cookie=cookie, Sec_Fetch_Site="same-origin").status_code == 204
    assert house.call("GET", "/api/me", Cookie=cookie).status_code == 401


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({}, id="no word about the origin"),
        pytest.param({"Sec_Fetch_Site": "cross-site"}, id="cross-site"),
        pytest.param({"Sec_Fetch_Site": "same-site"}, id="same-site"),
        pytest.param({"Sec_Fetch_Site": "none"}, id="typed"),
        pytest.param({"Sec_Fetch_Site": "cross-site", "Origin": f"http://{DOMAIN}"}, id="two stories"),
        pytest.param({"Origin": "https://evil.example"}, id="other origin"),
        pytest.param({"Origin": f"http://{DOMAIN}.evil.example"}, id="origin that starts like ours"),
        pytest.param({"Origin": f"http://evil.example/{DOMAIN}"}, id="origin that ends like ours"),
        pytest.param({"Origin": "null"}, id="null"),
        pytest.param({"Origin": "http://["}, id="no URL"),
        pytest.param({"Origin": ""}, id="empty"),
    ],
)
def test_other_pages_cannot_act_with_the_cookie(house: House, headers: dict[str, str]) -> None:
    token = house.log_in()
    result = house.call("POST", "/api/auth/logout", Cookie=f"taptrade_session={token}", **headers)
    assert (result.status_code, result.json["code"]) == (403, "FORBIDDEN")
    assert house.call("GET", "/api/me", token).status_code == 200


def test_older_browsers_name_their_origin(house: House) -> None:
    cookie = f"taptrade_session={house.log_in()}"
    assert house.call("POST", "/api/auth/logout", Cookie=cookie, Origin=f"http://{DOMAIN}").status_code == 204


def test_two_cookies_of_one_name_are_none(house: House) -> None:
    token = house.log_in()
    cookie = f"taptrade_session={token}; taptrade_session={'A' * 43}"
    assert house.call("GET", "/api/me", Cookie=cookie).status_code == 401


def test_a_bearer_header_needs_no_origin(house: House) -> None:
    assert house.call("POST", "/api/auth/logout", house.log_in(), Sec_Fetch_Site="cross-site").status_code == 204


def test_a_session_without_its_account_has_ended(house: House) -> None:
    token, _ = house.parts.sessions.create("01J0000000000000000000000A", WALLET, "192.0.2.7")
    assert house.call("GET", "/api/me", token).status_code == 401


def test_without_redis_it_is_unavailable(house: House) -> None:
    token = house.log_in()
    house.parts.sessions._client = connect("redis://127.0.0.1:1/0")
    house.parts.clock.advance(1_000)
    house.client = app_of(house.parts)
    result = house.call("GET", "/api/me", token)
    assert (result.status_code, result.json["code"]) == (503, "UNAVAILABLE")
