"""How the hub sends to a reader by itself, where the server lets it; without it each reader takes its own chunks."""

from __future__ import annotations

from typing import Protocol


class Sink(Protocol):
    """An answer that takes chunks while the greenlet that feeds it waits for the next one.

    That greenlet still writes everything else: it must then have nothing in hand, and must soon send again (an empty
    chunk will do) after an offer that was not taken whole.
    """

    def offer(self, chunk: bytes) -> bool:
        """Send without waiting; False if a part is left, to be sent before anything else. Never raises OSError."""
        ...
