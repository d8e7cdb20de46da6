"""GET /api/grid: what can be bet on right now."""

from __future__ import annotations

import msgspec

from runtime.errors import Unavailable
from runtime.function import Call, Reply, function
from runtime.game.breaker import Breaker
from runtime.market.grid import Grid
from runtime.messaging.raw_json import with_field


class GridAnswer(Grid, frozen=True, kw_only=True):
    """The newest grid, and whether bets are taken at all."""

    breaker: Breaker


@function("GET", "/api/grid", auth="none", limits=("requests",), summary="The grid with its rates", response=GridAnswer)
def grid(call: Call[None]) -> Reply:
    """Show the newest grid, also while bets are stopped; 503 only while there is none yet."""
    market = call.parts.market
    if market.grid_json is None:
        raise Unavailable("There is no grid yet.", retry_after_s=1)
    breaker = msgspec.json.encode(market.breaker.to_dict())
    return Reply(with_field(market.grid_json, "breaker", breaker))
