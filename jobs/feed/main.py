"""The feed process: the sources of prices, one writer of ticks.db, until SIGTERM."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from contextlib import suppress

from jobs.feed.feed import Feed, until_interval_ends_ms
from jobs.feed.follower import await_seat
from jobs.feed.opening import HISTORY_MS, Successor, begin, recording_of
from jobs.feed.publish import EncodedGrid, Publisher
from jobs.feed.recording import Recording
from jobs.feed.touched import Touches
from runtime.background import Background
from runtime.clock import Clock, SystemClock
from runtime.errors import TaptradeError
from runtime.game.buckets import Bucket
from runtime.game.grid import GridRules
from runtime.game.ticks import Tick
from runtime.log import configure
from runtime.machine import machine_of
from runtime.market.grid import build_grid, encode_grid
from runtime.market.models import open_model, rules_of
from runtime.messaging.connection import OUTAGES, connect
from runtime.messaging.metrics_exchange import StandingBy, start_pushing
from runtime.messaging.seat import Seat
from runtime.metrics.table import Metrics
from runtime.process_lock import sole
from runtime.settings import Settings, SettingsError, load
from runtime.stopping import Stop, stop_on_signals
from runtime.storage import ticks_store
from runtime.storage.checkpoints import Checkpointer
from runtime.storage.database import Database, open_writer
from runtime.systemd import systemd

logger = logging.getLogger(__name__)

STOP_S_MAX = 5.0
KEEP_EVERY_S = 0.5


def main(stand_by: Callable[[], object] | None = None) -> int:
    """Run the feed with settings from the environment until SIGTERM or SIGINT.

    With `stand_by` it begins as soon as the one that is at work has ended.
    """
    stopping = Stop()
    stop_on_signals(stopping)
    settings = load()
    configure("feed", settings.log_level)
    try:
        run(settings, SystemClock(), stopping, stand_by)
    except (SettingsError, TaptradeError) as ex:
        logger.error("feed cannot run: %s", ex)  # noqa: TRY400  # its sentence is all there is to say
        return 2 if isinstance(ex, SettingsError) else 1
    return 0


class SeatLost(TaptradeError):
    """Another machine's feed makes the ticks by now."""


class Waiting:
    """Be ready by the time that the feed at work ends: bets are refused without a price of the last second."""

    def __init__(
        self,
        settings: Settings,
        recording: Recording | None,
        clock: Clock,
        background: Background,
        stand_by: Callable[[], object],
    ) -> None:
        self.successor: Successor | None = None
        self._begin: Callable[[], Successor] = lambda: Successor(settings, recording, clock, background.stopping)
        self._background = background
        self._stand_by = stand_by

    def __call__(self) -> None:
        """Wait a moment."""
        if self._background.stopping.is_set():
            raise SystemExit(0)
        if self.successor is None:
            self.successor = self._begin()
            self.successor.venues.start(self._background)
        self.successor.follow()
        self._stand_by()


def run(settings: Settings, clock: Clock, stopping: Stop, stand_by: Callable[[], object] | None = None) -> None:
    """Feed until `stopping` is set; Redis may come and go meanwhile."""
    recording = recording_of(settings)
    metrics = Metrics("feed")
    background = Background(stopping, clock, metrics)
    waiting = Waiting(settings, recording, clock, background, stand_by) if stand_by else None
    with sole("feed", settings.data / "run" / "feed.lock", waiting):
        ticks_store.prepare(settings.ticks_database, clock)
        database = open_writer(settings.ticks_database, checkpoint_pages=0)
        checkpoints = Checkpointer(
            database, settings.ticks_database, metrics, clock, is_shipped=bool(settings.replica_url)
        )
        seat = None
        if settings.database_url:
            client = connect(settings.redis_url, block_s=1)
            seat = Seat(client, settings, clock)
            standing_by = StandingBy("feed", machine_of(settings), client, clock)
            if not await_seat(seat, client, database, stopping, standing_by):
                database.close()
                return
        successor = waiting.successor if waiting else None
        if successor is None:
            venues, buckets, volatility = begin(settings, recording, database, clock, stopping)
            venues.start(background)
        else:
            venues, buckets, volatility = successor.take_over(database)
        publisher = open_publisher(settings, clock, database, seat)
        publisher.start(background)
        checkpoints.start(background)
        try:
            start_pushing(connect(settings.redis_url), metrics, clock, OUTAGES, background, machine_of(settings))
            feed = Feed(venues, buckets, volatility, database, publisher.offer)
            lost = keep(seat, background) if seat else threading.Event()
            systemd.ready()
            while not stopping.wait(until_interval_ends_ms(clock.now_ms()) / 1000):
                if lost.is_set():
                    raise SeatLost("another machine is at work; begins anew, to stand by")
                feed.run_once(clock.now_ms())
                publisher.tell(venues.report(clock.now_ms()))
                systemd.alive()
        finally:
            systemd.stopping()
            stopping.set()
            venues.stop()
            publisher.stop()
            checkpoints.stop()
            background.join(STOP_S_MAX)
            database.close()
    logger.info("feed stopped")


def keep(seat: Seat, background: Background) -> threading.Event:
    """Keep this machine at work; the event comes once another is. A Redis that is away or hangs holds up no tick."""
    lost = threading.Event()

    def once() -> None:
        with suppress(*OUTAGES):
            if not seat.take():
                lost.set()

    background.repeat("seat", once, KEEP_EVERY_S)
    return lost


def open_publisher(settings: Settings, clock: Clock, database: Database, seat: Seat | None) -> Publisher:
    """Build the publisher; the running column's window is what is stored of it."""
    rules = rules_of(settings)
    touches = Touches(rules)
    now_ms = clock.now_ms()
    for tick in ticks_store.between(database, now_ms - 2 * rules.column_seconds * 1000, now_ms, limit=HISTORY_MS):
        touches.add(tick)
    client, grid = connect(settings.redis_url), grid_encoder(settings, rules)
    return Publisher(client, clock, grid, touches, seat.is_certain if seat else lambda: True)


def grid_encoder(settings: Settings, rules: GridRules) -> EncodedGrid:
    """Return the function that prices and encodes the grid."""
    model = open_model(settings)

    def encoded(tick: Tick, now_ms: int, closed: frozenset[Bucket]) -> bytes:
        grid = build_grid(
            tick,
            model,
            rules,
            now_ms,
            mode=settings.mode,
            presets_cents=settings.presets_cents,
            fill_delay_ms=settings.fill_delay_ms,
            closed=closed,
        )
        return encode_grid(grid)

    return encoded


if __name__ == "__main__":
    raise SystemExit(main())
