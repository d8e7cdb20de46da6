"""How many sessions may live, and which of them give way: those of the network that holds most."""

from __future__ import annotations

import secrets
from collections import Counter
from typing import Any

import pytest
import redis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runtime.auth.sessions import SESSIONS_PER_USER_MAX, Session, Sessions
from runtime.clock import ManualClock
from runtime.messaging import redis_keys
from tests.conftest import START_MS

DAY_MS = redis_keys.SESSION_TTL_S * 1000
MOST = 12
CROWD, HOME = "198.51.100.7", "192.0.2.7"


@pytest.fixture
def sessions(redis_client: redis.Redis, clock: ManualClock, monkeypatch: pytest.MonkeyPatch) -> Sessions:
    monkeypatch.setattr(redis_keys, "SESSIONS_MAX", MOST)
    return Sessions(redis_client, clock)


def log_in(sessions: Sessions, network: str, number: int = 0, *, after_ms: int = 1) -> tuple[str, Session]:
    """Start the session of a wallet that has no other."""
    sessions._clock.advance(after_ms)  # type: ignore[attr-defined]
    return sessions.create(f"{number or secrets.randbits(64):026x}", f"0x{number:040x}", network)


def counted(client: Any) -> tuple[int, Counter[str]]:
    """Return the counts of live sessions as Redis keeps them: of all, and by network."""
    by_network = Counter[str]()
    for name, score in client.zrange(redis_keys.SESSION_NETWORKS, 0, -1, withscores=True):
        by_network[name.decode()] = int(score) >> 32
    return int(client.get(redis_keys.SESSIONS_LIVE) or 0), by_network


def test_a_crowd_from_one_network_ends_only_its_own(sessions: Sessions, redis_client: Any) -> None:
    at_home = [log_in(sessions, HOME)[0] for _ in range(3)]
    crowd = [log_in(sessions, CROWD)[0] for _ in range(50)]
    assert all(sessions.find(token) for token in at_home)
    assert [sessions.find(token) is not None for token in crowd] == [False] * 41 + [True] * 9
    assert counted(redis_client) == (MOST, {HOME: 3, CROWD: 9})
    assert len(redis_client.keys("session:*")) == MOST
    log_in(sessions, HOME)
    assert sessions.find(crowd[41]) is None
    assert all(sessions.find(token) for token in (*at_home, *crowd[42:]))


def test_of_networks_that_hold_as_many_the_one_with_the_oldest_gives_way(sessions: Sessions) -> None:
    tokens = [
        log_in(sessions, f"10.0.0.{number}", after_ms=1_000)[0] for number in (9, 3, 7, 1, 12, 5, 8, 2, 11, 4, 6, 10)
    ]
    for ended in range(3):
        log_in(sessions, f"172.16.0.{ended}")
        assert [sessions.find(token) is None for token in tokens] == [True] * (ended + 1) + [False] * (11 - ended)


def test_what_gives_way_is_told_as_a_revocation_is(sessions: Sessions, redis_client: Any, clock: ManualClock) -> None:
    there = Sessions(redis_client, clock)
    token, session = log_in(sessions, CROWD)
    there.follow()
    assert there.find(token) == session
    for _ in range(MOST):
        log_in(sessions, CROWD)
    [(_, told)] = redis_client.xrange(redis_keys.SESSIONS_ENDED)
    assert told == {b"id": session.id.encode()}
    there.follow()
    assert there.find(token) is None
    assert redis_client.smembers(redis_keys.user_sessions(session.user_id)) == set()


def test_sessions_that_ran_out_are_taken_off_the_count(
    sessions: Sessions, redis_client: Any, clock: ManualClock
) -> None:
    for number in range(MOST):
        log_in(sessions, f"10.0.0.{number % 4}")
    clock.advance(DAY_MS - 6)
    # As Redis does by itself, with a clock of its own.
    redis_client.delete(*redis_client.keys("session:*"), redis_keys.network_sessions("10.0.0.2"))
    token, _ = log_in(sessions, HOME)
    live, by_network = counted(redis_client)
    assert live == by_network.total() < MOST
    clock.advance(10)
    another, _ = log_in(sessions, HOME)
    assert counted(redis_client) == (2, {HOME: 2})
    assert sessions.find(token)
    assert sessions.find(another)
    assert redis_client.xlen(redis_keys.SESSIONS_ENDED) == 0


def test_a_network_that_runs_out_leaves_no_key(sessions: Sessions, redis_client: Any) -> None:
    _, session = log_in(sessions, HOME)
    for key in ("session:*", "sessions:0*", redis_keys.network_sessions(HOME)):
        [found] = redis_client.keys(key)
        assert 0 < redis_client.ttl(found) <= redis_keys.SESSION_TTL_S
    assert sessions.revoke(session.user_id, session.id)
    left = {key for key in redis_client.keys("*") if redis_client.type(key) != b"string"}
    assert left == {redis_keys.SESSIONS_ENDED.encode()}


