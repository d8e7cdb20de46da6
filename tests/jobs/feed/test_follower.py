"""Feeds of two machines: one makes the ticks, the other stores what it hears and goes on when that one is lost."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from jobs.feed.follower import Follower
from runtime.clock import ManualClock, SystemClock
from runtime.game.ticks import Tick
from runtime.messaging.bus import publish_public
from runtime.messaging.connection import SOCKET_TIMEOUT_S, connect
from runtime.messaging.redis_keys import MACHINE_AT_WORK, TICK_LATEST
from runtime.messaging.redis_values import decode_tick, encode_tick
from runtime.messaging.seat import SEAT_MS, Seat
from runtime.settings import Settings, load
from runtime.storage import ticks_store
from runtime.storage.database import Database, open_reader, open_writer
from taptrade.embedded_redis import prepare
from tests.conftest import start_redis
from tests.jobs.writer_desk import tick_at
from tests.serving import serving
from tests.waiting import wait_until

ELSEWHERE = {"TAPTRADE_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/house"}
"""Machines share a ledger; a feed does not ask it anything."""
HANGS_MS_MIN = 1000 * SOCKET_TIMEOUT_S


@contextmanager
def store(path: Path) -> Iterator[Database]:
    ticks_store.prepare(path, SystemClock())
    with closing(open_writer(path)) as database:
        yield database


def test_what_is_heard_is_stored_once_and_in_order(redis_client: Any, tmp_path: Path) -> None:
    now_ms = SystemClock().now_ms()
    ticks = [tick_at(now_ms + 100 * number, 6_000_000 + number) for number in range(3)]
    for tick in (*ticks[:2], ticks[0], *ticks[1:]):
        publish_public(redis_client, "price", encode_tick(tick), now_ms)
        publish_public(redis_client, "grid", b"{}", now_ms)
    with store(tmp_path / "ticks.db") as database:
        assert not Follower(redis_client, database).follow(1)
        assert ticks_store.between(database, 0, now_ms + 1000, 9) == ticks
        assert not Follower(redis_client, database).follow(1)
        assert ticks_store.between(database, 0, now_ms + 1000, 9) == ticks


def test_one_machine_has_the_seat(redis_client: Any, tmp_path: Path) -> None:
    first, second = (Seat(redis_client, load({"TAPTRADE_DATA": str(tmp_path / name)})) for name in "ab")
    assert first.take()
    assert first.take()
    assert not second.take()
    assert first.is_ours()
    assert second.is_anothers()
    redis_client.delete(MACHINE_AT_WORK)
    assert not first.is_anothers()
    assert second.take()
    assert not first.take()


def test_the_seat_is_certain_until_another_could_have_it(redis_client: Any, tmp_path: Path, clock: ManualClock) -> None:
    first, second = (Seat(redis_client, load({"TAPTRADE_DATA": str(tmp_path / name)}), clock) for name in "ab")
    assert not first.is_certain()
    assert first.take()
    assert not second.take()
    clock.advance(SEAT_MS - 1)
    assert (first.is_certain(), second.is_certain()) == (True, False)
    clock.advance(1)
    assert not first.is_certain()
    assert first.take()
    assert first.is_certain()


def newest(redis_client: Any) -> Tick | None:
    said = redis_client.get(TICK_LATEST)
    return decode_tick(said) if said else None


@pytest.mark.integration
def test_the_other_machine_goes_on_from_the_ticks_of_a_lost_one(
    redis_url: str, redis_client: Any, tmp_path: Path
) -> None:
    made = {**ELSEWHERE, "TAPTRADE_FEED": "sim"}
    settings: Settings = load({"TAPTRADE_DATA": str(tmp_path / "b")})
    with serving("feed", tmp_path / "a", redis_url, **made) as first:
        wait_until(lambda: newest(redis_client), 20, what="a tick")
        with serving("feed", tmp_path / "b", redis_url, **made):
            log = tmp_path / "b" / "feed.log"
            wait_until(lambda: "stands by" in log.read_text(), 20, what="a feed that stands by")
            first.kill()
            first.wait()
            last = newest(redis_client)
            assert last is not None
            wait_until(lambda: newest(redis_client) not in (None, last), 20, what="a tick of the other machine")
            with closing(open_reader(settings.ticks_database)) as reader:
                assert last in ticks_store.between(reader, last.id, last.id + 1, 1)


@pytest.mark.integration
def test_a_redis_that_hangs_holds_up_no_tick(tmp_path: Path) -> None:
    url = prepare(tmp_path / "redis")
    server = start_redis(tmp_path / "redis")
    settings = load({"TAPTRADE_DATA": str(tmp_path / "a")})

    def stored() -> list[int]:
        with closing(open_reader(settings.ticks_database)) as reader:
            return [tick.id for tick in ticks_store.between(reader, stopped_ms, 2**53, 1_000)]

    with connect(url) as client, serving("feed", tmp_path / "a", url, **ELSEWHERE, TAPTRADE_FEED="sim"):
        try:
            wait_until(lambda: newest(client), 20, what="a tick")
            server.send_signal(signal.SIGSTOP)
            stopped_ms = SystemClock().now_ms()
            wait_until(lambda: len(stored()) >= 20, 30, what="ticks that are stored meanwhile")
            ids = stored()
            server.send_signal(signal.SIGCONT)
            wait_until(lambda: (told := newest(client)) and told.id > ids[-1], 20, what="the price is told again")
        finally:
            server.kill()
            server.wait()
    # Whoever asks a Redis that hangs waits for some seconds.
    assert max(after - before for before, after in pairwise(ids)) < HANGS_MS_MIN
