"""Growth: a filled database is what the writer expects, and its commits go through."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import msgspec
import pytest

from loadtest import __main__ as command
from loadtest import growth, measurement
from loadtest.bets import BETS_PER_COLUMN, BETS_PER_COMMIT, CREDIT_CENTS, STAKE_CENTS, USERS, fill
from loadtest.growth import Filled, Table, found_of, measure
from loadtest.measurement import Found
from loadtest.processes import BenchFailed
from loadtest.report import section
from runtime.clock import SystemClock
from runtime.settings import load
from runtime.storage.database import open_reader, open_writer
from tests.loadtest.test_soak import MACHINE

BETS = 3_000
OPEN = "SELECT count(*), count(DISTINCT user_id), count(DISTINCT cell_id) FROM bets WHERE status = 'confirmed'"


@pytest.fixture
def filled(tmp_path: Path) -> Path:
    path = tmp_path / "taptrade.db"
    fill(path, BETS, SystemClock())
    return path


def test_filled_entries_are_linked_as_the_writer_links_them(filled: Path, tmp_path: Path) -> None:
    long = tmp_path / "long.db"
    fill(long, 2 * USERS + 500, SystemClock())
    for path in (filled, long):
        database = open_reader(path)
        expected = database.execute(
            "SELECT id, row_number() OVER (PARTITION BY user_id ORDER BY id),"
            " lag(id) OVER (PARTITION BY user_id ORDER BY id) FROM transaction_ledger ORDER BY id"
        )
        assert database.execute("SELECT id, number, previous_id FROM transaction_ledger ORDER BY id") == expected
        last = database.execute("SELECT user_id, max(number), max(id) FROM transaction_ledger GROUP BY 1 ORDER BY 1")
        assert last == database.execute("SELECT id, version, last_entry_id FROM users WHERE version > 0 ORDER BY 1")
        database.close()


def test_filled_tables_hold_settled_bets_with_their_entries(filled: Path) -> None:
    database = open_reader(filled)
    assert database.execute("SELECT count(*) FROM bets WHERE status IN ('won', 'lost')") == [(BETS,)]
    assert database.execute("SELECT ref_type, count(*) FROM transaction_ledger GROUP BY 1 ORDER BY 1") == [
        ("BET", BETS),
        ("PAYOUT", BETS // 4),
    ]
    assert database.execute("SELECT count(*) FROM bets WHERE column_start_s NOT IN (SELECT start_s FROM columns)") == [
        (0,)
    ]
    assert database.execute("SELECT count(*) FROM columns WHERE settled_commit IS NULL") == [(0,)]
    assert database.execute("PRAGMA integrity_check") == [("ok",)]
    assert database.execute("PRAGMA foreign_key_check") == []
    assert database.execute("PRAGMA journal_mode") == [("wal",)]
    database.close()


def test_commits_of_the_real_writer_are_timed(filled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(growth, "WARM_UP", 2)
    settings, now_ms = load({"TAPTRADE_DATA": str(filled.parent)}), SystemClock().now_ms()
    found = measure(filled, settings, now_ms, 0, 4, 1_000.0)
    again = measure(filled, settings, now_ms, 1, 4, 1_000.0)
    assert 0 < found["p50_ms"] <= found["p99_ms"] <= found["max_ms"]
    assert again["max_ms"] > 0
    database = open_reader(filled)
    bets, users, cells = database.execute(OPEN)[0]
    assert (bets, users) == (12 * BETS_PER_COMMIT, 6 * BETS_PER_COMMIT)
    assert cells == 62
    assert database.execute("SELECT sum(balance) FROM users") == [(USERS * CREDIT_CENTS - bets * STAKE_CENTS,)]
    database.close()


def test_refused_bet_ends_the_measurement(filled: Path) -> None:
    settings = load({"TAPTRADE_DATA": str(filled.parent)})
    table = Table(filled, settings, SystemClock().now_ms(), 2)
    table.commit(table.bets(0))
    moved = [msgspec.structs.replace(bet, id=f"01Z{number:023d}") for number, bet in enumerate(table.bets(0))]
    with pytest.raises(BenchFailed, match="DUPLICATE_BET"):
        table.commit(moved)
    table.database.close()


def test_too_many_commits_for_one_column_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BenchFailed, match="at most"):
        measure(tmp_path / "taptrade.db", load({"TAPTRADE_DATA": str(tmp_path)}), 0, 0, 10_000, 1.0)


def size_of(path: Path, bets: int, *p99_ms: float) -> Found:
    return Filled(bets, path, 1.0, [{"open_s": 0.1, "p50_ms": 5.0, "p99_ms": ms, "max_ms": ms} for ms in p99_ms]).size()


def test_ratio_is_that_of_the_median_p99(filled: Path) -> None:
    sizes = [size_of(filled, 10_000, 9.0, 10.0, 30.0), size_of(filled, 1_000_000, 12.0, 13.0, 11.0)]
    run = found_of(sizes) | {"options": {"commits": 300}, "machine": MACHINE}
    assert run["ratio"] == 1.2
    assert (sizes[0]["bets_at_end"], sizes[0]["max_ms"], sizes[0]["p99_of_rounds"]) == (BETS, 30.0, [9.0, 10.0, 30.0])
    text = section("growth", run)
    assert "at 1,000,000 bets is **1.20** times that at 10,000" in text
    assert "make bench-growth ROWS=1000000" in text
    assert "9.0, 10.0, 30.0 |" in text


@pytest.mark.parametrize(("p99_ms", "code"), [(13.0, 0), (13.1, 1)])
def test_growth_beyond_the_aim_fails(
    p99_ms: float,
    code: int,
    filled: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    sizes = [size_of(filled, 100, 10.0), size_of(filled, 200, p99_ms)]
    one = dataclasses.replace(growth.MEASUREMENT, measure=lambda _trial: found_of(sizes))
    monkeypatch.setattr(measurement, "publish", lambda *_: None)
    monkeypatch.setattr(measurement, "BUILD", tmp_path / "build")
    assert measurement.run(one, {}) == code
    assert ("not 1.3 at most" in capsys.readouterr().out) is bool(code)


def test_small_tables_are_put_back_before_each_round(filled: Path) -> None:
    table = Filled(BETS, filled, 1.0)
    table.put_back()
    database = open_writer(filled)
    database.execute("DELETE FROM columns")
    database.close()
    table.put_back()
    assert table.ask("SELECT count(*) FROM columns") == BETS // BETS_PER_COLUMN + 1


def test_a_disk_that_is_too_small_is_told_of_before_anything_is_filled(tmp_path: Path) -> None:
    growth.require_room(tmp_path, [1])
    with pytest.raises(BenchFailed, match=r"500001\.1 GB are needed in .*, [0-9.]+ GB are free"):
        growth.require_room(tmp_path, [10**12])


def test_data_of_a_run_that_failed_are_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measurement, "BUILD", tmp_path)
    monkeypatch.setattr(growth, "SIZES", (100,))
    monkeypatch.setattr(growth, "measure", lambda *_: 1 // 0)
    with pytest.raises(ZeroDivisionError):
        command.main(["growth", "--rows", "200"])
    assert list(tmp_path.iterdir()) == []
