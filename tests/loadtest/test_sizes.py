"""Sizes: each step is measured on the rows meant for it; what grows too fast or pages too slowly is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from loadtest import __main__ as command
from loadtest import bets as made
from loadtest import long_history, many_accounts, measurement, open_cells, sizes
from loadtest.measurement import Found
from loadtest.processes import BenchFailed
from loadtest.report import section
from loadtest.sizes import complaints, group_of, growth
from runtime.clock import ManualClock, SystemClock
from runtime.game.ledger import SQL
from runtime.settings import load
from runtime.storage.database import open_reader
from tests.loadtest.test_soak import MACHINE

NOW_MS = 1_790_000_000_000
USERS = 300


def test_accounts_are_found_bet_and_are_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "taptrade.db"
    monkeypatch.setattr(made, "SLICE_USERS", 128)
    monkeypatch.setattr(many_accounts, "COMMITS", 2)
    made.fill_accounts(path, USERS, SystemClock())
    found = many_accounts.measure(path, USERS, load({"TAPTRADE_DATA": str(tmp_path)}), SystemClock())
    assert min(found.values()) > 0
    database = open_reader(path)
    assert database.execute("SELECT count(*) FROM users") == [(USERS + 2 * 100,)]
    assert database.execute("SELECT count(*), count(DISTINCT user) FROM bet_rows") == [(200, 200)]
    # All had their keys before, and the wallets are those that are looked for.
    assert database.execute("SELECT count(*) FROM player_keys") == [(USERS + 2 * 100,)]
    assert database.execute(SQL["user_by_wallet"], (made.wallet(299),))[0][0] == made.user_id(299, USERS)
    assert database.execute("PRAGMA foreign_key_check") == []
    database.close()


def test_a_long_history_is_linked_and_its_pages_are_full(tmp_path: Path) -> None:
    path, entries = tmp_path / "taptrade.db", 1_000
    made.fill(path, entries // 2, SystemClock(), players=1)
    database = open_reader(path)
    expected = database.execute(
        "SELECT id, row_number() OVER (ORDER BY id), lag(id) OVER (ORDER BY id) FROM transaction_ledger ORDER BY id"
    )
    assert database.execute("SELECT id, number, previous_id FROM transaction_ledger ORDER BY id") == expected
    last = (made.user_id(0), entries, expected[-1][0])
    assert database.execute("SELECT id, version, last_entry_id FROM users WHERE version > 0") == [last]
    database.close()
    found = long_history.measure(path, entries, SystemClock())
    assert found.keys() >= long_history.PAGES
    assert min(found.values()) > 0


def test_open_bets_are_known_judged_and_settled(tmp_path: Path) -> None:
    path, clock = tmp_path / "taptrade.db", ManualClock(NOW_MS)
    open_cells.fill(path, 2_000, NOW_MS, lambda _count: None)
    found = open_cells.measure(path, 2_000, load({"TAPTRADE_DATA": str(tmp_path)}), clock)
    assert min(found.values()) > 0
    database = open_reader(path)
    assert database.execute("SELECT status, count(*), count(DISTINCT cell_id) FROM bets GROUP BY 1 ORDER BY 1") == [
        ("confirmed", 1_000, 1_000),
        ("lost", 1_000 - 2 * 166 - 2, 1_000 - 2 * 166 - 2),
        ("won", 2 * 166 + 2, 2 * 166 + 2),
    ]
    cell = database.execute("SELECT column_start_s, cell_id FROM bets WHERE seq = 1235")[0]
    assert open_cells._cell(NOW_MS, 1234) == cell
    database.close()


def run_of(*times_us: float, what: str = "a step") -> Found:
    of_sizes = group_of("accounts", (10, 100, 1_000), [{what: us} for us in times_us])
    return {"groups": [of_sizes], "growth_max": 2.0, "page_ms_max": 20.0, "machine": MACHINE}


def test_growth_is_that_of_one_tenfold() -> None:
    assert growth((10, 1_000), (5.0, 500.0)) == pytest.approx(10)
    assert growth((10, 100, 1_000), (5.0, 1.0, 20.0)) == pytest.approx(2)
    assert growth((10, 100), (7.0, 7.0)) == 1


PAGE = next(iter(long_history.PAGES))


@pytest.mark.parametrize(
    ("run", "said"),
    [
        pytest.param(run_of(5, 9, 20), [], id="just not too fast"),
        pytest.param(run_of(5, 9, 21), ["a step: takes 2.05 times as long with ten times the accounts"], id="too fast"),
        pytest.param(run_of(15_000, 20_000, 20_000, what=PAGE), [], id="a page in time"),
        pytest.param(run_of(15_000, 20_040, 20_000, what=PAGE), [f"{PAGE}: takes 20.0 ms"], id="a slow page"),
        pytest.param(run_of(15_000, 30_000, 20_000), [], id="slow, and no page"),
    ],
)
def test_what_is_worse_than_it_may_be_is_named(run: Found, said: list[str]) -> None:
    found = list(complaints(run))
    assert len(found) == len(said)
    assert all(line.startswith(begin) for line, begin in zip(found, said, strict=True))


def test_the_section_has_a_row_for_each_step() -> None:
    text = section("sizes", run_of(5, 90, 210))
    assert "make bench-sizes ACCOUNTS=1000\n" in text
    assert "5.0 / 90.0 / 210 |" in text


def test_a_disk_that_is_too_small_is_told_of_before_anything_is_filled(tmp_path: Path) -> None:
    sizes.require_room(tmp_path, 1)
    with pytest.raises(BenchFailed, match=r"1000000\.5 GB are needed"):
        sizes.require_room(tmp_path, 10**15)


@pytest.mark.integration
def test_a_run_measures_at_each_size_and_leaves_no_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measurement, "BUILD", tmp_path)
    monkeypatch.setattr(measurement, "renew", lambda *_: None)
    monkeypatch.setattr(many_accounts, "COMMITS", 1)
    for name, few in (("ACCOUNTS", (100, 200)), ("ENTRIES", (500, 600)), ("OPEN_BETS", (1_000,))):
        monkeypatch.setattr(sizes, name, few)
    monkeypatch.setattr(sizes, "growth", lambda *_: 1.0)
    assert command.main(["sizes", "--accounts", "300"]) == 0
    assert [path.name for path in tmp_path.iterdir()] == ["sizes.json"]
