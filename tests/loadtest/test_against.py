"""Two builds held against each other: what their ratios are, and what another build is started with."""

from __future__ import annotations

from pathlib import Path

import pytest

from loadtest import revision
from loadtest.against import MEASUREMENT, complaints, held, of_houses, of_turns, passed
from loadtest.capacity import server_us
from loadtest.measurement import Found
from loadtest.postgres import CLIENTS, SCALE
from loadtest.processes import BenchFailed
from loadtest.report import section
from loadtest.system import PLENTY, understood
from loadtest.yardsticks import yardstick
from tests.loadtest.test_search import rate
from tests.loadtest.test_soak import MACHINE


def turn(api_us: float, p99_ms: float = 40.0, errors: dict[str, int] | None = None) -> dict[int, Found]:
    costs = {"api": api_us, "writer": 100.0, "generator": 900.0}
    found = rate(p99_ms, errors=errors) | {"cpu_us_per_bet": costs}
    return {found["rate"]: found}


def figure(found: list[Found], what: str) -> Found:
    [one] = [one for one in found if one["what"].startswith(what)]
    return one


def test_a_ratio_is_the_median_of_those_of_pairs_and_not_of_the_medians() -> None:
    ours, theirs = [turn(110), turn(400), turn(90)], [turn(100), turn(200), turn(120)]
    api = figure(of_turns(ours, theirs), "api us a bet")
    assert (api["ours"], api["theirs"]) == (110, 120)
    assert api["ratio"] == pytest.approx(1.1)
    assert api["ratios"] == pytest.approx([0.75, 1.1, 2.0])


def test_a_machine_that_changes_its_pace_between_pairs_changes_no_ratio() -> None:
    assert held("x", [103, 206, 103, 206], [100, 200, 100, 200])["ratios"] == [1.03] * 4


def test_the_generator_is_none_of_the_server() -> None:
    [found] = turn(110).values()
    assert server_us(found) == 210


def test_the_highest_rates_are_told_where_they_were_looked_for() -> None:
    looked = [{"memory_mb": [200.0], "highest": [rate]} for rate in (6_000.0, 4_000.0)]
    assert figure(of_houses(*looked), "highest")["ratio"] == 1.5
    assert [one["what"] for one in of_houses({"memory_mb": [1.0]}, {"memory_mb": [2.0]})] == ["own memory MB"]


def test_an_error_of_ours_is_complained_of() -> None:
    fine, failed = turn(1), turn(1, errors={"OVERLOADED": 3})
    assert not list(complaints({"turns": {"this build": [fine], "the other": [failed]}}))
    assert list(complaints({"turns": {"this build": [fine, failed], "the other": [fine]}}))


def test_an_error_where_the_other_build_fails_too_is_none_of_ours() -> None:
    failed = turn(1, errors={"NEVER_SENT": 3})
    assert not list(complaints({"turns": {"this build": [failed], "the other": [turn(1), failed]}}))


@pytest.mark.parametrize(
    ("known", "rate_per_s"),
    [
        pytest.param({1_000: True, 3_000: True, 4_100: False, 4_000: True, 5_000: False}, 4_100, id="found"),
        pytest.param({1_000: False, 3_000: True, 3_500: False}, 3_500, id="a lower one was bad luck"),
        pytest.param({1_000: True, 3_000: True}, 3_100, id="not found in time"),
    ],
)
def test_both_are_measured_where_the_other_one_fails_first(known: dict[int, bool], rate_per_s: int) -> None:
    assert passed(known) == rate_per_s


def test_the_table_names_the_revision_and_its_spread() -> None:
    found: Found = {
        "revision": "0123456789ab",
        "compared": of_turns([turn(110), turn(90)], [turn(100), turn(100)]),
        "edge": 4_100,
        "yardsticks": {"pgbench_tpcb": yardstick([900.0, 1_100.0, 1_000.0])},
        "seconds": 60,
        "options": {"rates": None, "rounds": 2},
        "machine": MACHINE,
    }
    text = section(MEASUREMENT.name, found)
    assert "make bench AGAINST=0123456789ab ROUNDS=2\n" in text
    assert "0.90 to 1.10 |" in text
    assert "At 4,100 bets/s 0123456789ab no longer kept" in text
    [line] = [line for line in text.splitlines() if f"{CLIENTS} clients, scale {SCALE}" in line]
    assert line.endswith(" 1,000 | 900; 1,100; 1,000 |")


def test_another_build_gets_the_settings_that_it_knows_and_no_limits() -> None:
    prefix = "TAPTRADE_"
    of_old = {f"{prefix}OLD_THINGS_PER_MINUTE", f"{prefix}OLD_MODE"}
    known = {"TAPTRADE_PORT"} | of_old
    environment = {"PATH": "/bin", "TAPTRADE_PORT": "1", f"{prefix}NEW_THING": "2"}
    assert understood(environment, known) == {
        "PATH": "/bin",
        "TAPTRADE_PORT": "1",
        f"{prefix}OLD_THINGS_PER_MINUTE": PLENTY,
    }


@pytest.mark.integration
def test_a_revision_that_is_none_is_said_to_be_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(revision, "REVISIONS", tmp_path)
    with pytest.raises(BenchFailed, match=r"git rev-parse .*no-such-revision"):
        revision.prepared("no-such-revision")
    assert not list(tmp_path.iterdir())
