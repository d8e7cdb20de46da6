"""The market of a trial: one price that is always fresh, the grid around it, and a breaker that lets bets in."""

from __future__ import annotations

from runtime.game.breaker import Breaker, State
from runtime.game.rewards import BrownianTouch
from runtime.game.ticks import Features, Tick
from runtime.market.grid import build_grid, encode_grid
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


def tick_of(now_ms: int) -> Tick:
    """Return the price of a moment; it does not move."""
    features = Features(volatility=VOLATILITY, sample_ms=SAMPLE_MS, history_ms=HISTORY_MS)
    return Tick(now_ms, now_ms, PRICE_CENTS, PRICE_CENTS, PRICE_CENTS, "trial", features)


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
