"""Sessions in a real Redis: made, found, revoked everywhere within a second, never readable from Redis."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
import redis

from runtime.auth.sessions import CACHED_MAX, SESSIONS_PER_USER_MAX, Sessions, session_id
from runtime.clock import ManualClock
from runtime.errors import Unavailable
from runtime.messaging import redis_keys
from runtime.messaging.connection import connect

USER = "01J0000000000000000000000A"
OTHER = "01J0000000000000000000000B"
WALLET = "0x19e7e376e7c213b7e7e7e46cc70a5dd086daff2a"
NETWORK = "192.0.2.7"


@pytest.fixture
def sessions(redis_client: redis.Redis, clock: ManualClock) -> Sessions:
    return Sessions(redis_client, clock)


def test_a_session_is_found_by_its_token(sessions: Sessions, clock: ManualClock) -> None:
    token, session = sessions.create(USER, WALLET, NETWORK, session_key="0x" + "22" * 20, delegation_id=OTHER)
    assert sessions.find(token) == session
    assert session.expires_ms == clock.now_ms() + 24 * 3600 * 1000
    assert session.id == hashlib.sha256(token.encode()).hexdigest()


def test_another_process_finds_it_too(sessions: Sessions, redis_client: redis.Redis, clock: ManualClock) -> None:
    token, session = sessions.create(USER, WALLET, NETWORK)
    assert Sessions(redis_client, clock).find(token) == session


def test_tokens_are_32_random_bytes(redis_client: redis.Redis, clock: ManualClock) -> None:
    asked: list[int] = []

    def random_bytes(count: int) -> bytes:
        asked.append(count)
        return bytes(range(count))

    token, _ = Sessions(redis_client, clock, random_bytes=random_bytes).create(USER, WALLET, NETWORK)
    assert (asked, token) == ([32], "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8")


def test_redis_never_holds_a_token(sessions: Sessions, redis_client: Any) -> None:
    token, session = sessions.create(USER, WALLET, NETWORK)
    kept = b"".join(key + redis_client.dump(key) for key in redis_client.keys("*"))
    assert session.id.encode() in kept
    assert token.encode() not in kept


def test_sessions_end_by_themselves(sessions: Sessions, redis_client: Any, clock: ManualClock) -> None:
    token, session = sessions.create(USER, WALLET, NETWORK)
    for key in (redis_keys.session(session.id), redis_keys.user_sessions(USER)):
        assert 0 < redis_client.ttl(key) <= 24 * 3600
    clock.advance(24 * 3600 * 1000)
    assert sessions.find(token) is None


@pytest.mark.parametrize(
    ("asked_ms", "lasts_ms"),
    [(1, 1), (90_000, 90_000), (24 * 3600 * 1000, 24 * 3600 * 1000), (10**12, 24 * 3600 * 1000)],
)
def test_a_session_ends_by_a_time_but_never_later_than_a_day(
    sessions: Sessions, redis_client: Any, clock: ManualClock, asked_ms: int, lasts_ms: int
) -> None:
    token, session = sessions.create(USER, WALLET, NETWORK, until_ms=clock.now_ms() + asked_ms)
    assert session.expires_ms - session.created_ms == lasts_ms
    assert redis_client.pttl(redis_keys.session(session.id)) <= lasts_ms
    if lasts_ms > 1:  # Redis' own clock goes on meanwhile
        clock.advance(lasts_ms - 1)
        assert sessions.find(token) == session
        assert sessions.of_user(USER) == [session]
    clock.advance(1)
    assert sessions.find(token) is None
    assert sessions.of_user(USER) == []


def test_a_time_that_has_passed_leaves_no_session(sessions: Sessions, redis_client: Any, clock: ManualClock) -> None:
    token, session = sessions.create(USER, WALLET, NETWORK, until_ms=clock.now_ms())
    assert sessions.find(token) is None
    assert not redis_client.exists(redis_keys.session(session.id))


@pytest.mark.parametrize(
    "token", ["", "x", "A" * 42, "A" * 43, "A" * 44, "é" * 43, "\ud800" * 43, "A" * 42 + "\n", "*" * 43]
)
def test_unknown_tokens_find_nothing(sessions: Sessions, token: str) -> None:
    assert sessions.find(token) is None


def test_the_id_of_a_session_is_no_token(sessions: Sessions) -> None:
    _, session = sessions.create(USER, WALLET, NETWORK)
    assert sessions.find(session.id) is None


def test_revoking_ends_a_session_here_at_once(sessions: Sessions) -> None:
    token, session = sessions.create(USER, WALLET, NETWORK)
    assert sessions.find(token)
    assert sessions.revoke(USER, session.id)
    assert sessions.find(token) is None
    assert sessions.of_user(USER) == []
    assert not sessions.revoke(USER, session.id)


def test_other_processes_follow_within_a_second(
    sessions: Sessions, redis_client: redis.Redis, clock: ManualClock
) -> None:
    elsewhere = Sessions(redis_client, clock)
    token, session = sessions.create(USER, WALLET, NETWORK)
    assert elsewhere.find(token)
    sessions.revoke(USER, session.id)
    clock.advance(999)
    assert elsewhere.find(token) is None


def test_finding_often_does_not_prolong_what_is_believed(
    sessions: Sessions, redis_client: redis.Redis, clock: ManualClock
) -> None:
    elsewhere = Sessions(redis_client, clock)
    token, session = sessions.create(USER, WALLET, NETWORK)
    for _ in range(5):
        clock.advance(300)
        elsewhere.find(token)
    sessions.revoke(USER, session.id)
    found = []
    for _ in range(4):
        clock.advance(250)
        found.append(elsewhere.find(token))
    assert found[-1] is None


def test_a_process_that_follows_believes_longer_and_hears_of_the_end(redis_client: Any, clock: ManualClock) -> None:
    here, there = Sessions(redis_client, clock), Sessions(redis_client, clock)
    token, session = here.create(USER, WALLET, NETWORK)
    there.follow()
    assert there.find(token) == session
    redis_client.delete(redis_keys.session(session.id))
    clock.advance(800)
    there.follow()
    clock.advance(800)
    assert there.find(token) == session, "Redis was asked again although nothing had ended"
    redis_client.xadd(redis_keys.SESSIONS_ENDED, {"id": session.id})
    there.follow()
    assert there.find(token) is None


def test_a_process_that_may_have_missed_an_end_believes_nothing(
    redis_client: Any, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    sessions = Sessions(redis_client, clock)
    sessions.follow()
    token, session = sessions.create(USER, WALLET, NETWORK)
    assert sessions.find(token) == session
    redis_client.delete(redis_keys.session(session.id))
    monkeypatch.setattr(redis_keys, "SESSIONS_ENDED_KEEP", 3)
    for number in range(3):
        redis_client.xadd(redis_keys.SESSIONS_ENDED, {"id": f"{number}"})
    sessions.follow()
    assert sessions.find(token) is None


def test_who_stops_following_stops_believing(redis_client: Any, clock: ManualClock) -> None:
    sessions = Sessions(redis_client, clock)
    sessions.follow()
    token, session = sessions.create(USER, WALLET, NETWORK)
    assert sessions.find(token) == session
    redis_client.delete(redis_keys.session(session.id))
    clock.advance(900)
    assert sessions.find(token) is None


def test_an_emptied_redis_ends_what_is_believed(redis_client: Any, clock: ManualClock) -> None:
    sessions = Sessions(redis_client, clock)
    redis_client.hset(redis_keys.EPOCH, mapping={"id": "one", "since_s": 1})
    sessions.follow()
    token, session = sessions.create(USER, WALLET, NETWORK)
    assert sessions.find(token) == session
    redis_client.flushall()
    redis_client.hset(redis_keys.EPOCH, mapping={"id": "two", "since_s": 2})
    sessions.follow()
    assert sessions.find(token) is None


def test_a_session_revoked_while_it_is_being_read_is_not_believed(redis_client: Any, clock: ManualClock) -> None:
    here, there = Sessions(redis_client, clock), Sessions(redis_client, clock)
    token, _ = here.create(USER, WALLET, NETWORK)
    there.follow()
    honest = there._read

    def revoked_meanwhile(wanted: str) -> Any:
        found = honest(wanted)
        here.revoke(USER, wanted)
        there.follow()
        return found

    there._read = revoked_meanwhile  # type: ignore[method-assign, assignment]
    there.find(token)
    there._read = honest  # type: ignore[method-assign]
    assert there.find(token) is None


def test_nobody_revokes_another_users_session(sessions: Sessions) -> None:
    token, session = sessions.create(USER, WALLET, NETWORK)
    assert not sessions.revoke(OTHER, session.id)
    assert sessions.find(token) == session


@pytest.mark.parametrize("wrong", ["", "x", "*", "0" * 63, "0" * 64, "0" * 65, "é" * 64])
def test_revoking_what_does_not_exist_says_so(sessions: Sessions, wrong: str) -> None:
    assert not sessions.revoke(USER, wrong)


def test_the_list_of_a_user_is_newest_first(sessions: Sessions, clock: ManualClock, redis_client: redis.Redis) -> None:
    made = []
    for _ in range(3):
        clock.advance(10)
        made.append(sessions.create(USER, WALLET, NETWORK)[1])
    sessions.create(OTHER, WALLET, NETWORK)
    assert sessions.of_user(USER) == made[::-1]
    redis_client.delete(redis_keys.session(made[1].id))
    assert sessions.of_user(USER) == [made[2], made[0]]
    assert redis_client.scard(redis_keys.user_sessions(USER)) == 2


def test_a_user_has_so_many_sessions_at_most(sessions: Sessions, clock: ManualClock) -> None:
    tokens = []
    for _ in range(SESSIONS_PER_USER_MAX + 3):
        clock.advance(1)
        tokens.append(sessions.create(USER, WALLET, NETWORK)[0])
    assert [sessions.find(token) is not None for token in tokens] == [False] * 3 + [True] * SESSIONS_PER_USER_MAX


def test_the_cache_is_bounded(sessions: Sessions, clock: ManualClock) -> None:
    _, session = sessions.create(USER, WALLET, NETWORK)
    for number in range(CACHED_MAX + 50):
        sessions._remember(str(number), session, clock.monotonic_ms())
    assert len(sessions._cached) == CACHED_MAX


@pytest.mark.integration
def test_without_redis_it_is_unavailable(clock: ManualClock) -> None:
    away = Sessions(connect("redis://127.0.0.1:1/0"), clock)
    token = "A" * 43
    with pytest.raises(Unavailable):
        away.find(token)
    with pytest.raises(Unavailable):
        away.create(USER, WALLET, NETWORK)
    with pytest.raises(Unavailable):
        away.of_user(USER)
    with pytest.raises(Unavailable):
        away.revoke(USER, session_id(token))
