"""The grid as players see it: prices, columns, rows and rates at one moment, encoded once for everybody."""

from __future__ import annotations

import msgspec

from runtime.clock import rfc3339
from runtime.game.buckets import Bucket, closed_of, distance_of, rate_from_bp
from runtime.game.grid import Cell, GridRules, placeable_columns, shown_rows
from runtime.game.rewards import RewardModel, Telling
from runtime.game.ticks import Tick

_encoder = msgspec.json.Encoder()


class GridPrice(msgspec.Struct, frozen=True):
    """The price that the rates are computed from, and its own time."""

    cents: int
    time_ms: int
    exchange_ms: int


class GridColumn(msgspec.Struct, frozen=True):
    """A column that takes bets until it opens."""

    start_s: int
    opens_ms: int
    closes_ms: int


class GridRow(msgspec.Struct, frozen=True):
    """A price band, bounds included."""

    low_cents: int
    high_cents: int


class GridEdge(msgspec.Struct, frozen=True):
    """What the house keeps of the rates of a stretch, the last of which is not included."""

    from_bp: int
    to_bp: int
    edge_bp: int
    """Rate times probability is 10,000 less this: the house's edge, and more where less is known."""


class GridModel(msgspec.Struct, frozen=True):
    """The reward model behind the rates."""

    id: str
    """Which model it is."""
    version: str
    edges: tuple[GridEdge, ...]
    """What is offered at most, and what is kept of it; empty for a model that does not tell."""


class Grid(msgspec.Struct, frozen=True):
    """The columns k+2 to k+H, the rows around the price, ascending, and a rate for each cell."""

    mode: str
    grid_version: int
    """Id of the tick that the rates were computed from."""
    server_time_ms: int
    server_time: str
    price: GridPrice
    columns: tuple[GridColumn, ...]
    rows: tuple[GridRow, ...]
    rates_bp: tuple[tuple[int | None, ...], ...]
    """One tuple a column, one rate a row, in basis points; null where the cell is not offered."""
    presets_cents: tuple[int, ...]
    row_step_cents: int
    column_seconds: int
    fill_delay_ms: int
    """How long a bet waits after its receipt before it is filled."""
    model: GridModel


_decoder = msgspec.json.Decoder(Grid)


def build_grid(
    tick: Tick,
    model: RewardModel,
    rules: GridRules,
    now_ms: int,
    *,
    mode: str,
    presets_cents: tuple[int, ...],
    fill_delay_ms: int = 0,
    closed: frozenset[Bucket] = frozenset(),
) -> Grid:
    """Price every shown cell at `now_ms` from `tick`; a cell of a closed bucket is not offered."""
    starts = placeable_columns(now_ms, rules)
    lows = shown_rows(tick.close, rules)
    step, width_ms = rules.row_step_cents, rules.column_seconds * 1000

    def offered_bp(start_s: int, low_cents: int) -> int | None:
        rate_bp = model.rate_bp(Cell(start_s, low_cents, low_cents + step), tick, now_ms)
        if rate_bp is None or not closed:
            return rate_bp
        distance = distance_of(start_s, now_ms, rules.column_seconds)
        bucket = Bucket(model.id, model.version, rate_from_bp(rate_bp), distance)
        return rate_bp if closed_of(closed, bucket) is None else None

    return Grid(
        mode=mode,
        grid_version=tick.id,
        server_time_ms=now_ms,
        server_time=rfc3339(now_ms),
        price=GridPrice(tick.close, tick.id, tick.exchange_ms),
        columns=tuple(GridColumn(start, start * 1000, start * 1000 + width_ms) for start in starts),
        rows=tuple(GridRow(low, low + step) for low in lows),
        rates_bp=tuple(tuple(offered_bp(start, low) for low in lows) for start in starts),
        presets_cents=presets_cents,
        row_step_cents=step,
        column_seconds=rules.column_seconds,
        fill_delay_ms=fill_delay_ms,
        model=GridModel(model.id, model.version, _edges(model)),
    )


def _edges(model: RewardModel) -> tuple[GridEdge, ...]:
    return tuple(GridEdge(*stretch) for stretch in model.kept_bp) if isinstance(model, Telling) else ()


def encode_grid(grid: Grid) -> bytes:
    """Encode a grid as the JSON that Redis, the stream and the API carry."""
    return _encoder.encode(grid)


def decode_grid(data: bytes) -> Grid | None:
    """Read a grid; None for what is none that this build writes."""
    try:
        return _decoder.decode(data)
    except msgspec.DecodeError:
        return None
