"""All sources of a run as one: their prices in the order of arrival, what they agree on, and how each does."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from jobs.feed.consensus import FRESH_MS, Consensus
from jobs.feed.lag import Lag
from jobs.feed.live import LiveSource, SourceStatus
from jobs.feed.quotes import Quote, Source
from runtime.background import Background
from runtime.messaging.redis_values import FeedSources, SourceSeen

ERROR_SHOWN_MAX = 200
PPM = 1_000_000
Hear = Callable[[str, Quote], None]
"""hear(name, quote): told of every price of every source, before anything is left out."""


class Venues:
    """Several sources as one source of the feed."""

    def __init__(self, sources: Sequence[LiveSource], hear: Hear | None = None) -> None:
        self._sources = list(sources)
        self._hear = hear
        self._consensus = Consensus([source.name for source in sources])
        self._lags = {source.name: Lag() for source in sources}
        self._late: Counter[str] = Counter()
        self._polled_ms = 0

    @property
    def name(self) -> str:
        """The sources behind the newest price, comma-joined in the order of the alphabet."""
        return ",".join(sorted(self._consensus.behind))

    def start(self, background: Background) -> None:
        """Let every source listen."""
        for source in self._sources:
            source.start(background)

    def stop(self) -> None:
        """Let every source end."""
        for source in self._sources:
            source.stop()

    def poll(self, now_ms: int) -> list[Quote]:
        """Return what the sources agreed on since the last call, oldest first."""
        arrived = [(quote, source.name) for source in self._sources for quote in source.poll(now_ms)]
        arrived.sort(key=lambda one: one[0].arrived_ms)
        agreed = []
        for quote, name in arrived:
            if self._hear is not None:
                self._hear(name, quote)
            found = self._take(name, self._after_the_last_poll(quote, now_ms))
            if found is not None:
                agreed.append(found)
        self._polled_ms = now_ms
        return agreed

    def report(self, now_ms: int) -> FeedSources:
        """Tell how every source does."""
        fresh, counted = self._consensus.fresh(now_ms), self._consensus.counted(now_ms)
        return FeedSources(
            at_ms=now_ms,
            needed=self._consensus.needed,
            sources=tuple(
                self._seen(source.status(now_ms), fresh=source.name in fresh, counted=source.name in counted)
                for source in self._sources
            ),
        )

    def _take(self, name: str, quote: Quote) -> Quote | None:
        # Of one source alone nothing is left out: a replay begins anew, and its recorded time steps back with it.
        if len(self._sources) > 1 and self._lags[name].is_late(quote):
            self._late[name] += 1
            return None
        return self._consensus.take(name, quote)

    def _after_the_last_poll(self, quote: Quote, now_ms: int) -> Quote:
        """Return a price that was handed over while the last poll ran as one of now: intervals up to it are closed."""
        arrived_ms = max(quote.arrived_ms, min(self._polled_ms, now_ms))
        return Quote(arrived_ms, quote.exchange_ms, quote.cents)

    def _seen(self, status: SourceStatus, *, fresh: bool, counted: bool) -> SourceSeen:
        offset = self._consensus.offset(status.name)
        dropped = Counter(status.dropped) + self._consensus.dropped(status.name)
        dropped["late"] += self._late[status.name]
        return SourceSeen(
            name=status.name,
            state=status.state,
            fresh=fresh,
            counted=counted,
            last_price_ms=status.last_price_ms,
            last_price_cents=status.last_price_cents,
            prices=status.prices,
            dropped={reason: count for reason, count in sorted(dropped.items()) if count},
            reconnects=status.reconnects,
            offset_ppm=None if offset is None else round(offset * PPM),
            last_error=status.last_error[:ERROR_SHOWN_MAX],
        )


class Played:
    """A source that makes its own prices, as one of the live kind."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._newest: Quote | None = None
        self._prices = 0
        self.name = source.name

    def start(self, background: Background) -> None:
        """Begin: nothing runs beside the feed."""

    def stop(self) -> None:
        """End."""

    def poll(self, now_ms: int) -> list[Quote]:
        """Return the prices that are due."""
        quotes = self._source.poll(now_ms)
        self._prices += len(quotes)
        self._newest = quotes[-1] if quotes else self._newest
        return quotes

    def status(self, now_ms: int) -> SourceStatus:
        """Tell whether prices come."""
        newest = self._newest
        is_live = newest is not None and abs(now_ms - newest.arrived_ms) <= FRESH_MS
        return SourceStatus(
            name=self.name,
            state="live" if is_live else "silent",
            last_price_ms=newest.arrived_ms if newest else None,
            last_price_cents=newest.cents if newest else None,
            prices=self._prices,
            dropped={},
            reconnects=0,
            last_error="",
        )
