"""What a price source delivers, and what every source can do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

BACKLOG_MS_MAX = 3_600_000
"""A source that makes its own prices leaves out what is longer ago: the machine slept, perhaps for days."""


@dataclass(frozen=True, slots=True)
class Quote:
    """One price as it arrived."""

    arrived_ms: int
    """When it reached the server, Unix milliseconds."""
    exchange_ms: int
    """The exchange's own time of it; a replay's is the recorded one."""
    cents: int


class Source(Protocol):
    """A source of prices."""

    @property
    def name(self) -> str:
        """What the ticks that are made of its prices say of their source."""
        ...

    def poll(self, now_ms: int) -> list[Quote]:
        """Return the prices that arrived since the last call and not after `now_ms`, oldest first."""
        ...


class StoredSource(Source, Protocol):
    """A source that makes its own prices and can therefore go on from any of them."""

    def rebase(self, cents: int) -> None:
        """Let the prices to come move on from `cents` instead of from the last one delivered."""
        ...


def warm(source: StoredSource, start_ms: int, last_cents: int | None) -> list[Quote]:
    """Play `source` up to `start_ms` and return its prices so far, as history for the volatility.

    With `last_cents`, the last price that was published before, the source goes on from that one,
    and the history is brought to its level.
    """
    history = [quote for quote in source.poll(start_ms) if quote.arrived_ms < start_ms]
    if last_cents is None or not history:
        return history
    source.rebase(last_cents)
    level = history[-1].cents
    return [Quote(quote.arrived_ms, quote.exchange_ms, max(1, quote.cents * last_cents // level)) for quote in history]
