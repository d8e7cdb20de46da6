"""The exposure read in small pieces: cells that no piece holds whole, and more bets than are read at once."""

from __future__ import annotations

import pytest

from runtime.operating import exposure
from runtime.operating.exposure import read_exposure, settlement_lag_ms
from tests.jobs.writer_desk import Desk

PLAYERS = 7


@pytest.fixture
def open_bets(desk: Desk) -> Desk:
    """Return a desk with bets of seven players on each of three cells in two columns."""
    for number in range(1, PLAYERS + 1):
        user_id = desk.player(number)
        bets = [desk.bet(user_id, columns=columns, rows=rows) for columns, rows in ((3, 0), (3, 1), (5, 0))]
        assert [one.code for one in desk.place(*bets)] == [None, None, None]
    return desk


@pytest.mark.parametrize("piece", [1, 2, 3, 7, 14, 15, 2_000])
def test_pieces_of_any_length_come_to_the_same(open_bets: Desk, monkeypatch: pytest.MonkeyPatch, piece: int) -> None:
    monkeypatch.setattr(exposure, "SLICE_BETS", piece)
    found = read_exposure(open_bets.database.execute)
    known = open_bets.writer.book.exposure
    assert (found.complete, found.bets, found.payout_cents) == (True, 3 * PLAYERS, known.total_cents)
    assert {one.start_s: one.payout_cents for one in found.columns} == known._columns
    cells = [cell for column in found.columns for cell in column.cells]
    assert {cell.cell_id: cell.payout_cents for cell in cells} == known._cells
    assert len(cells) == len({cell.cell_id for cell in cells}) == 3
    assert [cell.bets for cell in cells] == [PLAYERS] * 3


def test_the_oldest_column_that_is_open_tells_how_late_settlement_is(open_bets: Desk) -> None:
    execute, width_s = open_bets.database.execute, open_bets.writer.rules.grid.column_seconds
    ends_ms = 1000 * (min(open_bets.writer.book.exposure._columns) + width_s)
    assert settlement_lag_ms(execute, width_s, ends_ms - 1) == 0
    assert settlement_lag_ms(execute, width_s, ends_ms + 70_000) == 70_000


def test_without_open_bets_nothing_is_late(desk: Desk) -> None:
    assert settlement_lag_ms(desk.database.execute, 5, desk.clock.now_ms()) == 0


def test_beyond_what_is_read_at_once_the_sums_are_lower_bounds(
    open_bets: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exposure, "SLICE_BETS", 4)
    monkeypatch.setattr(exposure, "BETS_MAX", 10)
    found = read_exposure(open_bets.database.execute)
    assert found.complete is False
    assert 10 <= found.bets < 3 * PLAYERS
    assert found.payout_cents < open_bets.writer.book.exposure.total_cents
    assert found.columns[0].start_s == min(open_bets.writer.book.exposure._columns)


def test_more_columns_than_are_read_are_said_to_be_there(open_bets: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exposure, "COLUMNS_MAX", 1)
    found = read_exposure(open_bets.database.execute)
    assert (found.complete, len(found.columns), found.bets) == (False, 1, 2 * PLAYERS)


def test_refused_bets_are_not_exposed(desk: Desk) -> None:
    user_id = desk.player(1, 100)
    placed = desk.place(desk.bet(user_id), desk.bet(user_id), desk.bet(user_id, rows=1))
    assert [one.code for one in placed].count(None) == 1
    assert read_exposure(desk.database.execute).bets == 1
