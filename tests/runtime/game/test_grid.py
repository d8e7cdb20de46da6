"""Only canonical ids of cells on the lattice exist, and only columns k+2 to k+H take bets."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.game.grid import Cell, GridRules, column_of, is_placeable, parse_cell, placeable_columns, shown_rows

RULES = GridRules(column_seconds=5, horizon_columns=12, row_step_cents=500, rows=20)
START = 1_790_000_000


@pytest.mark.parametrize(
    ("cell_id", "expected"),
    [
        pytest.param("1790000000_9300000_9300500", Cell(START, 9_300_000, 9_300_500), id="plain"),
        pytest.param("1790000005_0_500", Cell(START + 5, 0, 500), id="lowest row"),
        pytest.param("0_500_1000", Cell(0, 500, 1000), id="first column"),
        pytest.param("1790000001_9300000_9300500", None, id="between columns"),
        pytest.param("1790000000_9300001_9300501", None, id="between rows"),
        pytest.param("1790000000_9300000_9301000", None, id="two rows high"),
        pytest.param("1790000000_9300500_9300000", None, id="upside down"),
        pytest.param("1790000000_9300000_9300000", None, id="no height"),
        pytest.param("1790000000_-500_0", None, id="below zero"),
        pytest.param("-5_500_1000", None, id="before 1970"),
        pytest.param("01790000000_9300000_9300500", None, id="leading zero in time"),
        pytest.param("1790000000_09300000_9300500", None, id="leading zero in price"),
        pytest.param("1790000000_00_500", None, id="double zero"),
        pytest.param("1790000000_-0_500", None, id="minus zero"),
        pytest.param("+1790000000_9300000_9300500", None, id="plus sign"),
        pytest.param(" 1790000000_9300000_9300500", None, id="space before"),
        pytest.param("1790000000_9300000_9300500\n", None, id="newline after"),
        pytest.param("1790000000_ 9300000_9300500", None, id="space inside"),
        pytest.param("1790000000_\u0669300000_9300500", None, id="Arabic digit"),
        pytest.param("1790000000_\uff19300000_9300500", None, id="full-width digit"),
        pytest.param("1790000000_9_300000_9300500", None, id="underscore inside a number"),
        pytest.param("1790000000__9300500", None, id="empty part"),
        pytest.param("1790000000_9300000", None, id="two parts"),
        pytest.param("1790000000_9300000_9300500_", None, id="trailing separator"),
        pytest.param("1790000000_9300000.0_9300500", None, id="decimal point"),
        pytest.param("1.79e9_9300000_9300500", None, id="exponent"),
        pytest.param("0x0_500_1000", None, id="hexadecimal"),
        pytest.param("", None, id="empty"),
        pytest.param("5_" + "9" * 5000 + "_9", None, id="endless digits"),
        pytest.param("1790000000_99999999500_100000000000", None, id="longer than an id may be"),
    ],
)
def test_only_a_canonical_id_of_a_cell_on_the_grid_is_read(cell_id: str, expected: Cell | None) -> None:
    assert parse_cell(cell_id, RULES) == expected


@given(st.text(alphabet="0123456789_-+ e.\u0663", max_size=40) | st.text(max_size=40))
def test_whatever_parses_is_written_back_alike(text: str) -> None:
    cell = parse_cell(text, RULES)
    assert cell is None or cell.id == text


@given(st.integers(0, 1_999_999_999), st.integers(0, 1_999_999), st.integers(1, 60), st.integers(1, 4_000))
def test_every_cell_of_the_lattice_has_one_id(column: int, row: int, column_seconds: int, row_step_cents: int) -> None:
    rules = GridRules(column_seconds, 12, row_step_cents, 20)
    start_s = column - column % column_seconds
    cell = Cell(start_s, row * row_step_cents, (row + 1) * row_step_cents)
    assert parse_cell(cell.id, rules) == cell


@given(st.text(alphabet="0123456789_", min_size=1, max_size=32))
def test_a_parsed_cell_fits_a_database_integer(text: str) -> None:
    cell = parse_cell(text, GridRules(1, 12, 1, 20))
    assert cell is None or max(cell.start_s, cell.high_cents) < 2**63


@pytest.mark.parametrize(
    ("now_ms", "expected"),
    [
        pytest.param(START * 1000, START, id="first millisecond"),
        pytest.param(START * 1000 + 4_999, START, id="last millisecond"),
        pytest.param(START * 1000 + 5_000, START + 5, id="next column"),
        pytest.param(START * 1000 - 1, START - 5, id="previous column"),
    ],
)
def test_a_moment_belongs_to_the_column_that_began_last(now_ms: int, expected: int) -> None:
    assert column_of(now_ms, RULES) == expected


@pytest.mark.parametrize(
    ("columns_ahead", "expected"),
    [
        pytest.param(-1, False, id="past"),
        pytest.param(0, False, id="current"),
        pytest.param(1, False, id="next"),
        pytest.param(2, True, id="first placeable"),
        pytest.param(12, True, id="last placeable"),
        pytest.param(13, False, id="beyond the horizon"),
    ],
)
@pytest.mark.parametrize("into_column_ms", [0, 1, 4_999])
def test_bets_are_taken_from_two_columns_ahead_to_the_horizon(
    columns_ahead: int, expected: bool, into_column_ms: int
) -> None:
    cell = Cell(START + 5 * columns_ahead, 500, 1000)
    assert is_placeable(cell, START * 1000 + into_column_ms, RULES) is expected


@given(st.integers(0, 4 * 10**12), st.integers(1, 3600), st.integers(2, 1000))
def test_placeable_columns_are_those_from_two_ahead_to_the_horizon(now_ms: int, width: int, horizon: int) -> None:
    rules = GridRules(width, horizon, 500, 20)
    columns = placeable_columns(now_ms, rules)
    assert len(columns) == horizon - 1
    assert all(start % width == 0 for start in (columns[0], columns[-1]))
    assert width * 1000 < columns[0] * 1000 - now_ms <= 2 * width * 1000
    assert columns[-1] == column_of(now_ms, rules) + horizon * width


@pytest.mark.parametrize(
    ("price_cents", "rows", "first_low"),
    [
        pytest.param(10_000, 20, 5_000, id="on a line: as many rows above as below"),
        pytest.param(10_249, 20, 5_000, id="lower half of a row"),
        pytest.param(10_250, 20, 5_500, id="upper half of a row"),
        pytest.param(10_499, 5, 9_000, id="odd: the price's row is the middle one"),
        pytest.param(10_000, 5, 9_000, id="odd, on a line"),
        pytest.param(600, 20, 0, id="never below zero"),
        pytest.param(0, 20, 0, id="price of zero"),
    ],
)
def test_rows_are_shown_around_the_price_but_not_below_zero(price_cents: int, rows: int, first_low: int) -> None:
    shown = shown_rows(price_cents, GridRules(5, 12, 500, rows))
    assert shown == [first_low + 500 * index for index in range(rows)]


@given(st.integers(0, 10**9), st.integers(1, 10**5), st.integers(2, 200))
def test_the_price_is_inside_the_middle_rows(price_cents: int, step: int, rows: int) -> None:
    shown = shown_rows(price_cents, GridRules(5, 12, step, rows))
    assert len(shown) == rows
    assert shown[0] >= 0
    assert shown[0] <= price_cents <= shown[-1] + step
    if shown[0] > 0:
        assert abs(2 * price_cents - (shown[0] + shown[-1] + step)) <= step
