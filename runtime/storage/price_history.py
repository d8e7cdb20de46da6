"""The prices of the last seven days as ticks or candles: each page one indexed read of a bounded piece."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal, get_args

from runtime.game.statements import fill
from runtime.storage.ticks_store import TICKS

Rows = Callable[[str, Sequence[Any]], list[dict[str, Any]]]
Resolution = Literal["tick", "1s", "5s", "10s", "30s", "1m", "5m", "15m", "1h"]

_UNIT_MS = {"s": 1_000, "m": 60_000, "h": 3_600_000}
WIDTHS_MS: dict[str, int] = {
    name: int(name[:-1]) * _UNIT_MS[name[-1]] for name in get_args(Resolution) if name != "tick"
}
MINUTE_MS = 60_000
"""Candles of a second and of a minute are stored; from this width on they are made of the latter."""
OF_SECONDS, OF_MINUTES = (fill(TICKS["candles"], stored=table) for table in ("second_candles", "candles"))
SECONDS_SPAN_MS = 6_000_000
"""Longest piece of seconds that one read makes candles of: 6,000 rows, some 5 ms."""


def ticks(rows: Rows, from_ms: int, to_ms: int, limit: int) -> tuple[list[dict[str, Any]], int | None]:
    """Return the ticks with from <= id < to, oldest first, and where the next page begins."""
    found = rows(TICKS["prices"], (from_ms, to_ms, limit + 1))
    return found[:limit], found[limit]["id"] if len(found) > limit else None


def candles(rows: Rows, from_ms: int, to_ms: int, width_ms: int, limit: int) -> tuple[list[dict[str, Any]], int | None]:
    """Return whole candles that touch [from, to), oldest first, and where the next page begins.

    A page may hold fewer than `limit` although more follow: one read looks at a bounded piece only.
    """
    start_ms = from_ms - from_ms % width_ms
    end_ms = _end_of_candle(to_ms, width_ms)
    piece_ms = min(end_ms, start_ms + _span_ms(width_ms, limit))
    found = _candles(rows, start_ms, piece_ms, width_ms, limit + 1)
    if len(found) > limit:
        return found[:limit], found[limit]["start_ms"]
    return found, piece_ms if piece_ms < end_ms else None


def newest(rows: Rows, from_ms: int, to_ms: int, width_ms: int | None, limit: int) -> list[dict[str, Any]]:
    """Return the last candles that touch [from, to), or its last ticks without a width, oldest first.

    They may be fewer than `limit` although there are more: as many as one bounded piece can hold.
    """
    step_ms = width_ms or 1
    if width_ms is not None:
        limit = min(limit, _span_ms(width_ms, limit) // width_ms)
    start_ms = from_ms - from_ms % step_ms
    stretch = (step_ms, start_ms, _end_of_candle(to_ms, step_ms))
    (ends,) = rows(TICKS["newest_steps"], (*stretch, *stretch[:2], limit))
    if ends["first_ms"] is None:
        return []
    first_ms, end_ms = ends["first_ms"], ends["last_ms"] + step_ms
    if width_ms is None:
        return rows(TICKS["prices"], (first_ms, end_ms, limit))
    return _candles(rows, first_ms, end_ms, width_ms, limit)


def _candles(rows: Rows, start_ms: int, end_ms: int, width_ms: int, limit: int) -> list[dict[str, Any]]:
    return rows(OF_SECONDS if width_ms < MINUTE_MS else OF_MINUTES, (width_ms, start_ms, end_ms, limit))


def _span_ms(width_ms: int, limit: int) -> int:
    """Return the length of the piece that one read may look at; where there is much, it ends with its last candle."""
    return SECONDS_SPAN_MS if width_ms < MINUTE_MS else limit * width_ms


def _end_of_candle(ms: int, width_ms: int) -> int:
    return -(-ms // width_ms) * width_ms
