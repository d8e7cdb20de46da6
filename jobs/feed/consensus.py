"""One series of prices out of several sources: the median of those that are fresh and agree.

No leap counts that no second source confirms: a source that leaps alone is left out until another says the same. A
wick stays where it happened, and a crash, in which all leap one after the other, is followed as soon as the second has
leapt. Where no two agree, as with two sources that differ, there is no price, and who needs one finds the last one old.

Each source is corrected by its slow offset to the consensus, so that the price does not move when a source comes or
goes. The offsets alone would leave the level of the whole without a hold; over an hour it is drawn to the sources that
quote US dollars.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from statistics import median

from jobs.feed.offset import SAMPLE_EVERY_MS, Offset
from jobs.feed.quotes import Quote

FRESH_MS = 3_000
"""A source is fresh for so long after a price arrived from it."""
NEEDED_OF_SEVERAL = 2
AGREE = 0.0015
"""As far from the median a source agrees with it. On a thin venue, corrected by its offset, every trade of 21 hours
was within 0.0013 of an index; in the hours of a crash a tenth was beyond 0.0023."""
QUOTES_TETHER = frozenset({"binance"})
"""Sources whose dollar is USDT: they have a say in how the price moves, none in its level."""
HOLD = 0.1
"""The part of the level's distance from the dollar that each sample takes back; the median of ten minutes makes it
an hour."""


@dataclass(slots=True)
class _Venue:
    """A source as the consensus knows it."""

    offset: Offset = field(default_factory=Offset)
    dropped: Counter[str] = field(default_factory=Counter)
    arrived_ms: int | None = None
    cents: int = 0

    def is_fresh(self, now_ms: int) -> bool:
        # A price from the future came before the clock stepped back.
        return self.arrived_ms is not None and abs(now_ms - self.arrived_ms) <= FRESH_MS


class Consensus:
    """Take in the prices of all sources in the order of their arrival; give out the price that they agree on.

    A single source is believed as it is.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self._venues = {name: _Venue() for name in names}
        self._sampled_ms: int | None = None
        self.needed = min(NEEDED_OF_SEVERAL, len(names))
        """How many sources must agree."""
        self.behind: tuple[str, ...] = ()
        """The sources behind the newest price that was given out."""

    def take(self, name: str, quote: Quote) -> Quote | None:
        """Take in a source's price; return the consensus after it, None where it does not make one."""
        venue = self._venues[name]
        if quote.cents <= 0:
            venue.dropped["zero"] += 1
            return None
        now_ms = quote.arrived_ms
        venue.arrived_ms, venue.cents = now_ms, quote.cents
        self._learn(now_ms)
        corrected = self._corrected(now_ms)
        agreeing = _agreeing(corrected)
        if name not in agreeing or len(agreeing) < self.needed:
            reason = "outlier" if name in corrected else "unproven"
            venue.dropped["alone" if len(corrected) == 1 and name in corrected else reason] += 1
            return None
        self.behind = tuple(agreeing)
        return Quote(now_ms, quote.exchange_ms, round(median(agreeing.values())))

    def fresh(self, now_ms: int) -> list[str]:
        """Return the sources from which a price arrived lately."""
        return [name for name, venue in self._venues.items() if venue.is_fresh(now_ms)]

    def counted(self, now_ms: int) -> list[str]:
        """Return the fresh sources whose prices count, because they agree."""
        return list(_agreeing(self._corrected(now_ms)))

    def offset(self, name: str) -> float | None:
        """Return a source's slow offset as a part of the price; None while it is not known."""
        return self._venues[name].offset.known if self.needed > 1 else 0.0

    def dropped(self, name: str) -> Counter[str]:
        """Return how many of a source's prices made no price, by reason."""
        return self._venues[name].dropped

    def _corrected(self, now_ms: int) -> dict[str, float]:
        """Return the prices of the fresh sources whose offset is known, without it."""
        corrected = {}
        for name in self.fresh(now_ms):
            offset = self.offset(name)
            if offset is not None:
                corrected[name] = self._venues[name].cents / (1 + offset)
        return corrected

    def _learn(self, now_ms: int) -> None:
        """Look from time to time how far each fresh source is from the level of all."""
        since_ms = None if self._sampled_ms is None else now_ms - self._sampled_ms
        if self.needed == 1 or (since_ms is not None and 0 <= since_ms < SAMPLE_EVERY_MS):
            return
        self._sampled_ms = now_ms
        for venue in self._venues.values():
            venue.offset.forget(now_ms)
        fresh = self.fresh(now_ms)
        if len(fresh) < self.needed:
            return
        corrected = self._corrected(now_ms)
        level = median(corrected.values()) if corrected else self._dollar_price(fresh)
        drawn = HOLD * self._distance(corrected)
        for name in fresh:
            venue = self._venues[name]
            venue.offset.add(now_ms, venue.cents / level - 1 - drawn)

    def _dollar_price(self, fresh: Sequence[str]) -> float:
        """Return the level to begin with, where no offset is known."""
        return median(self._venues[name].cents for name in _of_dollars(fresh))

    def _distance(self, corrected: Iterable[str]) -> float:
        """Return how far the sources that quote US dollars are from the level, by their offsets."""
        offsets = [self.offset(name) for name in _of_dollars(corrected)]
        return median(known for known in offsets if known is not None) if offsets else 0.0


def _of_dollars(names: Iterable[str]) -> list[str]:
    """Return the sources that quote US dollars, or all where none does."""
    every = list(names)
    return [name for name in every if name not in QUOTES_TETHER] or every


def _agreeing(corrected: dict[str, float]) -> dict[str, float]:
    """Return the prices that are near the median of all."""
    if not corrected:
        return {}
    middle = median(corrected.values())
    return {name: cents for name, cents in corrected.items() if abs(cents / middle - 1) <= AGREE}
