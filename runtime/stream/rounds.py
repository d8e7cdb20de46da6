"""Rounds: pass on what is new to all readers of the process, a slice at a time, with time for requests in between."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from runtime.stream.hub import Hub

logger = logging.getLogger(__name__)

SLICE = 128
"""Readers served in one go: about two milliseconds, for which everybody else waits."""
PAUSE_S = 0.001
"""Then the event loop looks after all others. A mere `sleep(0)` would come back before it has looked at the network."""


class Rounds:
    """Serve the readers over and over while there is something to send.

    With more readers than one slice a round takes its time. Prices and grids that come meanwhile leave together with
    the next round, and each slice gets what is newest when it is served: under load there is less, never older.
    """

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._stopping = threading.Event()

    def start(self, spawn: Callable[[Callable[[], None]], object]) -> None:
        """Run in the background; `spawn` starts a greenlet or a thread."""
        spawn(self.run)

    def stop(self) -> None:
        """End `run`."""
        self._stopping.set()
        self._hub.unsent.set()

    def run(self) -> None:
        """Serve until stopped."""
        while not self._stopping.is_set():
            self._hub.unsent.wait()
            try:
                self.round()
            except Exception:
                # What was not passed on goes with the next round.
                logger.exception("a round to the readers of the stream failed")

    def round(self) -> None:
        """Pass on what is new, once to everybody."""
        self._hub.unsent.clear()
        subscribers = self._hub.subscribers()
        for start in range(0, len(subscribers), SLICE):
            if start:
                self._stopping.wait(PAUSE_S)
            self._hub.serve(subscribers[start : start + SLICE])
