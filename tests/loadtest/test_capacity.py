"""The bench: what it tells of rates, costs and yardsticks."""

from __future__ import annotations

import re

from loadtest.bench.stage import Rate
from loadtest.bench.system import Audit
from loadtest.capacity import Capacity
from loadtest.report import section
from loadtest.yardsticks.one_column import OneColumn
from loadtest.yardsticks.run import yardstick
from tests.loadtest.test_search import rate
from tests.loadtest.test_soak import MACHINE

WHOLE_PATH, YARDSTICKS = "bench: whole path", "bench: yardsticks"


def costly() -> Rate:
    found = rate(errors={"CELL_CLOSED": 1_234})
    found.cpu_us_per_bet = {"writer": 90.4, "api": 240.6, "jobs": 0.2}
    return found


def found(*rates: Rate) -> Capacity:
    return Capacity(rates=[*rates], machine=MACHINE, audits=[Audit(True, "every cent is there")])


def whole() -> Capacity:
    run = found(rate())
    run.yardsticks, run.ratios = {"plain_rq_job": yardstick([150.0] * 3)}, {"plain_rq_job": 20.0}
    run.writer_alone = yardstick([7_000.0] * 3)
    run.writer_of_bare_sql = {"bare_sql": 0.7, "bare_sql_full": 0.6}
    run.one_column = [OneColumn(15_000, 500, ms, wait) for ms, wait in ((800, 70.0), (900, 95.4), (1_100, 60.0))]
    return run


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.split("|")[1:-1]]


def test_errors_are_named() -> None:
    text = section(WHOLE_PATH, found(rate(), costly()))
    assert re.search(r"\| +0 \|$", text, re.MULTILINE)
    assert "1,234 CELL_CLOSED" in text


def test_processes_are_ordered_by_cost_and_idle_ones_left_out() -> None:
    assert Capacity.dearest([costly(), rate()]) == ["api", "writer"]
    lines = section(WHOLE_PATH, found(costly(), rate())).splitlines()
    at = next(number for number, line in enumerate(lines) if line.startswith("CPU microseconds")) + 2
    assert cells(lines[at])[:4] == ["bets/s", "api", "writer", "CPUs busy"]
    assert cells(lines[at + 2])[:4] == ["1,000", "241", "90", "50%"]
    assert cells(lines[at + 3])[1:3] == ["0", "0"]


def test_median_of_three_is_the_yardstick() -> None:
    assert yardstick([3.0, 1.04, 2.0]).per_s == 2.0
    assert yardstick([3.0, 1.04, 2.0]).runs == [3.0, 1.0, 2.0]


def test_ratio_stands_beside_its_yardstick() -> None:
    lines = section(YARDSTICKS, whole()).splitlines()
    assert lines[2].endswith("|        150 | 20.00 |")
    said = "commits 7,000 bets a second, up to 500 in a commit: 70% of the bare SQL with 100 bets a transaction, "
    assert lines[4].endswith(said + "60% of that with 500.")


def test_the_median_column_and_the_longest_wait_are_told() -> None:
    said = section(YARDSTICKS, whole()).splitlines()[-1]
    assert "15,000 bets is settled 900 ms" in said
    assert "longer than 95 ms" in said


def test_highest_rate_is_said_in_a_sentence() -> None:
    run = found(costly())
    run.take_highest()
    assert "no error (of those measured): **none**." in section(WHOLE_PATH, run)
    run.highest_rate, run.highest, run.highest_rate_unsigned = 3_100, [rate()] * 3, 3_900
    text = section(WHOLE_PATH, run)
    assert "(median of 3): **3,100 a second**; with `TAPTRADE_BET_SIGNATURES=off`: **3,900**.\n\n| bets/s" in text
    assert "The search for it, repeats included" in text


def test_highest_rate_is_the_highest_carried_one_and_tells_its_cost() -> None:
    run = found(costly())
    run.searched = [rate(), rate(60.0), rate(55.0)]
    run.searched[2].cpu_us_per_bet = {"api": 7.0}
    run.rates = []
    run.take_highest()
    assert (run.highest_rate, run.highest, run.cpu_us_per_bet) == (1000, run.searched, {"api": 7.0})


def test_only_a_whole_run_renews_the_document() -> None:
    assert (found().renews, found().sections) == (False, (WHOLE_PATH,))
    assert (whole().renews, whole().sections) == (True, (WHOLE_PATH, YARDSTICKS))


def test_money_that_does_not_add_up_is_complained_of() -> None:
    run = found()
    assert run.complaints() == []
    run.audits.append(Audit(False, "a cent is missing"))
    assert run.complaints() == ["the money does not add up"]
