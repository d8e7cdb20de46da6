"""One reader of the stream: what it wants, how far it is, and the few events that wait for it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from runtime.web.sink import Sink

QUEUE_MAX = 1_000
"""Events that may wait for one reader; one that is slower is cut off and resumes from the database."""


@dataclass(frozen=True, slots=True)
class Item:
    """One event, encoded once and shared by all its readers; `sequence` numbers all events of this process."""

    sequence: int
    kind: str
    data: bytes
    frame: bytes
    public: tuple[int, int] | None = None
    committed: tuple[int, int] | None = None


class Subscriber:
    """State of one reader; the hub alone changes it, under its lock."""

    __slots__ = (
        "after_committed",
        "after_public",
        "beat_ms",
        "cut",
        "ended",
        "expires_ms",
        "owed",
        "parked",
        "queue",
        "resume",
        "sequence",
        "session_id",
        "sink",
        "stalled",
        "takes",
        "user_id",
        "wake",
        "wants",
    )

    def __init__(
        self,
        wants: frozenset[str],
        *,
        user_id: str | None = None,
        session_id: str | None = None,
        expires_ms: int | None = None,
        cut: Callable[[], object] | None = None,
        sink: Sink | None = None,
    ) -> None:
        """`cut` closes the connection under a write that blocks; `sink` sends while nobody else writes to it."""
        self.wants = wants
        self.user_id = user_id
        self.session_id = session_id
        self.expires_ms = expires_ms
        """When its session ends by itself."""
        self.cut = cut
        self.sink = sink
        self.parked = False
        """Its connection waits for `wake` and has nothing in hand: only then may others write to `sink`."""
        self.owed = False
        """A part of what was written to `sink` is left for the connection to send."""
        self.queue: list[Item] = []
        self.wake = threading.Event()
        self.resume: Callable[[], object] | None = None
        """Begins a greenlet for its connection, while that has none."""
        self.sequence = 0
        """The newest prices and grids up to this sequence were sent."""
        self.after_public = (0, 0)
        self.after_committed = (0, 0)
        self.ended = False
        self.beat_ms = 0
        """When the next sign of life is due, on the monotonic clock."""
        self.takes = 0
        self.stalled = (0, 0)
        """How many looks in a row found it stuck, and at which take."""

    def push(self, item: Item) -> None:
        """Let an event wait; end the reader if too many do."""
        if self.ended or item.kind not in self.wants:
            return
        if len(self.queue) >= QUEUE_MAX:
            self.end()
        else:
            self.queue.append(item)

    def end(self) -> None:
        """Send nothing more; the connection closes, and the client resumes where it was."""
        self.ended = True
        self.queue.clear()
        self.rouse()

    def rouse(self) -> None:
        """Let its connection look at what there is for it."""
        self.wake.set()
        resume, self.resume = self.resume, None
        if resume is not None:
            self.parked = False
            resume()

    def fits(self, item: Item) -> bool:
        """Tell whether the reader has not been told this yet."""
        if item.public is not None:
            return item.public > self.after_public
        return item.committed is None or item.committed > self.after_committed
