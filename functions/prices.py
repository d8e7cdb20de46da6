"""GET /api/prices: ticks or candles of the last seven days."""

from __future__ import annotations

import msgspec

from runtime.errors import InvalidRequest
from runtime.function import Call, function
from runtime.records.pages import Limit, NumberPage, Time, after_number
from runtime.storage import price_history
from runtime.storage.price_history import WIDTHS_MS, Resolution
from runtime.storage.ticks_store import KEEP_MS


class PricesQuery(NumberPage, frozen=True, rename={"from_ms": "from", "to_ms": "to"}):
    """A stretch of time, `from` included and `to` not; without `from`, the newest before `to` that one page holds."""

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
    limits=("requests",),
    summary="Ticks or candles of the last seven days",
    query=PricesQuery,
    response=Prices,
)
def prices(call: Call[None]) -> Prices:
    """Read one page of the price history, oldest first; the last candle may still be running."""
    query: PricesQuery = call.params
    width_ms = WIDTHS_MS.get(query.resolution)
    to_ms = call.received_ms + 1 if query.to_ms is None else query.to_ms
    from_ms = query.from_ms or 0
    if from_ms >= to_ms:
        raise InvalidRequest("`from` must lie before `to`.", field="from")
    rows = call.parts.ticks_pool.rows
    begin_ms = max(from_ms, call.received_ms - KEEP_MS)
    following: int | None = None
    if query.from_ms is None and not query.cursor:
        found = price_history.newest(rows, begin_ms, to_ms, width_ms, query.limit)
        # What is before this page is asked for with its `from_ms` as `to`.
        from_ms = found[0]["id" if width_ms is None else "start_ms"] if found else from_ms
    else:
        begin_ms = max(begin_ms, after_number(query.cursor)) if query.cursor else begin_ms
        if width_ms is None:
            found, following = price_history.ticks(rows, begin_ms, to_ms, query.limit)
        else:
            end_ms = min(to_ms, call.received_ms + 1)
            found, following = price_history.candles(rows, begin_ms, end_ms, width_ms, query.limit)
    page = Prices(query.resolution, from_ms, to_ms, None if following is None else str(following))
    if width_ms is None:
        return msgspec.structs.replace(page, ticks=msgspec.convert(found, list[TickRow]))
    return msgspec.structs.replace(page, candles=msgspec.convert(found, list[Candle]))
