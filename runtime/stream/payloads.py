"""What each event of the stream holds, with an example of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import msgspec
from msgspec.structs import astuple

from runtime.game.breaker import Breaker, State
from runtime.game.ticks import Features, Tick
from runtime.market.grid import Grid, GridColumn, GridModel, GridPrice, GridRow
from runtime.market.grid_change import GridChange
from runtime.market.touched import Touched
from runtime.records.views import BalanceEvent, BetEvent, BetView, ColumnEvent
from runtime.stream.brief import BriefPrice

P = TypeVar("P")
G = TypeVar("G")


class Hello(msgspec.Struct, frozen=True):
    """The first event: which process tells it, and how often it gives a sign of life."""

    event_id: str
    run_id: str
    mode: str
    heartbeat_ms: int
    server_time: str
    server_time_ms: int
    user_id: str | None
    """Who reads; null where nobody is signed in."""


class Snapshot(msgspec.Struct, Generic[P, G], frozen=True, omit_defaults=True):
    """The whole picture; `balance` and `open_bets` for a signed-in player only, `reason` where it is a reset's."""

    event_id: str
    mode: str
    server_time: str
    server_time_ms: int
    price: P | None
    grid: G | None
    breaker: Breaker
    balance: int | msgspec.UnsetType = msgspec.UNSET
    """What the player's account holds; left out where nobody is signed in."""
    open_bets: list[BetView] | msgspec.UnsetType = msgspec.UNSET
    """The player's bets that have not ended; left out where nobody is signed in."""
    reason: str | msgspec.UnsetType = msgspec.UNSET
    """Why the stream begins anew."""


class SnapshotEvent(Snapshot[Tick, Grid], frozen=True, omit_defaults=True):
    """The whole picture, to begin with; `balance` and `open_bets` for a signed-in player only."""


class ResetEvent(Snapshot[Tick, Grid], frozen=True, omit_defaults=True):
    """A fresh snapshot, since the cursor to resume from is no longer known; `reason` says so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceEvent(Tick):
    """A tick, up to ten a second."""

    event_id: str


class BriefPriceEvent(BriefPrice, frozen=True, kw_only=True):
    """A price without what it was made from, to who asks for `price=brief`."""

    event_id: str


class GridEvent(Grid, frozen=True, kw_only=True):
    """The grid with its rates, four times a second."""

    event_id: str


class GridChangeEvent(GridChange, frozen=True, kw_only=True):
    """The grid by its differences from the one before, to who asks for `grid=changes`."""

    event_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusEvent(Breaker):
    """The breaker, after a change."""

    event_id: str


class TouchedEvent(Touched, frozen=True, kw_only=True):
    """The range that the running column's price has reached (provisional)."""

    event_id: str


_MS = 1_790_000_002_300
_TIME = "2026-09-21T14:13:22.300Z"
_PUBLIC_ID = "1790000002301-0"
_CURSOR = f"k2Zr9QxT1bA.{_PUBLIC_ID}.4711.999999"
_FEATURES = Features(412.7, 98, 3_600_000)
_TICK = Tick(_MS, _MS - 80, 11_263_512, 11_263_500, 11_263_990, "binance,coinbase,kraken", _FEATURES)
_GRID = Grid(
    mode="demo",
    grid_version=_MS,
    server_time_ms=_MS + 12,
    server_time="2026-09-21T14:13:22.312Z",
    price=GridPrice(11_263_512, _MS, _MS - 80),
    columns=(GridColumn(1_790_000_010, 1_790_000_010_000, 1_790_000_015_000),),
    rows=(GridRow(11_263_500, 11_264_000), GridRow(11_264_000, 11_264_500)),
    rates_bp=((11_240, None),),
    presets_cents=(100, 500, 1_000),
    row_step_cents=500,
    column_seconds=5,
    fill_delay_ms=0,
    model=GridModel("mixture", "4", ()),
)
_BET = BetView(
    id="01K5NYQ1B4T5M8W2ZC6XR7H3PA",
    cell_id="1790000010_11263500_11264000",
    amount=100,
    reward_rate=11_240,
    status="confirmed",
    placed_at="2026-09-21T14:13:22.290Z",
    resolved_at=None,
    payout_amount=None,
    refusal_code=None,
    refusal_detail=None,
    min_rate_bp=10_903,
    tick_id=_MS - 100,
    price_cents=11_263_480,
    column_start_s=1_790_000_010,
    low_cents=11_263_500,
    high_cents=11_264_000,
    received_ms=1_790_000_002_284,
    placed_ms=1_790_000_002_290,
    placed_commit=4711,
    resolved_commit=None,
)
_LEDGER_ID = "01K5NYQ1B20000000004YV0002"

EXAMPLES: Mapping[str, Any] = {
    "hello": Hello("k2Zr9QxT1bA.0-0.0.0", "api-417-8b1d0c52", "demo", 15_000, _TIME, _MS, "01K5NYPW4S0M3Y9E5J2GQ8B7TD"),
    "snapshot": SnapshotEvent(_CURSOR, "demo", _TIME, _MS, _TICK, _GRID, Breaker(State.HEALTHY), 999_900, [_BET]),
    "price": PriceEvent(
        _MS, _MS - 80, 11_263_512, 11_263_500, 11_263_990, "binance,kraken", _FEATURES, event_id=_PUBLIC_ID
    ),
    "brief_price": BriefPriceEvent(_MS, _MS - 80, 11_263_512, 11_263_500, 11_263_990, event_id=_PUBLIC_ID),
    "grid": GridEvent(*astuple(_GRID), event_id=_PUBLIC_ID),
    "grid_change": GridChangeEvent(
        _MS, "1790000002050-0", _MS + 12, _GRID.price, 1_790_000_010, 11_263_500, ("nC.",), event_id=_PUBLIC_ID
    ),
    "status": StatusEvent(State.CRITICAL, _MS, event_id=_PUBLIC_ID),
    "touched": TouchedEvent(1_790_000_000, 11_263_100, 11_264_020, _MS, event_id=_PUBLIC_ID),
    "column": ColumnEvent(
        start_s=1_790_000_010,
        end_s=1_790_000_015,
        covered=True,
        open=11_263_512,
        low=11_263_100,
        high=11_264_020,
        close=11_263_800,
        tick_count=51,
        ticks_sha256="9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        first_tick_id=1_790_000_009_950,
        last_tick_id=1_790_000_014_960,
        reason=None,
        settled_at="2026-09-21T14:13:36.020Z",
        event_id="c4720.0",
    ),
    "bet": BetEvent(*astuple(_BET), event_id="c4711.1"),
    "balance": BalanceEvent(999_900, _LEDGER_ID, "BET", _BET.id, -100, "c4711.2"),
    "reset": ResetEvent(
        _CURSOR, "demo", _TIME, _MS, _TICK, _GRID, Breaker(State.HEALTHY), reason="The cursor is not known here."
    ),
}
"""An example of each event's data by the event's type; what types the fields have, the classes say."""
