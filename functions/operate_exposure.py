"""GET /api/operate/exposure: what the house would pay on each open column and cell."""

from __future__ import annotations

import msgspec

from runtime.function import OperatorCall, function
from runtime.operating.exposure import ColumnExposure, read_exposure


class ExposureLimits(msgspec.Struct, frozen=True):
    """Beyond these the house takes no bet, in cents of payout."""

    payout_max_cents: int
    cell_payout_max_cents: int
    column_payout_max_cents: int
    liability_max_cents: int


class ExposureNow(msgspec.Struct, frozen=True):
    """The open bets of the house; if not `complete`, there are more, and the sums are lower bounds."""

    server_time_ms: int
    price_cents: int | None
    column_seconds: int
    row_step_cents: int
    complete: bool
    bets: int
    staked_cents: int
    payout_cents: int
    limits: ExposureLimits
    columns: list[ColumnExposure]


@function(
    "GET",
    "/api/operate/exposure",
    auth="operator",
    limits=("requests",),
    summary="Open liability by column and cell",
    response=ExposureNow,
)
def exposure(call: OperatorCall[None]) -> ExposureNow:
    """Count the open bets as they are committed, in reads of 2,000 bets, 60,000 at most."""
    parts, settings = call.parts, call.parts.settings
    found = read_exposure(parts.pool.execute)
    tick = parts.market.tick
    return ExposureNow(
        server_time_ms=call.received_ms,
        price_cents=None if tick is None else tick.close,
        column_seconds=settings.column_seconds,
        row_step_cents=settings.row_step_cents,
        complete=found.complete,
        bets=found.bets,
        staked_cents=found.staked_cents,
        payout_cents=found.payout_cents,
        limits=ExposureLimits(
            settings.payout_max_cents,
            settings.cell_payout_max_cents,
            settings.column_payout_max_cents,
            settings.liability_max_cents,
        ),
        columns=found.columns,
    )
