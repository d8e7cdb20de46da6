"""Small grids and bets for the player's tests."""

from __future__ import annotations

from taptrade.views import BetView, ColumnView, GridView, PriceView, RowView

START_S = 1_790_000_000
WIDTH_S = 5


def grid(
    *, columns: int = 11, rows: int = 4, rate_bp: int | None = 20_000, now_ms: int = START_S * 1000, first: int = 2
) -> GridView:
    """Return a grid at the start of a column; every cell at one rate."""
    starts = [START_S + WIDTH_S * place for place in range(first, first + columns)]
    return GridView(
        mode="demo",
        grid_version=now_ms,
        server_time_ms=now_ms,
        price=PriceView(100_000, now_ms),
        columns=tuple(ColumnView(start, start * 1000, (start + WIDTH_S) * 1000) for start in starts),
        rows=tuple(RowView(low, low + 500) for low in range(99_000, 99_000 + 500 * rows, 500)),
        rates_bp=((rate_bp,) * rows,) * columns,
        presets_cents=(100, 500),
        column_seconds=WIDTH_S,
    )


def bet(bet_id: str = "b1", status: str = "confirmed", amount: int = 100, rate: int = 18_555) -> BetView:
    """Return a bet; a won one is paid stake x rate, rounded down."""
    payout = amount * rate // 10_000 if status == "won" else None
    return BetView(
        bet_id,
        status,
        f"cell-{bet_id}",
        amount,
        reward_rate=None if status == "pending" else rate,
        payout_amount=payout,
    )
