"""The market of a trial: one price that is always fresh, the grid around it, and a breaker that lets bets in."""

from __future__ import annotations

from collections.abc import Sequence

from runtime.game.breaker import Breaker, State
from runtime.game.rewards import BrownianTouch
from runtime.game.settlement import GAP_MS_MAX, Result
from runtime.game.ticks import Features, Tick
from runtime.market.grid import Grid, build_grid, encode_grid
from runtime.market.models import rules_of
from runtime.messaging import redis_keys
from runtime.messaging.connection import Redis
from runtime.messaging.redis_values import encode_breaker, encode_tick
from runtime.settings import Settings

PRICE_CENTS = 9_200_250
VOLATILITY = 300.0
"""It offers the cells around the price."""
SAMPLE_MS = 300
HISTORY_MS = 600_000
HOUR_S = 3600
TICK_MS = 1_000
FAR_ROWS = 1_000


def tick_of(now_ms: int, cents: int = PRICE_CENTS) -> Tick:
    """Return the price of a moment; the published one does not move."""
    features = Features(volatility=VOLATILITY, sample_ms=SAMPLE_MS, history_ms=HISTORY_MS)
    return Tick(now_ms, now_ms, cents, cents, cents, "trial", features)


def free_cell(grid: Grid, taken: Sequence[int]) -> str:
    """Return an offered cell near the price, on the first of the columns that have the fewest `taken` ones near them.

    Columns count as near where the prices of one would close the gap that makes the other void.
    """
    near_s = GAP_MS_MAX // 1000

    def crowd(start_s: int) -> int:
        return sum(abs(start_s - other) <= near_s for other in taken)

    offered = [
        (crowd(column.start_s), column.start_s, abs(row.low_cents + row.high_cents - 2 * grid.price.cents), row)
        for column, rates in zip(grid.columns, grid.rates_bp, strict=True)
        for row, rate_bp in zip(grid.rows, rates, strict=True)
        if rate_bp is not None
    ]
    _, start_s, _, row = min(offered, key=lambda one: one[:3])
    return f"{start_s}_{row.low_cents}_{row.high_cents}"


def path_of(ended: Result, low_cents: int, high_cents: int, start_ms: int, end_ms: int) -> list[Tick]:
    """Return prices of a window and one that follows, by which a bet on a band ends in a way.

    The price that wins stands in the middle of the band, and that which loses is on no band that was shown with it.
    """
    if ended == "void":
        return [tick_of(start_ms), tick_of(start_ms + GAP_MS_MAX + 1)]
    cents = (low_cents + high_cents) // 2 if ended == "won" else high_cents + FAR_ROWS * (high_cents - low_cents)
    return [tick_of(ms, cents) for ms in range(start_ms, end_ms + 1, TICK_MS)]


def be_well(client: Redis, tick: Tick, settings: Settings) -> None:
    """Publish a price with its grid, and that bets are taken."""
    rules = rules_of(settings)
    grid = build_grid(
        tick,
        BrownianTouch(rules, settings.house_edge_bp),
        rules,
        tick.id,
        mode=settings.mode,
        presets_cents=settings.presets_cents,
    )
    breaker = Breaker(State.HEALTHY, since_ms=tick.id, fresh_since_ms=tick.id)
    client.set(redis_keys.TICK_LATEST, encode_tick(tick))
    client.set(redis_keys.GRID_LATEST, encode_grid(grid))
    client.set(redis_keys.BREAKER, encode_breaker(breaker, None))
    # What is signed now must not count as signed before this Redis began.
    client.hset(redis_keys.EPOCH, mapping={"id": "trial", "since_s": str(tick.id // 1000 - HOUR_S)})
