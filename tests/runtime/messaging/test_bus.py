"""Following the bus: order, trimming, outages, and a Redis that comes back empty."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis

from runtime.clock import ManualClock, SystemClock
from runtime.errors import Unavailable
from runtime.messaging import bus
from runtime.messaging.bus import (
    BusReader,
    Listener,
    PublicEvent,
    PublishedCommit,
    order,
    public_between,
    publish_commit,
)
from runtime.messaging.bus import publish_public as publish
from runtime.messaging.connection import connect
from runtime.messaging.redis_keys import BUS_COMMITS, BUS_COMMITS_KEEP, BUS_PUBLIC, BUS_PUBLIC_KEEP_MS
from taptrade.embedded_redis import prepare
from tests.backgrounds import threads
from tests.conftest import start_redis
from tests.waiting import wait_until


class Notebook:
    """Write down what was heard."""

    def __init__(self, trip: Callable[[bytes], bool] = lambda _: False) -> None:
        self.synchronized: list[str] = []
        self.public: list[tuple[str, bytes]] = []
        self.news: list[tuple[int, bytes]] = []
        self.readings: list[int] = []
        self._trip = trip

    def synchronize(self, client: redis.Redis, public_id: str) -> None:
        client.ping()
        self.synchronized.append(public_id)

    def receive(self, events: Sequence[PublicEvent], commits: Sequence[PublishedCommit]) -> None:
        for event in events:
            if self._trip(event.data):
                raise ValueError("no such event")
            self.public.append((event.type, event.data))
        self.news.extend((item.commit, item.events) for item in commits)
        self.readings.append(len(events) + len(commits))


@contextmanager
def following(url: str, *listeners: Listener) -> Iterator[BusReader]:
    client = connect(url, block_s=1)
    reader = BusReader(client, SystemClock(), listeners, block_ms=50)
    with threads() as background:
        reader.start(background)
        try:
            yield reader
        finally:
            reader.stop()
    client.close()


def test_brings_both_streams_in_order_from_now_on(redis_url: str, redis_client: redis.Redis) -> None:
    publish(redis_client, "price", b"old", SystemClock().now_ms())
    notebook = Notebook()
    with following(redis_url, notebook):
        wait_until(lambda: notebook.synchronized)
        for turn in range(5):
            pipe = redis_client.pipeline()
            publish(pipe, "price", b"p%d" % turn, SystemClock().now_ms())
            publish(pipe, "grid", b"g%d" % turn, SystemClock().now_ms())
            publish_commit(pipe, turn + 1, b"[]")
            pipe.execute()
        wait_until(lambda: len(notebook.news) == 5)
    assert notebook.public == [
        (kind, b"%s%d" % (kind[:1].encode(), turn)) for turn in range(5) for kind in ("price", "grid")
    ]
    assert notebook.news == [(turn + 1, b"[]") for turn in range(5)]


def test_what_comes_soon_after_a_reading_is_read_together(
    redis_url: str, redis_client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bus, "GATHER_S", 1.0)
    notebook = Notebook()
    with following(redis_url, notebook):
        wait_until(lambda: notebook.synchronized)
        for commit in range(1, 5):
            publish_commit(redis_client, commit, b"[]")
            wait_until(lambda: notebook.news)
        wait_until(lambda: len(notebook.news) == 4)
    assert notebook.readings == [1, 3]


def test_public_entries_are_kept_ten_minutes_and_commits_by_number(redis_client: redis.Redis) -> None:
    now_ms = SystemClock().now_ms()
    for turn in range(1_000):
        redis_client.xadd(
            BUS_PUBLIC, {"type": "price", "data": b"x"}, id=f"{now_ms - BUS_PUBLIC_KEEP_MS - 2_000 + turn}-0"
        )
    publish(redis_client, "price", b"new", now_ms)
    assert redis_client.xlen(BUS_PUBLIC) <= 101  # whole nodes of 100 entries go
    for commit in range(BUS_COMMITS_KEEP + 300):
        publish_commit(redis_client, commit, b"[]")
    assert BUS_COMMITS_KEEP <= redis_client.xlen(BUS_COMMITS) < BUS_COMMITS_KEEP + 100


def test_a_page_boundary_loses_nothing(redis_client: redis.Redis) -> None:
    for turn in range(1_003):
        redis_client.xadd(BUS_PUBLIC, {"type": "price", "data": b"%d" % turn}, id=f"{5 + turn // 10}-{1 + turn % 10}")
    heard = [int(event.data) for event in public_between(redis_client, "5-2", "105-2")]
    assert heard == list(range(2, 1_002))


def test_a_client_that_would_cut_off_its_own_blocking_commands_is_refused(redis_url: str) -> None:
    with pytest.raises(ValueError, match="would cut off"):
        BusReader(connect(redis_url), SystemClock(), [])
    BusReader(connect(redis_url, block_s=5), SystemClock(), [])


def test_a_listener_that_fails_hinders_neither_the_others_nor_the_next_event(
    redis_url: str, redis_client: redis.Redis, caplog: pytest.LogCaptureFixture
) -> None:
    broken, sound = Notebook(trip=lambda data: data == b"bad"), Notebook()
    with following(redis_url, broken, sound):
        wait_until(lambda: sound.synchronized)
        publish(redis_client, "status", b"bad", SystemClock().now_ms())
        wait_until(lambda: sound.public)
        publish(redis_client, "status", b"good", SystemClock().now_ms())
        wait_until(lambda: len(sound.public) == 2)
        wait_until(lambda: len(broken.synchronized) == 2)
    assert broken.public == [("status", b"good")]
    assert caplog.text.count("the background work bus ended, it starts again in 0.1 s: ValueError: no such event") == 1


def test_a_cut_connection_loses_no_entry(redis_url: str, redis_client: redis.Redis) -> None:
    notebook = Notebook()
    with following(redis_url, notebook):
        wait_until(lambda: notebook.synchronized)
        publish(redis_client, "price", b"1", SystemClock().now_ms())
        wait_until(lambda: notebook.public)
        redis_client.client_kill_filter(_type="normal", skipme=True)
        publish(redis_client, "price", b"2", SystemClock().now_ms())
        publish_commit(redis_client, 9, b"[]")
        wait_until(lambda: notebook.news)
    assert [data for _, data in notebook.public] == [b"1", b"2"]


def test_a_redis_that_was_emptied_and_counts_from_below_is_read_from_its_start(
    redis_url: str, redis_client: redis.Redis
) -> None:
    notebook, clock = Notebook(), ManualClock(0)
    redis_client.xadd(BUS_PUBLIC, {"type": "price", "data": b"before"}, id="9000-0")
    reader = BusReader(connect(redis_url), clock, [notebook], block_ms=20)
    thread = threading.Thread(target=reader.run, daemon=True)
    thread.start()
    wait_until(lambda: notebook.synchronized)
    redis_client.flushall()
    redis_client.xadd(BUS_PUBLIC, {"type": "price", "data": b"after"}, id="100-0")
    clock.advance(5_000)
    wait_until(lambda: notebook.public)
    reader.stop()
    thread.join(10)
    assert notebook.synchronized[:2] == ["9000-0", "0-0"]
    assert notebook.public == [("price", b"after")]


def test_a_reader_waits_for_a_redis_that_is_not_there_yet(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"redis://127.0.0.1:{free.getsockname()[1]}"
    notebook = Notebook()
    with following(url, notebook):
        wait_until(lambda: "lost the bus" in caplog.text)
    assert caplog.text.count("lost the bus") == 1
    assert not notebook.synchronized


@pytest.mark.parametrize(("low", "high"), [("9-0", "10-0"), ("5-9", "5-10"), ("0-0", "0-1")])
def test_ids_compare_by_number_not_by_letter(low: str, high: str) -> None:
    assert order(low) < order(high)


def test_a_redis_that_was_killed_and_started_again_is_followed_on(tmp_path: Path) -> None:
    url = prepare(tmp_path)
    server = start_redis(tmp_path)
    notebook = Notebook()
    try:
        with following(url, notebook), redis.Redis.from_url(url) as client:
            wait_until(lambda: notebook.synchronized)
            publish(client, "status", b"before", SystemClock().now_ms())
            wait_until(lambda: notebook.public)
            server.kill()
            server.wait(10)
            server = start_redis(tmp_path)
            publish(client, "status", b"after", SystemClock().now_ms())
            publish_commit(client, 1, b"[]")
            wait_until(lambda: notebook.news)
    finally:
        server.terminate()
        server.wait(10)
    assert notebook.public[-1] == ("status", b"after")
    assert len(notebook.synchronized) >= 2


def test_a_database_that_is_not_there_yet_is_waited_for(
    redis_url: str, redis_client: redis.Redis, caplog: pytest.LogCaptureFixture
) -> None:
    class Waiting(Notebook):
        def synchronize(self, client: redis.Redis, public_id: str) -> None:
            if len(self.synchronized) < 3:
                self.synchronized.append(public_id)
                raise Unavailable("The database could not be read in time.")
            super().synchronize(client, public_id)

    notebook = Waiting()
    with following(redis_url, notebook):
        wait_until(lambda: len(notebook.synchronized) == 4)
        publish(redis_client, "status", b"{}", SystemClock().now_ms())
        wait_until(lambda: notebook.public)
    assert caplog.text.count("trying again") == 1
    assert "Traceback" not in caplog.text
