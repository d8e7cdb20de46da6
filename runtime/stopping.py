"""Being told to stop by a signal, which may come at any moment of any wait."""

from __future__ import annotations

import signal
from contextlib import suppress
from queue import Empty, SimpleQueue

SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Stop:
    """An event that a signal's handler may set while the thread that it interrupts waits for it.

    A `threading.Event` holds its lock for a moment of each wait, and a handler that runs in that moment waits for ever:
    of 1,500 processes that waited 0.5 ms over and over, 5 never ended. A SimpleQueue's `put` is made for handlers.
    """

    def __init__(self) -> None:
        self._is_set = False
        self._wakes: SimpleQueue[None] = SimpleQueue()
        # The first look at a queue has its lock at once, and waits for ever if its time is over by then (CPython 3.11).
        with suppress(Empty):
            self._wakes.get_nowait()

    def set(self) -> None:
        """Let all who wait, and who will, go on."""
        self._is_set = True
        self._wakes.put(None)

    def is_set(self) -> bool:
        """Tell whether the process stops."""
        return self._is_set

    def wait(self, timeout: float | None = None) -> bool:
        """Wait, at most `timeout` seconds, and tell whether the process stops."""
        if self._is_set:
            return True
        try:
            self._wakes.get(timeout=timeout if timeout is None else max(timeout, 0))
        except Empty:
            return self._is_set
        self._wakes.put(None)  # for the next one that waits
        return True


def stop_on_signals(*stops: Stop) -> None:
    """Have SIGTERM and SIGINT set these, and do nothing else.

    An exception out of a handler would be lost where it falls into a destructor, and with it the signal.
    """

    def tell(*_: object) -> None:
        for stop in stops:
            stop.set()

    for number in SIGNALS:
        signal.signal(number, tell)


def end_on_signals() -> None:
    """Have SIGTERM and SIGINT end the process again.

    Whoever becomes another program calls this and looks only then whether it was told to stop: no signal falls between.
    """
    for number in SIGNALS:
        signal.signal(number, signal.SIG_DFL)
