"""How the feed begins: where its source goes on from, and the history behind its first volatility.

The past is never written: ticks.db holds what was published, and settlement relies on it. So the prices that a
source plays before its start only warm the volatility, in memory; `history_ms` counts them.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from pathlib import Path

from jobs.feed.buckets import Buckets
from jobs.feed.live import open_live
from jobs.feed.quotes import Quote, StoredSource, warm
from jobs.feed.recording import SHIPPED, Recording, RecordingError, read_recording
from jobs.feed.replay import Replay, offset_after
from jobs.feed.sim import Sim
from jobs.feed.venues import Hear, Played, Venues
from runtime.background import Stopping
from runtime.clock import Clock
from runtime.game.rewards import HISTORY_MS_MIN
from runtime.game.ticks import Tick
from runtime.game.volatility import GAP_MS_MAX, Volatility
from runtime.setting_forms import MADE_FEEDS
from runtime.settings import Settings, SettingsError
from runtime.storage import ticks_store
from runtime.storage.database import Database, open_reader

logger = logging.getLogger(__name__)

HISTORY_MS = 1_800_000
HISTORY_TICKS = 18_000
"""Half an hour of ticks at ten a second."""


def recording_of(settings: Settings) -> Recording | None:
    """Read the whole recording that the settings replay, None where they name another source.

    Raise SettingsError that says what is wrong with it, and in which line.
    """
    if settings.feed != (Replay.name,):
        return None
    try:
        return read_recording(Path(settings.replay_file) if settings.replay_file else SHIPPED)
    except RecordingError as ex:
        raise SettingsError(f"TAPTRADE_REPLAY_FILE: {ex}") from ex


def open_source(
    settings: Settings, recording: Recording | None, latest: Tick | None, now_ms: int
) -> tuple[StoredSource, list[Quote]]:
    """Return the source that makes its own prices, ready to go on at `now_ms`, and the prices that it played before."""
    if recording is None:
        source: StoredSource = _sim(settings, latest, now_ms)
    else:
        source = _replay(settings, recording, latest, now_ms)
    return source, warm(source, now_ms, latest.close if latest else None)


def open_venues(settings: Settings, clock: Clock, stopping: Stopping, hear: Hear | None = None) -> Venues:
    """Return the exchanges that the settings name, as one source that is not started yet."""
    urls = {
        "binance": settings.feed_binance_url,
        "coinbase": settings.feed_coinbase_url,
        "kraken": settings.feed_kraken_url,
        "bitstamp": settings.feed_bitstamp_url,
    }
    elsewhere = {name: url for name, url in urls.items() if url}
    return Venues(open_live(settings.feed, elsewhere, clock, stopping), hear)


def begin(
    settings: Settings, recording: Recording | None, database: Database, clock: Clock, stopping: Stopping
) -> tuple[Venues, Buckets, Volatility]:
    """Return what a feed that goes on from the stored ticks needs: its source, its intervals and its volatility."""
    latest = ticks_store.latest(database)
    now_ms = clock.now_ms()
    if latest is not None and latest.id > now_ms:
        logger.warning("the clock is %d ms behind the newest tick: no ticks until it has caught up", latest.id - now_ms)
    last_id = latest.id if latest else 0
    if not settings.feed_is_live:
        source, history = open_source(settings, recording, latest, now_ms)
        return Venues([Played(source)]), Buckets(last_id), open_volatility(database, history, now_ms)
    venues = open_venues(settings, clock, stopping)
    if latest is None or _is_live(latest):
        return venues, Buckets(last_id), open_volatility(database, [], now_ms)
    # Prices that were made up join no real ones: the windows of the leap between them are not covered, so void.
    return venues, Buckets(last_id + GAP_MS_MAX), Volatility()


class Successor:
    """A feed that stands by: all that takes time is done, and goes on with the time, while another one is at work."""

    def __init__(self, settings: Settings, recording: Recording | None, clock: Clock, stopping: Stopping) -> None:
        self._settings, self._clock = settings, clock
        database = open_reader(settings.ticks_database)
        try:
            self.venues, _, self._volatility = begin(settings, recording, database, clock, stopping)
        finally:
            database.close()

    def follow(self) -> None:
        """Pass over the prices that the one at work stores."""
        self.venues.poll(self._clock.now_ms())

    def take_over(self, database: Database) -> tuple[Venues, Buckets, Volatility]:
        """Return what `begin` does, with what was stored since."""
        latest = ticks_store.latest(database)
        if latest is not None and self._settings.feed_is_live and not _is_live(latest):
            return self.venues, Buckets(latest.id + GAP_MS_MAX), Volatility()
        known_ms, now_ms = self._volatility.newest_ms, self._clock.now_ms()
        for tick in ticks_store.between(database, known_ms + 1, now_ms, HISTORY_TICKS):
            self._volatility.add(tick.id, tick.close)
        return self.venues, Buckets(latest.id if latest else 0), self._volatility


def open_volatility(database: Database, history: Sequence[Quote], now_ms: int) -> Volatility:
    """Return the volatility as of now: from the stored ticks if they reach back far enough without a gap.

    Else from the source's own history, so that rates are offered at once. An exchange has none: only what is stored.
    """
    ticks = ticks_store.between(database, now_ms - HISTORY_MS, now_ms, HISTORY_TICKS)
    stored = _volatility((tick.id, tick.close) for tick in ticks)
    joins = bool(ticks) and now_ms - ticks[-1].id <= GAP_MS_MAX
    if joins and (not history or stored.features().history_ms >= HISTORY_MS_MIN):
        return stored
    return _volatility(_closes(history))


def _is_live(tick: Tick) -> bool:
    return tick.sources not in MADE_FEEDS


def _replay(settings: Settings, recording: Recording, latest: Tick | None, now_ms: int) -> Replay:
    offset_ms = None
    if latest is not None and latest.sources == Replay.name:
        # The place that an uninterrupted replay would have reached by now.
        offset_ms = offset_after(recording, latest.exchange_ms, now_ms - latest.id)
    if offset_ms is None:
        offset_ms = settings.replay_offset_s * 1000
    path, second = settings.replay_file or SHIPPED, offset_ms % recording.round_ms // 1000
    logger.info("replaying %s, %d rows, from second %d on", path, len(recording.times_ms), second)
    return Replay(recording, offset_ms - HISTORY_MS, now_ms - HISTORY_MS)


def _sim(settings: Settings, latest: Tick | None, now_ms: int) -> Sim:
    # A restart must not walk the same path again, and the same restart must.
    seed = settings.sim_seed if latest is None else settings.sim_seed ^ latest.id
    return Sim(seed, now_ms - HISTORY_MS)


def _closes(history: Iterable[Quote]) -> Iterable[tuple[int, int]]:
    """Yield the closes of the intervals as they would have been published."""
    buckets = Buckets(0)
    for quote in history:
        bar = buckets.add(quote)
        if bar:
            yield bar.id, bar.close


def _volatility(closes: Iterable[tuple[int, int]]) -> Volatility:
    volatility = Volatility()
    for ms, cents in closes:
        volatility.add(ms, cents)
    return volatility
