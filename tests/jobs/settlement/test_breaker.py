"""The breaker's check: what it stores and tells, and what an operator's word changes."""

from __future__ import annotations

import logging
from typing import Any

import msgspec
import pytest
import redis

from jobs.settlement import breaker as job
from jobs.settlement.breaker import check, check_breaker
from runtime.clock import ManualClock
from runtime.game.breaker import Breaker, Override, State, decide
from runtime.market import breaker as stored
from runtime.market.breaker import read_breaker, set_override
from runtime.messaging.redis_keys import BREAKER, BUS_PUBLIC, FEED_SOURCES, TICK_LATEST
from runtime.messaging.redis_values import OverrideNote, encode_tick
from tests.feed_sources import feed_sources
from tests.jobs.feed.ticks import tick


def told(client: redis.Redis) -> list[Breaker]:
    entries: Any = client.xrange(BUS_PUBLIC)
    assert all(fields[b"type"] == b"status" for _, fields in entries)
    return [Breaker.from_dict(msgspec.json.decode(fields[b"data"])) for _, fields in entries]


def show_tick(client: redis.Redis, clock: ManualClock, age_ms: int = 0) -> None:
    client.set(TICK_LATEST, encode_tick(tick(clock.now_ms() - age_ms)))


def pass_seconds(client: redis.Redis, clock: ManualClock, seconds: int, *, ticks: bool) -> list[State]:
    """Check each second, with a fresh tick each time or without; return the states."""
    states = []
    for _ in range(seconds):
        clock.advance(1_000)
        if ticks:
            show_tick(client, clock)
        states.append(check(client, clock).state)
    return states


def test_without_any_tick_it_is_critical_and_tells_nobody(redis_client: redis.Redis, clock: ManualClock) -> None:
    assert check(redis_client, clock).state is State.CRITICAL
    assert told(redis_client) == []


def test_the_first_fresh_tick_makes_it_healthy_at_once(redis_client: redis.Redis, clock: ManualClock) -> None:
    check(redis_client, clock)
    show_tick(redis_client, clock, age_ms=500)
    healthy = check(redis_client, clock)
    assert healthy.state is State.HEALTHY
    assert told(redis_client) == [healthy]
    stored: Any = redis_client.get(BREAKER)
    assert Breaker.from_dict(msgspec.json.decode(stored)) == healthy


def test_one_source_of_several_degrades_although_the_tick_is_young(
    redis_client: redis.Redis, clock: ManualClock
) -> None:
    show_tick(redis_client, clock)
    assert check(redis_client, clock).state is State.HEALTHY
    redis_client.set(FEED_SOURCES, feed_sources(clock.now_ms(), kraken=True, binance=False).encode())
    assert check(redis_client, clock).state is State.DEGRADED
    redis_client.set(FEED_SOURCES, feed_sources(clock.now_ms(), kraken=True, binance=True).encode())
    assert check(redis_client, clock).state is State.HEALTHY
    redis_client.set(FEED_SOURCES, feed_sources(clock.now_ms(), replay=False).encode())
    assert check(redis_client, clock).state is State.HEALTHY


def test_silence_degrades_trips_and_heals_after_half_a_minute(redis_client: redis.Redis, clock: ManualClock) -> None:
    show_tick(redis_client, clock)
    check(redis_client, clock)
    healthy, degraded, critical = State.HEALTHY, State.DEGRADED, State.CRITICAL
    silent = pass_seconds(redis_client, clock, 12, ticks=False)
    assert silent == [healthy] * 3 + [degraded] * 7 + [critical] * 2
    back = pass_seconds(redis_client, clock, 32, ticks=True)
    assert back == [critical] * 30 + [healthy] * 2
    assert [each.state for each in told(redis_client)] == [healthy, degraded, critical, healthy]


def test_a_new_process_finds_a_critical_breaker_critical(redis_client: redis.Redis, clock: ManualClock) -> None:
    show_tick(redis_client, clock)
    check(redis_client, clock)
    clock.advance(11_000)
    assert check(redis_client, clock).state is State.CRITICAL
    show_tick(redis_client, clock)
    assert check(redis_client, clock).state is State.CRITICAL


