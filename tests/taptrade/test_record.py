"""What the player notes of the stream's events."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec.structs import replace

from taptrade.choice import Offer, offers
from taptrade.client.stream import StreamEvent
from taptrade.record import Record
from tests.taptrade.grids import START_S, bet, grid

NOW_MS = START_S * 1000


def event(kind: str, content: Any) -> StreamEvent:
    return StreamEvent("e.1", kind, msgspec.json.encode(content))


def offer() -> Offer:
    return offers(grid(), NOW_MS)[0]


def test_a_bet_goes_from_pending_to_its_result_and_no_further() -> None:
    record = Record()
    tap = record.add(offer(), bet(status="pending"))
    assert record.hear(event("bet", bet())) == [tap]
    assert record.hear(event("bet", bet())) == [], "a repeat says nothing new"
    assert record.hear(event("bet", bet(status="won"))) == [tap]
    assert record.hear(event("bet", bet())) == [], "an old state does not undo a result"
    assert (tap.state, tap.settled, record.open_taps, record.streamed) == ("won", True, [], {"b1"})


def test_a_pending_bet_that_is_refused_waits_for_nothing() -> None:
    record = Record()
    tap = record.add(offer(), bet(status="pending"))
    assert record.hear(event("bet", replace(bet(status="refused"), refusal_code="BET_EXPIRED"))) == [tap]
    assert (record.taps, record.refusals, tap.state) == ({}, ["BET_EXPIRED"], "refused")


def test_bets_of_nobody_here_are_passed_over() -> None:
    assert Record().hear(event("bet", bet())) == []


def test_a_touch_marks_the_bands_that_it_meets_bounds_included() -> None:
    record = Record()
    cells = offers(grid(), NOW_MS, columns=1)
    taps = [record.add(cell, bet(f"b{place}")) for place, cell in enumerate(cells)]
    low = cells[1].row.low_cents
    touched = {"column_start_s": cells[0].column.start_s, "low_cents": low, "high_cents": low}
    assert record.hear(event("touched", {**touched, "column_start_s": 0})) == []
    assert record.hear(event("touched", touched)) == taps[:2], "the bound belongs to both bands"
    assert record.hear(event("touched", touched)) == [], "told once"
    assert [tap.state for tap in taps] == ["touched", "touched", "confirmed", "confirmed"]


def test_balances_are_noted_by_their_ledger_entry() -> None:
    record = Record()
    record.hear(event("balance", {"balance": 900, "ledger_id": "l1", "ref_type": "BET", "amount": -100}))
    assert record.told == {"l1": 900}


def test_the_newest_grid_comes_with_snapshot_grid_and_reset() -> None:
    record = Record()
    versions = []
    for news in (
        event("hello", {"run_id": "r"}),
        event("snapshot", {"grid": grid(now_ms=1), "price": {}}),
        event("grid", grid(now_ms=2)),
        event("reset", {"grid": None}),
    ):
        record.hear(news)
        versions.append(record.grid and record.grid.grid_version)
    assert versions == [None, 1, 2, 2]


def test_a_bet_that_was_never_placed_is_dropped() -> None:
    record = Record()
    tap = record.add(offer(), bet(status="pending"))
    record.drop(tap, "BET_NEVER_PLACED")
    assert (record.taps, record.refusals, tap.state) == ({}, ["BET_NEVER_PLACED"], "never placed")
    assert record.add(offer(), bet("b2")).number == 2, "a number names one tap"
