"""An hour of a recording, replayed twice from nothing: ticks, evidence, results and hash chain are the same bytes.

Everything is the run's own code: source, intervals, feed, store of ticks, settler and writer. The test moves the clock
and taps, and draws ids from a seed, since those are all that chance has a part in.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from threading import Event

import pytest

from jobs.feed.buckets import INTERVAL_MS
from jobs.feed.feed import Feed
from jobs.feed.opening import begin, recording_of
from runtime.clock import ManualClock
from runtime.game.grid import Cell, column_of, shown_rows
from runtime.game.rewards import BrownianTouch
from runtime.game.ticks import Tick
from runtime.messaging import queues, redis_keys
from runtime.messaging.redis_values import encode_tick
from runtime.settings import Settings
from runtime.storage.database import Database
from tests.jobs.court import Court
from tests.jobs.writer_desk import RULES, Desk

START_MS = 1_790_000_000_000
HOUR_MS = 3_600_000
AT_ONCE_MS = 5_000
MODEL = BrownianTouch(RULES, 500)


@dataclass
class Replayed:
    """What a replay left behind, row by row as text."""

    ticks: list[str]
    columns: list[str]
    bets: list[str]
    commits: list[str]


class Shown:
    """Take the feed's ticks in the publisher's place."""

    def __init__(self) -> None:
        self.newest: Tick | None = None

    def offer(self, tick: Tick) -> None:
        """Keep the newest."""
        self.newest = tick


def rows(database: Database, table: str) -> list[str]:
    """Return a table's rows as text, in order."""
    return [repr(row) for row in database.iterate(f"SELECT * FROM {table} ORDER BY 1")]


@contextmanager
def seeded(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Draw ids from a seed."""
    random = Random(7)
    with monkeypatch.context() as patched:
        patched.setattr(queues, "_random_bits", lambda: random.getrandbits(80))
        yield


def replay(folder: Path, settings: Settings, redis_url: str) -> Replayed:
    """Replay an hour into fresh databases, with a player who taps once a second or so and a settler each second."""
    clock = ManualClock(START_MS)
    settings = replace(settings, data=folder, feed=("replay",), replay_file="", replay_offset_s=1_800)
    desk = Desk(folder / "taptrade.db", redis_url, clock, random_bytes=Random(7).randbytes)
    court = Court(desk, folder, clock)
    shown = Shown()
    source, buckets, volatility = begin(settings, recording_of(settings), court.ticks, clock, Event())
    feed = Feed(source, buckets, volatility, court.ticks, shown.offer)
    random = Random(11)
    player = desk.player(cents=10**9)
    while clock.now_ms() < START_MS + HOUR_MS:
        with court.ticks.transaction():
            play_on(feed, clock)
        tap(desk, shown.newest, player, random)
        court.settler.run()
        desk.work()
    court.at(START_MS + HOUR_MS + 150_000)
    court.settler.run()
    desk.work()
    left = Replayed(rows(court.ticks, "ticks"), *(rows(desk.database, each) for each in ("columns", "bets", "commits")))
    court.close()
    desk.client.flushall()
    desk.close()
    return left


def play_on(feed: Feed, clock: ManualClock) -> None:
    """Let the feed work for a while, interval by interval."""
    for _ in range(AT_ONCE_MS // INTERVAL_MS):
        clock.advance(INTERVAL_MS)
        feed.run_once(clock.now_ms())


def tap(desk: Desk, tick: Tick | None, user_id: str, random: Random) -> None:
    """Tap some cells that are offered on the newest tick."""
    if tick is None:
        return
    now_ms = desk.clock.now_ms()
    desk.client.set(redis_keys.TICK_LATEST, encode_tick(tick))
    start_s = column_of(now_ms, RULES) + random.randint(2, 12) * RULES.column_seconds
    for low in random.sample(shown_rows(tick.close, RULES), 3):
        cell = Cell(start_s, low, low + RULES.row_step_cents)
        if MODEL.rate_bp(cell, tick, now_ms) is not None:
            desk.queue(desk.bet(user_id, cell_id=cell.id, decided_by_ms=now_ms + 10_000), name=queues.BETS)


def test_an_hour_that_is_replayed_twice_is_the_same_byte_for_byte(
    tmp_path: Path, settings: Settings, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = []
    for name in ("one", "two"):
        with seeded(monkeypatch):
            desk_folder = tmp_path / name
            desk_folder.mkdir()
            found.append(replay(desk_folder, settings, redis_url))
    one, two = found
    assert one == two
    assert len(one.ticks) > 3_000
    assert len(one.columns) > 300
    results = [sum(f"'{status}'" in bet for bet in one.bets) for status in ("won", "lost", "confirmed")]
    assert min(results[:2]) > 100
    assert results[2] == 0
