"""A stream that another greenlet than its own sends, for the server's tests."""

from __future__ import annotations

from collections.abc import Iterator

import gevent
import gevent.event

from runtime.web.sink import Sink


class Offered:
    """A stream whose chunks come from another greenlet while its own waits for the rest that it has to send."""

    def __init__(self, sink: Sink, count: int) -> None:
        self._sink = sink
        self._wake = gevent.event.Event()
        self._parked = gevent.event.Event()
        self._ended = False
        self._feeder = gevent.spawn(self._feed, count)

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        if self._ended:
            raise StopIteration
        self._parked.set()
        self._wake.wait()
        self._wake.clear()
        self._parked.clear()
        return b""

    def _feed(self, count: int) -> None:
        for number in range(count):
            self._parked.wait()
            if not self._sink.offer(offered(number)):
                # The rest is the other greenlet's to send, before anything else.
                self._parked.clear()
                self._wake.set()
        self._ended = True
        self._wake.set()

    def close(self) -> None:
        """Offer no more."""
        self._feeder.kill()


def offered(number: int) -> bytes:
    """Return a chunk, small or larger than what the kernel takes at once."""
    return b"data: %d\n\n" % number * (100_000 if number % 5 == 4 else 1)
