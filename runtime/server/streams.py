"""The answers of a worker that do not end by themselves: each is fed by a greenlet, or parked without one.

A greenlet that waits keeps a stack of 16 KB. Event streams mostly wait, and what they bring is sent by others
(`Answer.offer`), so one that can be parked (`runtime.web.sink.Parkable`) gives its greenlet up until one is needed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import gevent
from gevent import Greenlet

from runtime.server.answer import Answer
from runtime.web.sink import Parkable


class Retired(gevent.GreenletExit):  # type: ignore[misc]
    """Thrown into what feeds an event stream when the worker stops."""


class Parked:
    """A stream without a greenlet; called, it gets one."""

    __slots__ = ("_parked", "answer", "begin", "chunks")

    def __init__(self, chunks: Iterable[bytes], answer: Answer, parked: set[Parked]) -> None:
        self.chunks = chunks
        self.answer = answer
        self.begin: Callable[[], object] = lambda: None
        """Starts the greenlet."""
        self._parked = parked

    def __call__(self) -> None:
        """Go on, once, whoever asks for it first."""
        if self in self._parked:
            self._parked.discard(self)
            self.begin()


class Left(BaseException):
    """Raised out of a stream that was parked."""

    def __init__(self, parked: Parked) -> None:
        super().__init__()
        self.parked = parked


class Streams:
    """All of one worker."""

    def __init__(self, is_ending: Callable[[], bool]) -> None:
        """`is_ending` tells whether the worker stops."""
        self._is_ending = is_ending
        self._fed: set[Greenlet] = set()
        self._parked: set[Parked] = set()

    def feed(self, chunks: Iterable[bytes], answer: Answer) -> None:
        """Send what comes when it comes; an event stream ends when the worker stops, and may be left by `Left`."""
        if not answer.is_event_stream:
            for chunk in chunks:
                answer.send(chunk)
            return
        current = gevent.getcurrent()
        self._fed.add(current)
        try:
            self._feed(chunks, answer)
        except Retired:
            answer.force_close()
            if answer.torn:  # in the middle of a chunk, where no end can be told
                raise
        finally:
            self._fed.discard(current)

    def _feed(self, chunks: Iterable[bytes], answer: Answer) -> None:
        park = chunks.park if answer.can_be_left and isinstance(chunks, Parkable) else None
        for chunk in chunks:
            answer.send(chunk)
            if self._is_ending():
                break
            if park is not None:
                self._park(chunks, answer, park)

    def _park(self, chunks: Iterable[bytes], answer: Answer, park: Callable[[Parked], bool]) -> None:
        parked = Parked(chunks, answer, self._parked)
        if park(parked):
            self._parked.add(parked)
            raise Left(parked)

    def go_on(self, parked: Parked, fail: Callable[[BaseException], object]) -> bool:
        """Feed one that was parked, to its end or until it is left again; tell whether its connection goes on.

        `fail` breaks off an answer whose chunks raise.
        """
        answer, chunks = parked.answer, parked.chunks
        is_left = False
        try:
            if self._is_ending():
                answer.force_close()
            else:
                self.feed(chunks, answer)
            answer.close()
        except Left:
            is_left = True
            raise
        except OSError:
            raise
        except (Exception, SystemExit, gevent.Timeout) as ex:  # noqa: BLE001  whatever an app raises
            fail(ex)
            return False
        finally:
            close = getattr(chunks, "close", None)
            if not is_left and close is not None:
                close()
        return not answer.should_close()

    def retire(self) -> None:
        """End all event streams after a whole event."""
        for greenlet in list(self._fed):
            greenlet.kill(Retired, block=False)
        for parked in list(self._parked):
            parked()
