"""GET /api/price: the latest tick."""

from __future__ import annotations

import msgspec

from runtime.clock import rfc3339
from runtime.errors import Unavailable
from runtime.function import Call, function
from runtime.game.ticks import Features


class Price(msgspec.Struct, frozen=True):
    """The newest tick, in cents, and how old it was when this was asked; `mode` says whether it is play money."""

    id: int
    time: str
    """When the price came."""
    age_ms: int
    exchange_ms: int
    close: int
    low: int
    high: int
    sources: str
    features: Features
    mode: str


@function("GET", "/api/price", auth="none", limits=("requests",), summary="The latest tick", response=Price)
def price(call: Call[None]) -> Price:
    """Show the newest tick, however old it is; 503 only while none is known at all."""
    tick = call.parts.market.tick
    if tick is None:
        raise Unavailable("There is no price yet.", retry_after_s=1)
    return Price(
        id=tick.id,
        time=rfc3339(tick.id),
        age_ms=max(0, call.received_ms - tick.id),
        exchange_ms=tick.exchange_ms,
        close=tick.close,
        low=tick.low,
        high=tick.high,
        sources=tick.sources,
        features=tick.features,
        mode=call.parts.settings.mode,
    )
