"""Grids from their differences: what a stream tells in between two whole ones is put together here."""

from __future__ import annotations

from typing import Any

import msgspec

from runtime.clock import rfc3339
from runtime.market.grid_change import DIGITS, NOT_OFFERED
from taptrade.client.sse import StreamEvent

ASKED = "grid=changes"
"""The parameter that asks a stream for differences."""
_VALUES = {digit: value for value, digit in enumerate(DIGITS)}


class GridChanges:
    """The grid that a stream has told last, and the next one from what has changed."""

    def __init__(self) -> None:
        self._grid: dict[str, Any] | None = None

    def whole(self, event: StreamEvent) -> StreamEvent | None:
        """Return an event as it is, a `grid_change` as the `grid` that it leads to.

        None if that is not known, since its base was not told: the next whole grid comes within seconds.
        """
        if event.type in ("snapshot", "reset"):
            self._grid = msgspec.json.decode(event.data)["grid"]
        elif event.type == "grid":
            self._grid = msgspec.json.decode(event.data)
        elif event.type == "grid_change":
            change = msgspec.json.decode(event.data)
            if self._grid is None or self._grid.get("event_id") != change["base_event_id"]:
                return None
            self._grid = applied(self._grid, change)
            return StreamEvent(event.id, "grid", msgspec.json.encode(self._grid))
        return event


def applied(grid: dict[str, Any], change: dict[str, Any]) -> dict[str, Any]:
    """Return the grid that a change leads to."""
    step, width_s = grid["row_step_cents"], grid["column_seconds"]
    known = {column["start_s"]: rates for column, rates in zip(grid["columns"], grid["rates_bp"], strict=True)}
    first_low, changes = change["row_low_cents"], [read_column(text) for text in change["changes"]]
    shift = (first_low - grid["rows"][0]["low_cents"]) // step if grid["rows"] else 0
    starts = [change["column_start_s"] + at * width_s for at in range(len(changes))]
    lows = [first_low + at * step for at in range(len(changes[0]))]
    return {
        **grid,
        "event_id": change["event_id"],
        "grid_version": change["grid_version"],
        "server_time_ms": change["server_time_ms"],
        "server_time": rfc3339(change["server_time_ms"]),
        "price": change["price"],
        "columns": [
            {"start_s": start, "opens_ms": start * 1000, "closes_ms": (start + width_s) * 1000} for start in starts
        ],
        "rows": [{"low_cents": low, "high_cents": low + step} for low in lows],
        "rates_bp": [
            [_rate(delta, known.get(start, ()), at + shift) for at, delta in enumerate(deltas)]
            for start, deltas in zip(starts, changes, strict=True)
        ],
    }


def read_column(text: str) -> list[int | None]:
    """Read the numbers of a column: base64 VLQ, a full stop for a cell that is not offered."""
    found: list[int | None] = []
    number = bits = 0
    for character in text:
        if character == NOT_OFFERED:
            found.append(None)
            continue
        digit = _VALUES[character]
        number |= (digit & 31) << bits
        bits += 5
        if digit < 32:
            found.append(-(number >> 1) if number & 1 else number >> 1)
            number = bits = 0
    return found


def _rate(delta: int | None, before: Any, at: int) -> int | None:
    was = before[at] if 0 <= at < len(before) else None
    return delta if delta is None or was is None else was + delta
