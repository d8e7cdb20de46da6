"""The prices of the last seven days as ticks or candles: each page one indexed read of a bounded piece."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal, get_args

Rows = Callable[[str, Sequence[Any]], list[dict[str, Any]]]
Resolution = Literal["tick", "1s", "5s", "10s", "30s", "1m", "5m", "15m", "1h"]

_UNIT_MS = {"s": 1_000, "m": 60_000, "h": 3_600_000}
WIDTHS_MS: dict[str, int] = {
    name: int(name[:-1]) * _UNIT_MS[name[-1]] for name in get_args(Resolution) if name != "tick"
}
STORED_MS = 60_000
"""Width of the stored candles; wider ones are made of them, narrower ones of ticks."""
TICKS_SPAN_MS = 1_200_000
"""Longest piece of ticks that one read makes candles of: 12,000 ticks, some 15 ms."""

TICKS = "SELECT id, exchange_ms, close, low, high FROM ticks WHERE id >= ? AND id < ? ORDER BY id LIMIT ?"

# Both make candles of rows that are in order: (start, first, last) by group, then the ends' prices by key.
OF_TICKS = """
SELECT candle.start_ms, first.close AS open, candle.high, candle.low, last.close, candle.ticks
FROM (SELECT id - id % ? AS start_ms, min(id) AS first_id, max(id) AS last_id,
             max(high) AS high, min(low) AS low, count(*) AS ticks
      FROM ticks WHERE id >= ? AND id < ? GROUP BY 1 ORDER BY 1 LIMIT ?) AS candle
JOIN ticks AS first ON first.id = candle.first_id
JOIN ticks AS last ON last.id = candle.last_id
ORDER BY candle.start_ms
"""
OF_CANDLES = """
SELECT candle.start_ms, first.open, candle.high, candle.low, last.close, candle.ticks
FROM (SELECT start_ms - start_ms % ? AS start_ms, min(start_ms) AS first_ms, max(start_ms) AS last_ms,
             max(high) AS high, min(low) AS low, sum(ticks) AS ticks
      FROM candles WHERE start_ms >= ? AND start_ms < ? GROUP BY 1 ORDER BY 1 LIMIT ?) AS candle
JOIN candles AS first ON first.start_ms = candle.first_ms
JOIN candles AS last ON last.start_ms = candle.last_ms
ORDER BY candle.start_ms
"""


def ticks(rows: Rows, from_ms: int, to_ms: int, limit: int) -> tuple[list[dict[str, Any]], int | None]:
    """Return the ticks with from <= id < to, oldest first, and where the next page begins."""
    found = rows(TICKS, (from_ms, to_ms, limit + 1))
    return found[:limit], found[limit]["id"] if len(found) > limit else None


def candles(rows: Rows, from_ms: int, to_ms: int, width_ms: int, limit: int) -> tuple[list[dict[str, Any]], int | None]:
    """Return whole candles that touch [from, to), oldest first, and where the next page begins.

    A page may hold fewer than `limit` although more follow: one read looks at a bounded piece only.
    """
    start_ms = from_ms - from_ms % width_ms
    end_ms = -(-to_ms // width_ms) * width_ms
    of_ticks = width_ms < STORED_MS
    piece_ms = min(end_ms, start_ms + (TICKS_SPAN_MS if of_ticks else limit * width_ms))
    found = rows(OF_TICKS if of_ticks else OF_CANDLES, (width_ms, start_ms, piece_ms, limit + 1))
    if len(found) > limit:
        return found[:limit], found[limit]["start_ms"]
    return found, piece_ms if piece_ms < end_ms else None
