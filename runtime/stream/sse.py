"""Server-sent events as bytes: frames, the reader's cursor, the wait before a reconnect."""

from __future__ import annotations

import re
from dataclasses import dataclass
from random import Random

import msgspec

from runtime.errors import InvalidRequest
from runtime.messaging.raw_json import with_field

HEARTBEAT_MS = 15_000
HEARTBEAT = b": heartbeat\n\n"
RETRY_MS_MIN, RETRY_MS_MAX = 1_000, 3_000
PUBLIC_TYPES = ("price", "grid", "status", "touched")
COMMITTED_TYPES = ("column", "bet", "balance")
EVERYTHING = frozenset((*PUBLIC_TYPES, *COMMITTED_TYPES))
CHANGE = "grid_change"
"""What readers want beside `grid` who take it by its differences."""
BRIEF = "brief_price"
"""What readers want beside `price` who take it in brief."""

WHOLE_COMMIT = 999_999
"""A position in a commit behind all of its events."""
_CURSOR = re.compile(r"([A-Za-z0-9_-]{1,64})\.([0-9]{1,15}-[0-9]{1,10})\.([0-9]{1,15})\.([0-9]{1,9})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far a reader has come: everything up to the public entry, and up to the n-th event of the commit."""

    epoch: str
    """The life of the Redis that counts the public entries."""
    public: str
    commit: int
    n: int

    def __str__(self) -> str:
        return f"{self.epoch}.{self.public}.{self.commit}.{self.n}"

    @property
    def committed(self) -> tuple[int, int]:
        """What committed events compare by."""
        return self.commit, self.n

    @property
    def nowhere(self) -> bool:
        """Tell whether this is the cursor before the first snapshot."""
        return self.public == "0-0" and self.commit == 0


def beginning(epoch: str) -> Cursor:
    """Return the cursor of a reader that has not yet seen its snapshot: to resume there is to start."""
    return Cursor(epoch, "0-0", 0, 0)


def parse_cursor(text: str) -> Cursor | None:
    """Read a cursor; None for what was never given out as one."""
    match = _CURSOR.fullmatch(text)
    if match is None:
        return None
    epoch, public, commit, n = match.groups()
    return Cursor(epoch, public, int(commit), int(n))


def frame(kind: str, cursor: Cursor, data: bytes) -> bytes:
    """Write one event; `data` is JSON, so a line break in it can only be white space."""
    if b"\n" in data or b"\r" in data:
        data = data.replace(b"\r", b" ").replace(b"\n", b" ")
    return b"event: %b\nid: %b\ndata: %b\n\n" % (kind.encode(), str(cursor).encode(), data)


def with_event_id(data: bytes, event_id: str) -> bytes:
    """Put `event_id` first into a JSON object, without decoding it."""
    return with_field(data, "event_id", msgspec.json.encode(event_id))


def retry(random: Random) -> bytes:
    """Tell the reader how long to wait before it reconnects; each another time, so that no herd forms."""
    return b"retry: %d\n\n" % random.randint(RETRY_MS_MIN, RETRY_MS_MAX)


def wanted(text: str, *, changes: bool = False, brief: bool = False) -> frozenset[str]:
    """Read a comma-separated filter of event types; empty means all.

    With `changes` grids come by their differences, with `brief` prices without what they were made from.
    """
    names = {name.strip() for name in text.split(",")} - {""}
    unknown = sorted(names - EVERYTHING)
    if unknown:
        known = ", ".join(sorted(EVERYTHING))
        raise InvalidRequest(f"There is no event type `{unknown[0][:40]}`; there are: {known}.", field="events")
    found = set(names or EVERYTHING)
    found |= {CHANGE} if changes and "grid" in found else set()
    found |= {BRIEF} if brief and "price" in found else set()
    # One shared set for all who want the same: there are thousands of them.
    return _shared.setdefault(frozenset(found), frozenset(found))


_shared = {EVERYTHING: EVERYTHING}
