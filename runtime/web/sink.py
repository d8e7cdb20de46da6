"""How the hub sends to a reader by itself, where the server lets it; without it each reader takes its own chunks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, runtime_checkable


class Sink(Protocol):
    """An answer that takes chunks while the greenlet that feeds it waits for the next one, or has left.

    That greenlet still writes everything else: it must then have nothing in hand, and must soon send again (an empty
    chunk will do) after an offer that was not taken whole.
    """

    def offer(self, chunk: bytes) -> bool:
        """Send without waiting; False if a part is left, to be sent before anything else. Never raises OSError."""
        ...


@runtime_checkable
class Parkable(Protocol):
    """The chunks of an answer that others send to its sink; a server that knows `park` needs no greenlet meanwhile."""

    def park(self, resume: Callable[[], object]) -> bool:
        """Ask after each chunk; True if none is due. `resume` is called when the next one should be asked for."""
        ...
