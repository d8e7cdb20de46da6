"""Rounds: pass on what is new to all readers of the process, a slice at a time, with time for requests in between."""

from __future__ import annotations

import threading

from runtime.background import Background
from runtime.stream.hub import Hub

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

    def start(self, background: Background) -> None:
        """Run in the background."""
        background.start("rounds", self.run)

    def stop(self) -> None:
        """End `run`."""
        self._stopping.set()
        self._hub.unsent.set()

    def run(self) -> None:
        """Serve until stopped."""
        # What a round that failed did not pass on goes with the first one.
        self._hub.unsent.set()
        while not self._stopping.is_set():
            self._hub.unsent.wait()
            self.round()

    def round(self) -> None:
        """Pass on what is new, once to everybody."""
        self._hub.unsent.clear()
        subscribers = self._hub.subscribers()
        for start in range(0, len(subscribers), SLICE):
            if start:
                self._stopping.wait(PAUSE_S)
            self._hub.serve(subscribers[start : start + SLICE])
