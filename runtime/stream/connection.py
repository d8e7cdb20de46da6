"""One open stream: its beginning, then whatever is new, and a sign of life in between."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator

from runtime.clock import Clock
from runtime.errors import Refusal
from runtime.stream import sse
from runtime.stream.hub import Hub
from runtime.stream.subscriber import Subscriber

logger = logging.getLogger(__name__)


class StreamConnection:
    """The chunks of one response; the server takes one after the other and calls `close` when the client goes.

    Not a generator: one that is closed before its first chunk would not clean up.
    """

    def __init__(self, hub: Hub, subscriber: Subscriber, opening: Iterator[bytes], clock: Clock) -> None:
        """Take the first chunk of `opening` at once, so that a refusal can still be answered as one."""
        self._hub = hub
        self._subscriber = subscriber
        self._opening: Iterator[bytes] | None = opening
        self._clock = clock
        subscriber.beat_ms = clock.monotonic_ms() + sse.HEARTBEAT_MS
        try:
            self._first = next(opening)
        except BaseException:
            self.close()
            raise

    def __iter__(self) -> StreamConnection:
        return self

    def __next__(self) -> bytes:
        """Wait for the next chunk, an empty one if only the rest of an earlier one is due; ends with its subscriber."""
        if self._first:
            first, self._first = self._first, b""
            return first
        opening = self._next_of_opening()
        return self._next_live() if opening is None else opening

    def park(self, resume: Callable[[], object]) -> bool:
        """Let the hub alone send, if nothing is due now; `resume` is called when the next chunk should be asked for."""
        if self._first:
            return False
        try:
            self._first = self._next_of_opening() or b""
        except StopIteration:
            self._hub.end([self._subscriber])
        return not self._first and self._hub.park(self._subscriber, resume)

    def close(self) -> None:
        """Leave the hub."""
        self._hub.unsubscribe(self._subscriber)

    def _next_of_opening(self) -> bytes | None:
        while self._opening is not None:
            try:
                chunk = next(self._opening, None)
            except Refusal as ex:
                # The head is on its way already. The client comes again and resumes at the last event that it got.
                logger.warning("a stream ended while it caught up: %s", ex)
                raise StopIteration from ex
            if chunk is None or self._subscriber.ended:
                self._opening = None
            elif chunk:
                return chunk
        return None

    def _next_live(self) -> bytes:
        subscriber = self._subscriber
        while not subscriber.ended:
            if subscriber.owed:
                subscriber.owed = False
                return b""
            now_ms = self._clock.monotonic_ms()
            if now_ms >= subscriber.beat_ms:
                subscriber.beat_ms = now_ms + sse.HEARTBEAT_MS
                return sse.HEARTBEAT
            if self._woken((subscriber.beat_ms - now_ms) / 1000) and not subscriber.owed:
                chunk = self._hub.take(subscriber)
                if chunk:
                    return chunk
        raise StopIteration

    def _woken(self, timeout_s: float) -> bool:
        subscriber = self._subscriber
        subscriber.parked = True
        try:
            return subscriber.wake.wait(timeout_s)
        finally:
            subscriber.parked = False
