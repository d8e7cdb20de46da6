"""A player's stream over all reconnects: what was told, in which order, and what a snapshot stood for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Event as Flag
from threading import Thread
from typing import Any

import msgspec

from runtime.stream.sse import parse_cursor
from taptrade.client import ApiError
from taptrade.client.stream import EventStream, StreamEvent

Spot = tuple[int, int]
"""A commit's number and the place in it: `c{commit}.{place}`."""


def spot_of(event_id: str) -> Spot:
    """Read the id of an event that tells of a committed row."""
    commit, _, place = event_id.removeprefix("c").partition(".")
    return int(commit), int(place)


@dataclass(slots=True)
class Hearing:
    """Everything one player's stream told about its bets and balance."""

    spots: list[Spot] = field(default_factory=list)
    statuses: list[tuple[str, str]] = field(default_factory=list)
    """(bet id, status) in the order told."""
    excused: list[tuple[Spot, Spot]] = field(default_factory=list)
    """After the first, up to the second: told by a snapshot as a whole, not one by one."""
    resets: int = 0
    connections: int = 0
    refused: str = ""

    def hear(self, event: StreamEvent) -> None:
        """Note one event."""
        if event.type in ("snapshot", "reset"):
            place = parse_cursor(event.id)
            assert place is not None, event.id
            self.resets += event.type == "reset"
            self.excused.append((self.last, place.committed))
        elif event.type in ("bet", "balance"):
            content: dict[str, Any] = msgspec.json.decode(event.data)
            self.spots.append(spot_of(content["event_id"]))
            if event.type == "bet":
                self.statuses.append((content["id"], content["status"]))

    @property
    def last(self) -> Spot:
        """The newest spot that is known to the player."""
        told = self.spots[-1] if self.spots else (0, -1)
        return max(told, self.excused[-1][1]) if self.excused else told

    def missing(self, due: list[Spot]) -> list[Spot]:
        """Return what should have been told and was not."""
        told = set(self.spots)
        return [spot for spot in due if spot not in told and not self.is_excused(spot)]

    def is_excused(self, spot: Spot) -> bool:
        """Tell whether a snapshot stood for a spot."""
        return any(after < spot <= upto for after, upto in self.excused)

    @property
    def repeated(self) -> int:
        """How many events came more than once."""
        return len(self.spots) - len(set(self.spots))

    @property
    def disordered(self) -> int:
        """How many events came after one that they precede."""
        return sum(later < earlier for earlier, later in zip(self.spots, self.spots[1:], strict=False))


class Ear:
    """Follow the stream in a thread of its own until told to stop."""

    def __init__(self, url: str, token: Callable[[], str]) -> None:
        self.hearing = Hearing()
        self._stop = Flag()
        self._stream = EventStream(
            f"{url}/api/stream?events=bet,balance", token=token, stop=self._stop, on_connect=self._connected
        )
        self._thread = Thread(target=self._read, name="ear", daemon=True)

    def start(self) -> None:
        """Begin to listen."""
        self._thread.start()

    def stop(self) -> None:
        """Hear nothing more; the connection ends with its next event or heartbeat."""
        self._stop.set()

    def join(self, seconds: float) -> None:
        """Wait for the end of the thread."""
        if self._thread.is_alive():
            self._thread.join(seconds)

    def _connected(self, number: int) -> None:
        self.hearing.connections = number

    def _read(self) -> None:
        try:
            for event in self._stream.events():
                self.hearing.hear(event)
        except ApiError as ex:
            self.hearing.refused = str(ex)
