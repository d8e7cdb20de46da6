"""The bench: what it tells of rates, costs and yardsticks."""

from __future__ import annotations

import re
from pathlib import Path

from rich.console import Console

from jobs.writer.inbox import BETS_SLICE
from loadtest.capacity import MEASUREMENT, Run, highest
from loadtest.measurement import Display, Found, Trial, complaints_of
from loadtest.report import section
from loadtest.stage import P99_MS_MAX
from loadtest.system import Audit
from loadtest.yardsticks import held_against, yardstick
from tests.loadtest.test_search import rate
from tests.loadtest.test_soak import MACHINE

WHOLE_PATH, SEARCH, YARDSTICKS = MEASUREMENT.sections


def costly() -> Found:
    return rate(errors={"CELL_CLOSED": 1_234}) | {"cpu_us_per_bet": {"writer": 90.4, "api": 240.6, "jobs": 0.2}}


def found(*rates: Found) -> Found:
    nothing: Found = Run(Trial(Path(), Display(Console(quiet=True)))).found
    aims = {"p99_ms_max": P99_MS_MAX, "bets_slice": BETS_SLICE}
    return nothing | aims | {"rates": [*rates], "machine": MACHINE, "audits": [Audit(True, "every cent is there")]}


def whole() -> Found:
    per_s = {"plain_rq_job": 150.0, "bare_sql": 10_000.0, "bare_sql_full": 11_667.0, "writer_alone": 7_000.0}
    columns = [
        {"bets": 15_000, "placed_per_s": 500, "settled_ms": ms, "waited_ms_max": wait}
        for ms, wait in ((800, 70.0), (900, 95.4), (1_100, 60.0))
    ]
    measured = {name: yardstick([each] * 3) for name, each in per_s.items()}
    return found(rate()) | held_against(3_000, measured) | {"one_column": columns}


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.split("|")[1:-1]]


def test_errors_are_named() -> None:
    text = section(WHOLE_PATH, found(rate(), costly()))
    assert re.search(r"\| +0 \|$", text, re.MULTILINE)
    assert "1,234 CELL_CLOSED" in text


def test_processes_are_ordered_by_cost_and_idle_ones_left_out() -> None:
    lines = section(WHOLE_PATH, found(costly(), rate())).splitlines()
    at = next(number for number, line in enumerate(lines) if line.startswith("CPU microseconds")) + 2
    assert cells(lines[at])[:4] == ["bets/s", "api", "writer", "CPUs busy"]
    assert cells(lines[at + 2])[:4] == ["1,000", "241", "90", "50%"]
    assert cells(lines[at + 3])[1:3] == ["0", "0"]


def test_median_of_three_is_the_yardstick() -> None:
    assert yardstick([3.0, 1.04, 2.0])["per_s"] == 2.0
    assert yardstick([3.0, 1.04, 2.0])["runs"] == [3.0, 1.0, 2.0]


def test_ratio_stands_beside_its_yardstick() -> None:
    lines = section(YARDSTICKS, whole()).splitlines()
    assert lines[2].endswith("|        150 | 20.00 |")
    said = "commits 7,000 bets a second, up to 500 in a commit: 70% of the bare SQL with 100 bets a transaction, "
    assert lines[6].endswith(said + "60% of that with 500.")


def test_the_median_column_and_the_longest_wait_are_told() -> None:
    said = section(YARDSTICKS, whole()).splitlines()[-1]
    assert "15,000 bets is settled 900 ms" in said
    assert "longer than 95 ms" in said


def test_the_writer_is_no_yardstick_of_the_system() -> None:
    run = whole()
    assert set(run["yardsticks"]) == set(run["ratios"]) == {"plain_rq_job", "bare_sql", "bare_sql_full"}
    assert (run["ratios"]["bare_sql"], run["writer_of_bare_sql"]["bare_sql"]) == (0.3, 0.7)


def test_highest_rate_is_said_in_a_sentence() -> None:
    run = found(costly())
    run |= highest(run["rates"], [])
    assert "no error (of those measured): **none**." in section(WHOLE_PATH, run)
    run |= {"highest_rate": 3_100, "highest": [rate()] * 3, "highest_rate_unsigned": 3_900}
    text = section(WHOLE_PATH, run)
    assert "(median of 3): **3,100 a second**; with `TAPTRADE_BET_SIGNATURES=off`: **3,900**.\n\n| bets/s" in text
    assert "The search for it, repeats included" in section(SEARCH, whole() | {"highest": [rate()] * 3})


def test_highest_rate_is_the_highest_carried_one_and_tells_its_cost() -> None:
    searched = [rate(), rate(60.0), rate(55.0) | {"cpu_us_per_bet": {"api": 7.0}}]
    assert highest([], searched) == {"highest_rate": 1000, "highest": searched, "cpu_us_per_bet": {"api": 7.0}}


def test_only_a_whole_run_renews_the_document() -> None:
    assert not MEASUREMENT.renews(found(rate()))
    assert section(YARDSTICKS, found(rate())) == section(SEARCH, found(rate())) == ""
    assert MEASUREMENT.renews(whole())


def test_money_that_does_not_add_up_is_complained_of() -> None:
    run = found()
    assert complaints_of(MEASUREMENT, run) == []
    run["audits"].append(Audit(False, "a cent is missing"))
    assert complaints_of(MEASUREMENT, run) == ["the money does not add up"]
