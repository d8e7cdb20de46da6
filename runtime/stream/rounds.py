"""Rounds: pass on what is new to all readers of the process, a slice at a time, with time for requests in between."""

from __future__ import annotations

import threading
from collections.abc import Callable

from runtime.background import Background
from runtime.clock import Clock
from runtime.stream.hub import Hub

SLICE = 128
"""Readers served in one go: about two milliseconds, for which everybody else waits."""
READER_MS = 0.04
EVERY_MS_MAX = 150.0
"""From one round's begin to the next one's, by the number of readers: a write to one of them takes the API and nginx
some 30 microseconds, whatever is in it. So a few are told of each price by itself, and thousands of one or two
together."""


class Rounds:
    """Serve the readers over and over while there is something to send.

    What comes during a round, and until the next one is due, leaves together with that: all prices, and the newest
    grid.
    """

    def __init__(self, hub: Hub, clock: Clock, breathe: Callable[[], object]) -> None:
        """`breathe` lets the event loop look after all others once, and comes back right after that."""
        self._hub = hub
        self._clock = clock
        self._breathe = breathe
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
        due_ms = 0.0
        while not self._stopping.is_set():
            self._hub.unsent.wait()
            left_ms = due_ms - self._clock.monotonic_ms()
            if left_ms > 0:
                self._stopping.wait(left_ms / 1000)
            due_ms = self._clock.monotonic_ms() + min(self._hub.count * READER_MS, EVERY_MS_MAX)
            self.round()

    def round(self) -> None:
        """Pass on what is new, once to everybody."""
        self._hub.unsent.clear()
        subscribers = self._hub.subscribers()
        for start in range(0, len(subscribers), SLICE):
            if start:
                self._breathe()
            self._hub.serve(subscribers[start : start + SLICE])
