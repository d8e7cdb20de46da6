"""The report: tables, sentences, and their place in a document."""

from __future__ import annotations

import pytest

from loadtest.bench.report import NoMarkers, cost_table, highest_line, put_between, rates_table, table, yardsticks_table
from loadtest.bench.results import Bench, OneColumn, Rate, yardstick
from tests.loadtest.test_search import rate


def costly() -> Rate:
    found = rate(errors={"CELL_CLOSED": 1_234})
    found.cpu_us_per_bet = {"writer": 90.4, "api": 240.6, "jobs": 0.2}
    return found


def test_columns_are_as_wide_as_they_need() -> None:
    assert table(["name", "n"], [["a", "1"], ["longer", "1,000"]]) == (
        "| name   |     n |\n| ------ | ----: |\n| a      |     1 |\n| longer | 1,000 |"
    )


def test_errors_are_named() -> None:
    assert rates_table([rate()]).splitlines()[-1].endswith("|      0 |")
    assert "1,234 CELL_CLOSED" in rates_table([costly()])


def test_processes_are_ordered_by_cost_and_idle_ones_left_out() -> None:
    head, _, row = cost_table([costly(), rate()]).splitlines()[:3]
    assert [cell.strip() for cell in head.split("|")[2:4]] == ["api", "writer"]
    assert [cell.strip() for cell in row.split("|")[2:4]] == ["241", "90"]
    assert "jobs" not in head


SHARES = {"bare_sql": 0.7, "bare_sql_full": 0.6}


def test_median_of_three_is_the_yardstick() -> None:
    assert yardstick([3.0, 1.04, 2.0]).per_s == 2.0
    assert yardstick([3.0, 1.04, 2.0]).runs == [3.0, 1.0, 2.0]


def test_ratio_stands_beside_its_yardstick() -> None:
    bench = Bench(yardsticks={"plain_rq_job": yardstick([150.0] * 3)}, ratios={"plain_rq_job": 20.0})
    assert yardsticks_table(bench).splitlines()[-1].endswith("|        150 | 20.00 |")
    bench.writer_alone, bench.writer_of_bare_sql = yardstick([7_000.0] * 3), SHARES
    said = "commits 7,000 bets a second, up to 500 in a commit: 70% of the bare SQL with 100 bets a transaction, "
    assert yardsticks_table(bench).endswith(said + "60% of that with 500.")


def test_the_median_column_and_the_longest_wait_are_told() -> None:
    bench = Bench(writer_alone=yardstick([7_000.0] * 3), writer_of_bare_sql=SHARES)
    bench.one_column = [OneColumn(15_000, 500, ms, wait) for ms, wait in ((800, 70.0), (900, 95.4), (1_100, 60.0))]
    said = yardsticks_table(bench).splitlines()[-1]
    assert "15,000 bets is settled 900 ms" in said
    assert "longer than 95 ms" in said


def test_highest_rate_is_said_in_a_sentence() -> None:
    assert "**none**" in highest_line(Bench())
    bench = Bench(highest_rate=3_100, highest=[rate()] * 3, highest_rate_unsigned=3_900)
    assert "median of 3" in highest_line(bench)
    assert highest_line(bench).endswith("**3,100 a second**; with `TAPTRADE_BET_SIGNATURES=off`: **3,900**.")


def test_block_replaces_what_was_between_its_markers() -> None:
    document = "a\n<!-- bench: x -->\nold\n<!-- end of bench: x -->\nb\n"
    renewed = put_between(document, "bench: x", "new")
    assert renewed == "a\n<!-- bench: x -->\n\nnew\n\n<!-- end of bench: x -->\nb\n"
    assert put_between(renewed, "bench: x", "new") == renewed


@pytest.mark.parametrize("document", ["", "<!-- bench: x -->", "<!-- end of bench: x --><!-- bench: x -->"])
def test_document_without_markers_is_refused(document: str) -> None:
    with pytest.raises(NoMarkers):
        put_between(document, "bench: x", "new")
