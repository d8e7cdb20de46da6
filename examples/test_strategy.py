"""The strategy on a grid that is made up: no house, no clock, no chance."""

from __future__ import annotations

import msgspec
from strategy import choose, profit_cents

from taptrade.views import EntryView, GridView

NOW_MS = 1_790_000_000_000
GRID = msgspec.convert(
    {
        "mode": "demo",
        "grid_version": NOW_MS,
        "server_time_ms": NOW_MS,
        "price": {"cents": 100_000, "time_ms": NOW_MS},
        "columns": [{"start_s": 1_790_000_010, "opens_ms": NOW_MS + 10_000, "closes_ms": NOW_MS + 15_000}],
        "rows": [{"low_cents": low, "high_cents": low + 500} for low in (99_500, 100_000, 100_500)],
        "rates_bp": [[12_000, 18_000, None]],
        "presets_cents": [100, 500],
        "column_seconds": 5,
    },
    GridView,
)


def test_the_likeliest_cell_that_pays_enough_is_tapped() -> None:
    offer = choose(GRID, NOW_MS, ())
    assert offer is not None
    assert (offer.cell_id, offer.rate_bp) == ("1790000010_100000_100500", 18_000)
    assert choose(GRID, NOW_MS, {offer.cell_id}) is None


def test_a_column_that_has_closed_is_left_alone() -> None:
    assert choose(GRID, NOW_MS + 5_000, ()) is None


def test_a_void_bet_brings_nothing_and_other_money_is_no_profit() -> None:
    moved = [("PAYOUT", "won", 180), ("REFUND", "void", 500), ("DEPOSIT", "d", 10_000)]
    moved += [("BET", "won", -100), ("BET", "void", -500), ("BET", "lost", -100)]
    entries = [EntryView("", amount, 0, ref_type, ref_id) for ref_type, ref_id, amount in moved]
    assert profit_cents(entries, {"won", "void", "lost"}) == -20
