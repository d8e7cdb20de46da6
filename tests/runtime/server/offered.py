"""A stream that another greenlet than its own sends, for the server's tests."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

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
            if not self._sink.offer(self._offered(number)):
                # The rest is the other greenlet's to send, before anything else.
                self._parked.clear()
                self._rouse()
        self._end()

    def _end(self) -> None:
        self._ended = True
        self._rouse()

    def _offered(self, number: int) -> bytes:
        return offered(number)

    def _rouse(self) -> None:
        self._wake.set()

    def close(self) -> None:
        """Offer no more."""
        self._feeder.kill()


class Left(Offered):
    """The same, of a stream whose own greenlet leaves it."""

    def __init__(self, sink: Sink, query: str, opened: Counter[str]) -> None:
        """`query` says how many events, and with `&NAME` that nothing comes after them; `opened` counts by name."""
        count, _, self._name = query.partition("&")
        self._opened = opened
        opened[self._name] += 1
        super().__init__(sink, int(count))
        self._resume: Callable[[], object] = lambda: None
        self._greenlet: gevent.Greenlet | None = None

    def __next__(self) -> bytes:
        if self._ended:
            raise StopIteration
        self._greenlet = gevent.getcurrent()
        return b""

    def park(self, resume: Callable[[], object]) -> bool:
        """Leave it to the feeder."""
        if self._ended:
            return False
        self._resume = resume
        self._parked.set()
        return True

    def _offered(self, number: int) -> bytes:
        if number:
            return offered(number)
        gevent.sleep(0)
        assert self._greenlet is not None
        return b"data: it has %s\n\n" % (b"left" if self._greenlet.dead else b"stayed")

    def _rouse(self) -> None:
        self._resume()

    def _end(self) -> None:
        if not self._name:
            super()._end()

    def close(self) -> None:
        """Count it out."""
        super().close()
        self._opened[self._name] -= 1


def offered(number: int) -> bytes:
    """Return a chunk, small or larger than what the kernel takes at once."""
    return b"data: %d\n\n" % number * (100_000 if number % 5 == 4 else 1)
