"""The grid's JSON: the shape that players read, and rates that the model gives."""

from __future__ import annotations

from typing import Any

import msgspec

from runtime.game.buckets import Bucket, distance_of, rate_from_bp
from runtime.game.grid import Cell, GridRules
from runtime.game.rewards import BrownianTouch
from runtime.market.grid import Grid, build_grid, encode_grid
from tests.jobs.feed.ticks import tick

RULES = GridRules(column_seconds=5, horizon_columns=12, row_step_cents=500, rows=20)
NOW = 1_790_000_002_345


def build() -> tuple[Grid, Any]:
    newest = tick(NOW - 100, 9_400_230)
    grid = build_grid(newest, BrownianTouch(RULES, 500), RULES, NOW, mode="demo", presets_cents=(100, 500))
    return grid, msgspec.json.decode(encode_grid(grid))


def test_the_json_has_the_documented_fields() -> None:
    _, json = build()
    rates = json.pop("rates_bp")
    columns, rows = json.pop("columns"), json.pop("rows")
    assert json == {
        "mode": "demo",
        "grid_version": NOW - 100,
        "server_time_ms": NOW,
        "server_time": "2026-09-21T14:13:22.345Z",
        "price": {"cents": 9_400_230, "time_ms": NOW - 100, "exchange_ms": NOW - 120},
        "presets_cents": [100, 500],
        "row_step_cents": 500,
        "column_seconds": 5,
        "fill_delay_ms": 0,
        "model": {
            "id": "brownian-touch",
            "version": "1-edge500-column5",
            "edges": [{"from_bp": 10_500, "to_bp": 1_000_001, "edge_bp": 500}],
        },
    }
    assert columns[0] == {"start_s": 1_790_000_010, "opens_ms": 1_790_000_010_000, "closes_ms": 1_790_000_015_000}
    assert [column["start_s"] for column in columns] == list(range(1_790_000_010, 1_790_000_061, 5))
    assert [row["low_cents"] for row in rows] == sorted(row["low_cents"] for row in rows)
    assert all(row["high_cents"] == row["low_cents"] + 500 for row in rows)
    assert len(rates) == len(columns)
    assert all(len(column) == len(rows) for column in rates)


def test_rates_are_the_model_s_and_some_cells_are_not_offered() -> None:
    grid, _ = build()
    model, newest = BrownianTouch(RULES, 500), tick(NOW - 100, 9_400_230)
    for column, rates in zip(grid.columns, grid.rates_bp, strict=True):
        for row, rate in zip(grid.rows, rates, strict=True):
            assert rate == model.rate_bp(Cell(column.start_s, row.low_cents, row.high_cents), newest, NOW)
    flat = [rate for rates in grid.rates_bp for rate in rates]
    assert None in flat
    assert any(flat)


def test_cells_of_closed_buckets_are_not_offered() -> None:
    open_grid, _ = build()
    model = BrownianTouch(RULES, 500)
    closed = frozenset({Bucket(model.id, model.version, 20_000, 4), Bucket(model.id, model.version, 50_000, 0)})
    grid = build_grid(tick(NOW - 100, 9_400_230), model, RULES, NOW, mode="demo", presets_cents=(100,), closed=closed)
    left_out = set()
    for column, rates, before in zip(grid.columns, grid.rates_bp, open_grid.rates_bp, strict=True):
        distance = distance_of(column.start_s, NOW, RULES.column_seconds)
        for rate, was in zip(rates, before, strict=True):
            shut = was is not None and (rate_from_bp(was) == 50_000 or (rate_from_bp(was), distance) == (20_000, 4))
            assert rate == (None if shut else was)
            left_out |= {(rate_from_bp(was), distance) for _ in (1,) if shut and was is not None}
    assert (20_000, 4) in left_out
    assert len({distance for rates, distance in left_out if rates == 50_000}) > 3
