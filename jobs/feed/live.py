"""Live prices of exchanges, each over a connection of its own that is opened anew whenever it ends."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Protocol

from jobs.feed.connection import Timeouts
from jobs.feed.exchange_source import ExchangeSource
from jobs.feed.exchanges.binance import BINANCE
from jobs.feed.exchanges.bitstamp import BITSTAMP
from jobs.feed.exchanges.coinbase import COINBASE
from jobs.feed.exchanges.kraken import KRAKEN
from jobs.feed.quotes import Quote
from jobs.feed.source_status import SourceStatus
from runtime.background import Background, Stopping
from runtime.clock import Clock

__all__ = ["EXCHANGES", "LiveSource", "SourceStatus", "open_live"]

EXCHANGES = {exchange.name: exchange for exchange in (BINANCE, COINBASE, KRAKEN, BITSTAMP)}
"""By the names that `open_live` knows."""


class LiveSource(Protocol):
    """A source whose prices arrive by themselves."""

    name: str

    def start(self, background: Background) -> None:
        """Begin to listen, in the background."""
        ...

    def stop(self) -> None:
        """Let the connection end soon; the background work ends when the process stops."""
        ...

    def poll(self, now_ms: int) -> list[Quote]:
        """Return what arrived since the last call and not after `now_ms`, oldest first; never wait."""
        ...

    def status(self, now_ms: int) -> SourceStatus:
        """Tell how it does."""
        ...


def open_live(
    names: Sequence[str],
    urls: Mapping[str, str],
    clock: Clock,
    stopping: Stopping,
    *,
    timeouts: Timeouts | None = None,
    uniform: Callable[[float, float], float] | None = None,
) -> list[LiveSource]:
    """Return the sources of these names, not yet started; `urls` names those whose address is not the exchange's.

    `uniform` draws the pauses between attempts to connect.
    """
    exchanges = [replace(EXCHANGES[name], url=urls.get(name) or EXCHANGES[name].url) for name in names]
    return [ExchangeSource(exchange, clock, stopping, timeouts, uniform) for exchange in exchanges]