def test_sessions_from_before_there_was_a_count_stay_and_end(
    sessions: Sessions, redis_client: Any, clock: ManualClock
) -> None:
    token, session = log_in(sessions, HOME)
    redis_client.hdel(redis_keys.session(session.id), "network")
    redis_client.delete(
        redis_keys.SESSION_NETWORKS,
        redis_keys.SESSION_NETWORKS_OLDEST,
        redis_keys.SESSIONS_LIVE,
        redis_keys.network_sessions(HOME),
    )
    for _ in range(MOST + 5):
        log_in(sessions, CROWD)
    assert Sessions(redis_client, clock).find(token) == session
    assert sessions.revoke(session.user_id, session.id)
    assert sessions.find(token) is None
    assert counted(redis_client) == (MOST, {CROWD: MOST})


def test_a_session_that_its_login_ended_leaves_the_count_with_the_others(
    sessions: Sessions, redis_client: Any, clock: ManualClock
) -> None:
    _, brief = sessions.create("0" * 26, "0x" + "0" * 40, CROWD, until_ms=clock.now_ms() + 60_000)
    assert 0 < redis_client.pttl(redis_keys.session(brief.id)) <= 60_000
    redis_client.delete(redis_keys.session(brief.id))  # as Redis does by a clock of its own
    for _ in range(MOST - 1):
        log_in(sessions, CROWD)
    assert counted(redis_client) == (MOST, {CROWD: MOST})
    token, _ = log_in(sessions, CROWD)
    assert counted(redis_client) == (MOST, {CROWD: MOST})
    assert len(redis_client.keys("session:*")) == MOST, "the ended one gave way, and none that lives"
    clock.advance(DAY_MS)
    log_in(sessions, HOME)
    assert counted(redis_client) == (1, {HOME: 1})
    assert sessions.find(token) is None


def test_sessions_beyond_a_users_own_limit_leave_the_count(redis_client: Any, clock: ManualClock) -> None:
    sessions = Sessions(redis_client, clock)
    for _ in range(SESSIONS_PER_USER_MAX + 5):
        log_in(sessions, HOME, number=7)
    assert counted(redis_client) == (SESSIONS_PER_USER_MAX, {HOME: SESSIONS_PER_USER_MAX})


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.sampled_from("abcd"), st.integers(0, 9)), max_size=60))
def test_the_count_is_always_that_of_the_live(
    redis_client: Any, monkeypatch: pytest.MonkeyPatch, steps: list[tuple[str, int]]
) -> None:
    monkeypatch.setattr(redis_keys, "SESSIONS_MAX", MOST)
    redis_client.flushall()
    clock = ManualClock(START_MS)
    sessions = Sessions(redis_client, clock)
    live: list[tuple[Session, str]] = []
    for network, what in steps:
        if what == 0 and live:
            session, _ = live.pop(len(live) // 2)
            assert sessions.revoke(session.user_id, session.id)
        elif what == 1:
            clock.advance(DAY_MS // 3)
            live = [(one, where) for one, where in live if one.expires_ms > clock.now_ms()]
        else:
            if len(live) == MOST:
                sizes = Counter(where for _, where in live)
                biggest = next(one for one in live if sizes[one[1]] == max(sizes.values()))
                live.remove(biggest)
            clock.advance(1_000)
            live = [(one, where) for one, where in live if one.expires_ms > clock.now_ms()]
            live.append((log_in(sessions, network)[1], network))
            assert counted(redis_client) == (len(live), Counter(where for _, where in live))
    assert {one.id for one, _ in live} <= {key.decode()[8:] for key in redis_client.keys("session:*")}


def test_the_budget_of_sessions_is_true(redis_client: Any, clock: ManualClock) -> None:
    sessions, made = Sessions(redis_client, clock), 500
    for number in range(made):
        sessions.create(
            f"{number:026d}",
            f"0x{number:040x}",
            f"2001:db8:{number:04x}:ffff::/64",
            session_key=f"0x{number:040x}",
            delegation_id=f"{number:026d}",
        )
    bytes_used = sum(redis_client.memory_usage(key, samples=0) for key in redis_client.keys("*"))
    assert bytes_used < made * redis_keys.SESSION_BYTES_MAX
    assert redis_keys.BUDGET_BYTES["sessions"] >= redis_keys.SESSIONS_MAX * redis_keys.SESSION_BYTES_MAX
    assert redis_keys.budget_fits(512 * 1024 * 1024)
