"""A live source that delivers what a test wrote down."""

from __future__ import annotations

from jobs.feed.quotes import Quote
from jobs.feed.source_status import SourceStatus
from runtime.background import Background


class Scripted:
    """A source of one name; `quotes` wait for the next poll."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.quotes: list[Quote] = []
        self.calls: list[str] = []
        self.dropped: dict[str, int] = {}
        self.error = ""

    def start(self, background: Background) -> None:  # noqa: ARG002
        self.calls.append("start")

    def stop(self) -> None:
        self.calls.append("stop")

    def poll(self, now_ms: int) -> list[Quote]:
        due = [each for each in self.quotes if each.arrived_ms <= now_ms]
        self.quotes = [each for each in self.quotes if each.arrived_ms > now_ms]
        return due

    def status(self, now_ms: int) -> SourceStatus:
        return SourceStatus(self.name, "live", now_ms - 40, 9_400_000, 7, self.dropped, 2, self.error)
