"""One exchange as a source of prices: a thread that connects, listens, and connects again whenever that ends."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from random import SystemRandom
from typing import Literal

from jobs.feed.arrivals import Arrivals
from jobs.feed.backoff import Backoff
from jobs.feed.connection import Connection, ConnectionFailed, Timeouts, connected, shown
from jobs.feed.exchanges.frames import Dropped, Exchange, Price, Trading, Trouble
from jobs.feed.quotes import Quote
from jobs.feed.sieve import SPARE, Sieve
from jobs.feed.source_status import SourceStatus
from runtime.background import Background, Stopping
from runtime.clock import Clock

logger = logging.getLogger(__name__)

SILENT_MS = 10_000
"""A connection that brought no price for so long is given up, whatever else comes."""
FRESH_MS = 3_000
"""So long after a price a source still counts as live."""


@dataclass(slots=True)
class _Visit:
    """One connection from its opening to its end; times are of the monotonic clock."""

    opened_ms: int
    sieve: Sieve
    first_price_ms: int | None = None
    last_price_ms: int | None = None

    def priced_ms(self) -> int:
        """Return for how long prices came."""
        return (
            0 if self.first_price_ms is None or self.last_price_ms is None else self.last_price_ms - self.first_price_ms
        )

    def silent_ms(self, now_ms: int) -> int:
        """Return for how long none came."""
        return now_ms - (self.opened_ms if self.last_price_ms is None else self.last_price_ms)


@dataclass(slots=True)
class _Condition:
    """What `status` tells, beside what arrived."""

    state: Literal["connecting", "connected", "waiting"] = "connecting"
    attempts: int = 0
    last_error: str = ""
    visit: _Visit | None = None


class ExchangeSource:
    """Listen to an exchange for as long as the process runs."""

    def __init__(
        self,
        exchange: Exchange,
        clock: Clock,
        stopping: Stopping,
        timeouts: Timeouts | None = None,
        uniform: Callable[[float, float], float] | None = None,
    ) -> None:
        """`uniform` draws the pauses between attempts."""
        self.name = exchange.name
        self._exchange = exchange
        self._clock = clock
        self._stopping = stopping
        self._timeouts = timeouts or Timeouts()
        self._backoff = Backoff(uniform or SystemRandom().uniform)
        self._ending = threading.Event()
        self._arrivals = Arrivals()
        self._now = _Condition()

    def start(self, background: Background) -> None:
        """Begin to listen, in the background."""
        background.start(f"feed-{self.name}", self._run)

    def stop(self) -> None:
        """Let the connection end; the background work ends when the process stops."""
        self._ending.set()

    def poll(self, now_ms: int) -> list[Quote]:
        """Return what arrived since the last call and not after `now_ms`, oldest first; never wait."""
        return self._arrivals.take(now_ms)

    def status(self, now_ms: int) -> SourceStatus:
        """Tell how it does."""
        now, last = self._now, self._arrivals.last
        state: Literal["connecting", "live", "silent", "waiting"]
        if now.state == "connected":
            visit = now.visit
            has_price = visit is not None and visit.last_price_ms is not None
            state = "live" if has_price and last is not None and now_ms - last.arrived_ms <= FRESH_MS else "silent"
        else:
            state = now.state
        return SourceStatus(
            self.name,
            state,
            last.arrived_ms if last else None,
            last.cents if last else None,
            self._arrivals.prices,
            self._arrivals.dropped(),
            max(0, now.attempts - 1),
            now.last_error,
        )

    def _run(self) -> None:
        while not self._is_ending():
            priced_ms = self._visit()
            if self._is_ending():
                break
            pause_s = self._backoff.pause_s(priced_ms)
            logger.warning("%s: %s; connecting again in %.1f s", self.name, self._now.last_error, pause_s)
            self._stopping.wait(pause_s)
        self._stopping.wait()

    def _is_ending(self) -> bool:
        return self._ending.is_set() or self._stopping.is_set()

    def _visit(self) -> int:
        """Connect and listen until that ends; return for how long prices came."""
        now = self._now
        now.state, now.visit = "connecting", None
        now.attempts += 1
        try:
            with connected(self._exchange.url, self._timeouts) as connection:
                opened_ms = self._clock.monotonic_ms()
                now.visit = _Visit(opened_ms, Sieve(opened_ms))
                for text in self._exchange.opening:
                    connection.send(text)
                now.state = "connected"
                logger.info("%s: connected", self.name)
                why = self._listen(connection, now.visit)
                now.last_error = why or now.last_error
        except ConnectionFailed as ex:
            now.last_error = str(ex)
            if ex.unreadable:
                self._arrivals.drop("garbage")
        finally:
            now.state = "waiting"
        return now.visit.priced_ms() if now.visit else 0

    def _listen(self, connection: Connection, visit: _Visit) -> str:
        """Take in what comes; return why the connection is given up, empty if the process stops."""
        while not self._is_ending():
            frame = connection.receive()
            if frame is not None:
                asked = self._take(frame, visit)
                if asked:
                    return asked
            silent_ms = visit.silent_ms(self._clock.monotonic_ms())
            if silent_ms >= SILENT_MS:
                return f"connected without a price for {silent_ms / 1000:.0f} s"
        return ""

    def _take(self, frame: bytes, visit: _Visit) -> str:
        """Sort what one frame says; return why the exchange wants another connection, empty if it does not."""
        asked = ""
        for said in self._exchange.read(frame):
            if isinstance(said, Price):
                self._judge(said, visit)
            elif isinstance(said, Dropped):
                self._arrivals.drop(said.reason)
            elif isinstance(said, Trouble):
                self._complain(f"the exchange says: {shown(said.text)}")
            elif isinstance(said, Trading):
                if visit.sieve.is_open and not said.is_open:
                    self._complain(f"the market is closed: {shown(said.state)}")
                visit.sieve.is_open = said.is_open
            else:
                asked = said.text
        return asked

    def _judge(self, price: Price, visit: _Visit) -> None:
        now_ms = self._clock.monotonic_ms()
        reason = visit.sieve.reason_against(price, now_ms)
        if reason:
            if reason != SPARE:
                self._arrivals.drop(reason)
            return
        arrived_ms = self._clock.now_ms()
        self._arrivals.add(Quote(arrived_ms, price.exchange_ms or arrived_ms, price.cents))
        if visit.first_price_ms is None:
            visit.first_price_ms = now_ms
        visit.last_price_ms = now_ms

    def _complain(self, text: str) -> None:
        self._now.last_error = text
        logger.warning("%s: %s", self.name, text)
