"""What the tables of attacks leave over: broken libraries, odd times, outages in the middle, full memories."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import redis

from runtime.auth import sessions as auth_sessions
from runtime.auth import signatures
from runtime.auth.domains import Domains
from runtime.auth.login import check
from runtime.auth.sessions import Sessions
from runtime.auth.siwe import SiweError, parse
from runtime.auth.siwe_grammar import date_time_ms
from runtime.clock import ManualClock
from runtime.errors import Refusal, Unauthenticated, Unavailable
from tests.runtime.auth.logins import DOMAIN, KEY, NOW_MS, delegating, message, signed

USER = "01J0000000000000000000000A"
WALLET = "0x19e7e376e7c213b7e7e7e46cc70a5dd086daff2a"
NETWORK = "192.0.2.7"


def test_a_library_that_recovers_wrongly_is_noticed_at_start(monkeypatch: pytest.MonkeyPatch) -> None:
    signatures.check_backend()
    monkeypatch.setattr(signatures, "recover_text", lambda *_: "0x" + "0" * 40)
    with pytest.raises(signatures.BackendError):
        signatures.check_backend()


@pytest.mark.parametrize(
    "text",
    [
        "2026-02-30T00:00:00Z",
        "2026-13-01T00:00:00Z",
        "2026-01-01T24:00:00Z",
        "2026-06-30T23:59:60Z",
        "0000-01-01T00:00:00Z",
        "2026-01-01 00:00:00Z",
        "2026-01-01T00:00:00",
        "2026-01-01T00:00:00+24:00",
        "2026-01-01T00:00:00Z\n",
        "２０２６-01-01T00:00:00Z",
    ],
)
def test_what_is_no_time_is_none(text: str) -> None:
    assert date_time_ms(text) is None


@pytest.mark.parametrize("cut", range(9))
def test_a_message_that_ends_too_early_is_refused(cut: int) -> None:
    lines = message().to_text().split("\n")
    with pytest.raises(SiweError):
        parse("\n".join(lines[:cut]))


@pytest.mark.parametrize("name", ["URI", "Version", "Chain ID", "Nonce", "Issued At"])
@pytest.mark.parametrize("odd", ["\n", "\r", "\x00", "\u2028", "\u200b", "é", "\U0001f600", "\t", " ", "\x7f"])
def test_no_field_of_a_login_takes_anything_but_its_own_characters(name: str, odd: str) -> None:
    text = message().to_text()
    line = next(one for one in text.split("\n") if one.startswith(f"{name}: "))
    for changed in (line + odd, f"{name}: {odd}{line[len(name) + 2 :]}", line[:-1] + odd + line[-1:]):
        with pytest.raises(Refusal):
            check(*signed(text.replace(line, changed), KEY), Domains((DOMAIN,), "demo"), (1,), NOW_MS)


@pytest.mark.parametrize("odd", ["\n", "\r\n", "\x00", "\u2028", "é", " "])
def test_no_other_field_smuggles_a_line_in(odd: str) -> None:
    injected = f"{odd}URI: https://evil.example"
    for changed in (
        message(domain=DOMAIN + injected),
        message(statement="Hello" + injected if odd != " " else "Hello\n" + injected),
        message(request_id="1" + injected),
        delegating(request_id="1" + injected),
        message(resources=("https://a.example" + injected,)),
        message(resources=(f"urn:taptrade:session-key:{WALLET}{odd}",)),
        message(address=WALLET + odd),
        message(scheme="http" + odd),
    ):
        with pytest.raises(Refusal):
            check(*signed(changed.to_text(), KEY), Domains((DOMAIN,), "demo"), (1,), NOW_MS)


class Cut:
    """A client whose connection breaks at one kind of command."""

    def __init__(self, client: redis.Redis, name: str) -> None:
        self._client, self._name = client, name

    def __getattr__(self, name: str) -> Any:
        if name == self._name:
            raise redis.ConnectionError("away")
        return getattr(self._client, name)


@pytest.mark.parametrize("command", ["evalsha", "pipeline", "smembers", "hgetall"])
def test_an_outage_in_the_middle_is_said_to_be_one(redis_client: redis.Redis, clock: ManualClock, command: str) -> None:
    token, session = Sessions(redis_client, clock).create(USER, WALLET, NETWORK)
    cut = Sessions(Cut(redis_client, command), clock)  # type: ignore[arg-type]
    asked: dict[str, list[Callable[[], object]]] = {
        "evalsha": [lambda: cut.create(USER, WALLET, NETWORK), lambda: cut.revoke(USER, session.id)],
        "pipeline": [lambda: cut.of_user(USER)],
        "smembers": [lambda: cut.of_user(USER)],
        "hgetall": [lambda: cut.find(token), lambda: cut.revoke(USER, session.id)],
    }
    for ask in asked[command]:
        with pytest.raises(Unavailable):
            ask()
    assert Sessions(redis_client, clock).find(token) == session


def test_while_ended_sessions_cannot_be_read_belief_is_short(redis_client: redis.Redis, clock: ManualClock) -> None:
    client = Cut(redis_client, "nothing")
    sessions = Sessions(client, clock)  # type: ignore[arg-type]
    token, session = sessions.create(USER, WALLET, NETWORK)
    sessions.follow()
    assert sessions.find(token) == session
    client._name = "pipeline"
    sessions.follow()
    clock.advance(auth_sessions.CACHED_MS)
    client._name = "hgetall"
    with pytest.raises(Unavailable):
        sessions.find(token)


def test_who_is_not_signed_in_is_told_so() -> None:
    with pytest.raises(Unauthenticated):
        auth_sessions.signed_in(None)


def test_memory_of_sessions_is_bounded_and_forgets_the_oldest(
    redis_client: redis.Redis, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(auth_sessions, "CACHED_MAX", 3)
    sessions = Sessions(redis_client, clock)
    tokens = [sessions.create(USER, WALLET, NETWORK)[0] for _ in range(4)]
    assert all(sessions.find(token) for token in tokens)
    assert list(sessions._cached) == [auth_sessions.session_id(token) for token in tokens[1:]]
    assert sessions.find(tokens[0]) is not None