def test_ticks_from_the_future_are_as_stale_as_old_ones(redis_client: redis.Redis, clock: ManualClock) -> None:
    show_tick(redis_client, clock)
    check(redis_client, clock)
    clock.advance(-20_000)
    assert check(redis_client, clock).state is State.CRITICAL


def test_an_override_is_told_logged_kept_through_checks_and_taken_back(
    redis_client: redis.Redis, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    show_tick(redis_client, clock)
    check(redis_client, clock)
    set_ms = clock.now_ms()
    job._log_override.cache_clear()
    set_override(redis_client, Override.OPEN, "ann", "exchange halted", clock)
    with caplog.at_level(logging.WARNING):
        pass_seconds(redis_client, clock, 3, ticks=True)
    logged = [record.getMessage() for record in caplog.records if "override" in record.getMessage()]
    assert logged == [f"breaker override open by ann at {set_ms}: exchange halted"]
    breaker, note = read_breaker(redis_client)
    assert (breaker.state, breaker.override) == (State.HEALTHY, Override.OPEN)
    assert note == OverrideNote("ann", "exchange halted", set_ms)
    set_override(redis_client, Override.AUTO, "ann", "back to normal", clock)
    assert [each.override for each in told(redis_client)] == [Override.AUTO, Override.OPEN, Override.AUTO]


def test_an_override_ends_by_itself_and_everybody_is_told(
    redis_client: redis.Redis, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    show_tick(redis_client, clock)
    check(redis_client, clock)
    until_ms = clock.now_ms() + 3_000
    set_override(redis_client, Override.OPEN, "ann", "drill", clock, for_ms=3_000)
    with caplog.at_level(logging.WARNING):
        pass_seconds(redis_client, clock, 4, ticks=True)
    overrides = [(each.override, each.override_until_ms) for each in told(redis_client)]
    assert overrides == [(Override.AUTO, None), (Override.OPEN, until_ms), (Override.AUTO, None)]
    assert read_breaker(redis_client)[1] is None
    assert [record.getMessage() for record in caplog.records][-1] == "breaker override open has ended"


def test_an_override_is_queued_for_the_database_before_it_counts(
    redis_client: redis.Redis, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> None:
        raise redis.ConnectionError("away")

    monkeypatch.setattr(stored, "send_commands", away)
    with pytest.raises(redis.ConnectionError):
        set_override(redis_client, Override.CLOSED, "ann", "drill", clock)
    assert read_breaker(redis_client) == (Breaker(), None)


def test_who_and_why_are_not_told_to_players(redis_client: redis.Redis, clock: ManualClock) -> None:
    set_override(redis_client, Override.OPEN, "ann", "exchange halted", clock)
    entries: Any = redis_client.xrange(BUS_PUBLIC)
    assert entries
    assert all(b"ann" not in fields[b"data"] for _, fields in entries)


def test_an_override_between_a_check_s_reading_and_writing_is_not_lost(
    redis_client: redis.Redis, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    show_tick(redis_client, clock)
    overrides = [Override.OPEN]

    def decide_while_the_operator_acts(
        breaker: Breaker, age_ms: int | None, now_ms: int, *, too_few_sources: bool
    ) -> Breaker:
        if overrides:
            set_override(redis_client, overrides.pop(), "ann", "now", clock)
        return decide(breaker, age_ms, now_ms, too_few_sources=too_few_sources)

    monkeypatch.setattr(job, "decide", decide_while_the_operator_acts)
    after = check(redis_client, clock)
    assert (after.state, after.override) == (State.HEALTHY, Override.OPEN)
    assert read_breaker(redis_client)[0] == after


def test_the_job_runs_with_settings_from_the_environment(
    redis_client: redis.Redis, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TAPTRADE_REDIS_URL", redis_url)
    job._client.cache_clear()
    # What an RQ job returns is written as JSON.
    assert msgspec.json.encode(check_breaker()) == b'"CRITICAL"'
    job._client().close()
    job._client.cache_clear()
