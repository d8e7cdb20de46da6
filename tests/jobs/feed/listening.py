"""A live source that listens to an exchange on this machine, and what a test asks of it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from jobs.feed.connection import Timeouts
from jobs.feed.live import LiveSource, SourceStatus, open_live
from jobs.feed.quotes import Quote
from runtime.background import Background
from runtime.clock import ManualClock, SystemClock
from runtime.metrics.table import Metrics
from tests.jobs.feed.exchange_servers import ExchangeServer
from tests.waiting import wait_until

NOW_MS = 1_790_000_000_000
QUICK = Timeouts(open_s=0.3, close_s=0.1, look_s=0.01)
PRICE = "93750.12"
CENTS = 9_375_012


def at_once(low: float, _high: float) -> float:
    return low


class Listener:
    """A source that listens, and what a test asks of it."""

    def __init__(self, source: LiveSource, clock: ManualClock) -> None:
        self.source = source
        self.clock = clock

    def status(self) -> SourceStatus:
        return self.source.status(self.clock.now_ms())

    def prices(self, count: int) -> list[int]:
        """Wait for so many prices and return them in cents."""
        quotes: list[Quote] = []

        def has_come() -> bool:
            quotes.extend(self.source.poll(self.clock.now_ms()))
            return len(quotes) >= count

        wait_until(has_come)
        return [quote.cents for quote in quotes]

    def wait_dropped(self, reason: str, count: int = 1) -> None:
        wait_until(lambda: self.status().dropped.get(reason, 0) >= count, what=reason)

    def wait_error(self, part: str) -> None:
        wait_until(lambda: part in self.status().last_error, what=part)


@contextmanager
def threads() -> Iterator[Background]:
    """Run what is started; no thread that listens is left at the end, those of servers aside."""
    background = Background(threading.Event(), SystemClock(), Metrics("test"))
    try:
        yield background
    finally:
        background.stopping.set()  # type: ignore[attr-defined]
        background.join(10)
    assert [one.name for one in threading.enumerate() if "feed-" in one.name or "recv_events" in one.name] == []


@contextmanager
def listening(name: str, url: str) -> Iterator[Listener]:
    clock = ManualClock(NOW_MS)
    with threads() as background:
        [source] = open_live([name], {name: url}, clock, background.stopping, timeouts=QUICK, uniform=at_once)
        source.start(background)
        yield Listener(source, clock)
        source.stop()


@contextmanager
def served(name: str) -> Iterator[tuple[ExchangeServer, Listener]]:
    """Run an exchange and a source that has heard its first price."""
    with ExchangeServer(name, price=PRICE) as server, listening(name, server.url) as listener:
        server.wait_subscribed(1)
        assert listener.prices(1) == [CENTS]
        yield server, listener
