"""GET /api/prices: ticks or candles of the last seven days."""

from __future__ import annotations

import msgspec

from runtime import price_history
from runtime.errors import InvalidRequest
from runtime.function import Call, function
from runtime.pages import Limit, PageQuery, Time, after_number
from runtime.price_history import WIDTHS_MS, Resolution
from runtime.ticks_store import KEEP_MS

TICK_MS_MIN = 100
"""At most ten ticks a second are published."""


class PricesQuery(PageQuery, frozen=True, rename={"from_ms": "from", "to_ms": "to"}):
    """A stretch of time, `from` included and `to` not; without one, as much of the newest as one page holds."""

    from_ms: Time | None = None
    to_ms: Time | None = None
    resolution: Resolution = "tick"
    limit: Limit = 300


class TickRow(msgspec.Struct, frozen=True):
    """One published tick: the last, lowest and highest price of its interval, in cents."""

    id: int
    exchange_ms: int
    close: int
    low: int
    high: int


class Candle(msgspec.Struct, frozen=True):
    """The ticks of one stretch, in cents."""

    start_ms: int
    open: int
    high: int
    low: int
    close: int
    ticks: int


class Prices(msgspec.Struct, frozen=True, omit_defaults=True):
    """Ticks or candles, oldest first, and the cursor of the page that follows."""

    resolution: Resolution
    from_ms: int
    to_ms: int
    next_cursor: str | None
    ticks: list[TickRow] | msgspec.UnsetType = msgspec.UNSET
    candles: list[Candle] | msgspec.UnsetType = msgspec.UNSET


@function(
    "GET",
    "/api/prices",
    auth="none",
    limit="requests",
    summary="Ticks or candles of the last seven days",
    query=PricesQuery,
    response=Prices,
)
def prices(call: Call[None]) -> Prices:
    """Read one page of the price history, oldest first; the last candle may still be running."""
    query: PricesQuery = call.params
    width_ms = WIDTHS_MS.get(query.resolution)
    to_ms = call.received_ms + 1 if query.to_ms is None else query.to_ms
    page_ms = (query.limit - 1) * (width_ms or TICK_MS_MIN)
    from_ms = max(0, to_ms - 1 - page_ms) if query.from_ms is None else query.from_ms
    if from_ms >= to_ms:
        raise InvalidRequest("`from` must lie before `to`.", field="from")
    begin_ms = max(from_ms, call.received_ms - KEEP_MS)
    if query.cursor is not None:
        begin_ms = max(begin_ms, after_number(query.cursor))
    rows = call.parts.ticks_reads.rows
    if width_ms is None:
        found, following = price_history.ticks(rows, begin_ms, to_ms, query.limit)
        cursor = None if following is None else str(following)
        return Prices(query.resolution, from_ms, to_ms, cursor, ticks=msgspec.convert(found, list[TickRow]))
    found, following = price_history.candles(rows, begin_ms, min(to_ms, call.received_ms + 1), width_ms, query.limit)
    cursor = None if following is None else str(following)
    return Prices(query.resolution, from_ms, to_ms, cursor, candles=msgspec.convert(found, list[Candle]))
