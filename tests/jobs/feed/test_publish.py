"""What the feed tells Redis, on time and through an outage."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import redis

from jobs.feed.publish import Publisher
from jobs.feed.touched import Touches
from runtime.clock import ManualClock, SystemClock
from runtime.game.buckets import Bucket
from runtime.game.grid import GridRules
from runtime.game.ticks import Tick
from runtime.messaging.connection import connect
from runtime.messaging.redis_keys import (
    BUCKETS_CLOSED,
    BUS_PUBLIC,
    FEED_ALIVE,
    FEED_SOURCES,
    GRID_LATEST,
    TICK_LATEST,
)
from runtime.messaging.redis_values import FeedSources, decode_tick, encode_buckets
from taptrade.embedded_redis import prepare
from tests.backgrounds import threads
from tests.conftest import start_redis
from tests.feed_sources import feed_sources
from tests.jobs.feed.ticks import tick
from tests.waiting import wait_until

RULES = GridRules(column_seconds=5, horizon_columns=12, row_step_cents=500, rows=20)
START = 1_790_000_000_000


def grid_of(newest: Tick, now_ms: int, closed: frozenset[Bucket]) -> bytes:
    return msgspec.json.encode({"grid_version": newest.id, "server_time_ms": now_ms, "closed": sorted(closed)})


def publisher(client: redis.Redis, clock: ManualClock | SystemClock) -> Publisher:
    return Publisher(client, clock, grid_of, Touches(RULES))


def told(client: redis.Redis) -> list[tuple[str, Any]]:
    entries: Any = client.xrange(BUS_PUBLIC)
    return [(fields[b"type"].decode(), msgspec.json.decode(fields[b"data"])) for _, fields in entries]


def latest(client: redis.Redis) -> Tick | None:
    stored: Any = client.get(TICK_LATEST)
    return decode_tick(stored) if stored else None


def test_every_tick_is_told_and_the_newest_is_kept(redis_client: redis.Redis, clock: ManualClock) -> None:
    publishing = publisher(redis_client, clock)
    ticks = [tick(START + 10, 10_100), tick(START + 110, 10_200), tick(START + 210, 10_700)]
    for each in ticks:
        publishing.offer(each)
    publishing.run_once()
    events = told(redis_client)
    assert [data["id"] for kind, data in events if kind == "price"] == [each.id for each in ticks]
    assert [data["high_cents"] for kind, data in events if kind == "touched"] == [10_100, 10_700]
    assert latest(redis_client) == ticks[-1]


def test_the_grid_is_told_four_times_a_second_with_new_ticks_or_without(
    redis_client: redis.Redis, clock: ManualClock
) -> None:
    publishing = publisher(redis_client, clock)
    publishing.run_once()
    assert told(redis_client) == []
    publishing.offer(tick(START - 10))
    for _ in range(40):
        publishing.run_once()
        clock.advance(25)
    grids = [data for kind, data in told(redis_client) if kind == "grid"]
    assert [grid["server_time_ms"] - START for grid in grids] == [0, 250, 500, 750]
    assert {grid["grid_version"] for grid in grids} == {START - 10}
    newest: Any = redis_client.get(GRID_LATEST)
    assert msgspec.json.decode(newest) == grids[-1]
    assert redis_client.get(FEED_ALIVE) == str(START + 750).encode()
    assert 0 < redis_client.ttl(FEED_ALIVE) <= 5


def test_without_any_price_the_feed_says_that_it_lives_and_how_its_sources_do(
    redis_client: redis.Redis, clock: ManualClock
) -> None:
    publishing = publisher(redis_client, clock)
    report = feed_sources(START, kraken=False, binance=False)
    publishing.tell(report)
    publishing.run_once()
    stored: Any = redis_client.get(FEED_SOURCES)
    assert FeedSources.decode(stored) == report
    assert redis_client.get(FEED_ALIVE) == str(START).encode()
    assert 0 < redis_client.ttl(FEED_SOURCES) <= 5
    assert told(redis_client) == []
    # The first price waits for nothing.
    clock.advance(10)
    publishing.offer(tick(START))
    publishing.run_once()
    assert "grid" in [kind for kind, _ in told(redis_client)]


def test_the_grid_s_time_is_never_before_its_tick(redis_client: redis.Redis, clock: ManualClock) -> None:
    publishing = publisher(redis_client, clock)
    publishing.offer(tick(START + 40))
    publishing.run_once()
    assert ("grid", {"grid_version": START + 40, "server_time_ms": START + 40, "closed": []}) in told(redis_client)


def test_an_emptied_redis_knows_the_price_with_the_next_grid(redis_client: redis.Redis, clock: ManualClock) -> None:
    publishing = publisher(redis_client, clock)
    publishing.offer(tick(START))
    publishing.run_once()
    redis_client.flushall()
    clock.advance(250)
    publishing.run_once()
    assert latest(redis_client) == tick(START)


def test_after_an_outage_only_the_newest_tick_is_told_and_the_column_s_range(
    tmp_path: Path, clock: ManualClock
) -> None:
    client = connect(prepare(tmp_path))
    publishing = publisher(client, clock)
    for number in range(5):
        publishing.offer(tick(START + number * 100, 10_000 + number * 300))
        publishing.run_once()
    server = start_redis(tmp_path)
    try:
        publishing.run_once()
        events = told(client)
        assert [data["id"] for kind, data in events if kind == "price"] == [START + 400]
        assert [(data["low_cents"], data["high_cents"]) for kind, data in events if kind == "touched"] == [
            (10_000, 11_200)
        ]
        assert latest(client) == tick(START + 400, 11_200)
    finally:
        client.close()
        server.terminate()
        server.wait(10)


def test_while_another_may_be_at_work_nothing_is_told_and_then_the_newest(
    redis_client: redis.Redis, clock: ManualClock
) -> None:
    certain = [False, False, True]
    publishing = Publisher(redis_client, clock, grid_of, Touches(RULES), lambda: certain.pop(0))
    for number in range(2):
        publishing.offer(tick(START + number * 100))
        publishing.run_once()
    assert told(redis_client) == []
    publishing.run_once()
    assert [data["id"] for kind, data in told(redis_client) if kind == "price"] == [START + 100]


def test_the_thread_publishes_by_itself_and_ends(redis_client: redis.Redis) -> None:
    publishing = publisher(redis_client, SystemClock())
    with threads() as background:
        publishing.start(background)
        publishing.offer(tick(START))
        wait_until(lambda: latest(redis_client) == tick(START))
        wait_until(lambda: sum(kind == "grid" for kind, _ in told(redis_client)) >= 3)
        publishing.offer(tick(START + 100))
        publishing.stop()
    assert latest(redis_client) == tick(START + 100)


def test_the_thread_survives_a_grid_that_cannot_be_built(redis_client: redis.Redis) -> None:
    failures = [ValueError("first"), ValueError("second")]

    def broken_twice(newest: Tick, now_ms: int, closed: frozenset[Bucket]) -> bytes:
        if failures:
            raise failures.pop()
        return grid_of(newest, now_ms, closed)

    publishing = Publisher(redis_client, SystemClock(), broken_twice, Touches(RULES))
    with threads() as background:
        publishing.start(background)
        publishing.offer(tick(START))
        wait_until(lambda: redis_client.get(GRID_LATEST))
        publishing.stop()
    assert not failures
    assert latest(redis_client) == tick(START)


def test_the_grid_is_built_without_what_the_writer_says_is_closed(
    redis_client: redis.Redis, clock: ManualClock
) -> None:
    publishing = publisher(redis_client, clock)
    publishing.offer(tick(START))
    publishing.run_once()
    bucket = Bucket("model", "1", 500_000, 7)
    redis_client.set(BUCKETS_CLOSED, encode_buckets([bucket]))
    clock.advance(250)
    publishing.run_once()
    assert [data["closed"] for kind, data in told(redis_client) if kind == "grid"] == [[], [list(bucket)]]
