"""Pages of other origins: those that a setting names may read answers by bearer token, all others nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from runtime.clock import ManualClock
from runtime.settings import Settings, SettingsError, load
from tests.attack.arena import Arena, open_arena
from tests.attack.attacker import Player
from tests.runtime.auth.browser import BrowserKey, guest_body
from tests.runtime.auth.logins import DOMAIN

APP, EVIL = "https://app.example", "https://evil.example"
ALLOWED = "access-control-allow-origin"


@pytest.fixture
def arena(settings: Settings, clock: ManualClock) -> Iterator[Arena]:
    """Return an arena that pages of another origin may use."""
    with open_arena(replace(settings, cors_origins=(APP,)), clock) as opened:
        yield opened


def ask(arena: Arena, method: str, path: str, **headers: str) -> Any:
    given: dict[str, Any] = {name.replace("_", "-"): value for name, value in headers.items()}
    return arena.one.client.simulate_request(method, path, headers=given)


def test_a_named_page_may_read_answers_and_what_limits_them(arena: Arena, victim: Player) -> None:
    answer = ask(arena, "GET", "/api/me", Origin=APP, Authorization=f"Bearer {victim.token}")
    assert (answer.status_code, answer.headers[ALLOWED], answer.headers["vary"]) == (200, APP, "Origin")
    exposed = set(answer.headers["access-control-expose-headers"].split(", "))
    assert exposed == {"X-Request-Id", "RateLimit", "RateLimit-Policy", "Retry-After", "X-Next-Cursor"}
    assert "access-control-allow-credentials" not in answer.headers
    assert victim.place(victim.bet(), Origin=APP).headers[ALLOWED] == APP
    assert "x-request-id" in answer.headers


@pytest.mark.parametrize("path", ["/api/me", "/api/nothing", "/api/bets/x", "/api/stream"])
def test_a_named_page_may_read_refusals(arena: Arena, path: str) -> None:
    answer = ask(arena, "GET", path, Origin=APP)  # no session, no such address, and a stream that is not open yet
    assert answer.status_code in (401, 404, 503)
    assert (answer.headers[ALLOWED], answer.json["code"] != "") == (APP, True)


def test_a_preflight_is_answered_without_a_session(arena: Arena) -> None:
    wanted = {"Access_Control_Request_Method": "POST", "Access_Control_Request_Headers": "authorization,content-type"}
    answer = ask(arena, "OPTIONS", "/api/bets", Origin=APP, **wanted)
    assert answer.status_code == 200
    assert answer.headers[ALLOWED] == APP
    assert {"GET", "POST"} <= set(answer.headers["access-control-allow-methods"].split(", "))
    assert answer.headers["access-control-allow-headers"] == "authorization,content-type"
    assert int(answer.headers["access-control-max-age"]) > 0
    assert "access-control-allow-credentials" not in answer.headers
    foreign = ask(arena, "OPTIONS", "/api/bets", Origin=EVIL, **wanted)
    assert [name for name in foreign.headers if name.startswith("access-control")] == []


@pytest.mark.parametrize(
    "origin", [EVIL, "null", "https://app.example.evil.example", "http://app.example", "https://app.example:8443", "*"]
)
def test_no_other_page_may(arena: Arena, victim: Player, origin: str) -> None:
    answer = ask(arena, "GET", "/api/me", Origin=origin, Authorization=f"Bearer {victim.token}")
    assert [name for name in answer.headers if name.startswith("access-control")] == []
    assert answer.headers["vary"] == "Origin"


def test_a_named_page_has_no_use_of_a_cookie(arena: Arena, victim: Player) -> None:
    cookie = {"Cookie": f"taptrade_session={victim.token}"}
    for site in ("cross-site", "same-site"):
        headers: Any = {"Origin": APP, "Sec-Fetch-Site": site} | cookie
        answer = arena.one.client.simulate_post("/api/bets", json=victim.bet(), headers=headers)
        assert (answer.status_code, answer.json["code"]) == (403, "FORBIDDEN")
    assert arena.count("bets") == 0
    body = guest_body(BrowserKey(99), DOMAIN, arena.now_ms, arena.nonce())
    signed_in = arena.one.client.simulate_post("/api/auth/guest", json=body, headers={"Origin": APP})
    assert (signed_in.status_code, "set-cookie" in signed_in.headers) == (200, False)


def test_nothing_is_said_of_origins_unless_it_is_set(settings: Settings, clock: ManualClock) -> None:
    assert settings.cors_origins == ()
    with open_arena(settings, clock) as arena:
        answer = ask(arena, "GET", "/api/time", Origin=APP)
    assert (answer.status_code, ALLOWED in answer.headers, "vary" in answer.headers) == (200, False, False)


@pytest.mark.parametrize(
    ("text", "origins"),
    [
        ("https://App.Example", ("https://app.example",)),
        ("https://app.example:443,http://app.example:80", ("https://app.example", "http://app.example")),
        ("http://app.example:443", ("http://app.example:443",)),
        ("http://127.0.0.1:5173, http://[0:0:0:0:0:0:0:1]:5173", ("http://127.0.0.1:5173", "http://[::1]:5173")),
        ("https://bücher.example", ("https://xn--bcher-kva.example",)),
        ("", ()),
    ],
)
def test_an_origin_is_read_as_browsers_send_it(text: str, origins: tuple[str, ...]) -> None:
    assert load({"TAPTRADE_CORS_ORIGINS": text}).cors_origins == origins


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("*", "name each origin"),
        ("null", "name each origin"),
        ("https://*.example", "no scheme, no path and no wildcard"),
        ("app.example", "is no origin"),
        ("https://app.example/", "no path"),
        ("https://app.example/x", "no path"),
        ("https://user@app.example", "is no origin"),
        ("ftp://app.example", "is no origin"),
        ("https://", "must be a host"),
        ("https://a.example,https://a.example:443", "different ones"),
    ],
)
def test_what_is_no_origin_is_refused_in_words(text: str, words: str) -> None:
    with pytest.raises(SettingsError, match="TAPTRADE_CORS_ORIGINS") as refused:
        load({"TAPTRADE_CORS_ORIGINS": text})
    assert words in str(refused.value)
