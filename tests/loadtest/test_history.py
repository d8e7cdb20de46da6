"""The feed's store filled in bulk is what the feed would have made, and its figures are told."""

from __future__ import annotations

from pathlib import Path

import pytest
from rich.console import Console

from loadtest import history, machine
from loadtest.history import FIRST_MS, INTERVAL_MS, SHOWN, complaints, fill, kept, measure_pages
from loadtest.measurement import Display, Found, Trial
from loadtest.report import section
from runtime.clock import SystemClock
from runtime.storage import read_pool, ticks_store
from runtime.storage.database import open_reader
from tests.loadtest.test_soak import MACHINE

TICKS = 1_500


@pytest.fixture
def filled(tmp_path: Path) -> Path:
    path = tmp_path / "ticks.db"
    ticks_store.prepare(path, SystemClock())
    fill(path, TICKS, 250)
    return path


def test_ticks_come_ten_a_second_with_features_of_the_size(filled: Path) -> None:
    database = open_reader(filled)
    ids = [row[0] for row in database.execute("SELECT id FROM ticks ORDER BY id")]
    assert [each // INTERVAL_MS for each in ids] == [FIRST_MS // INTERVAL_MS + number for number in range(TICKS)]
    assert database.execute("SELECT min(length(features)), max(length(features)) FROM ticks") == [(250, 250)]
    assert database.execute("SELECT count(*), sum(ticks) FROM second_candles") == [(TICKS // 10, TICKS)]
    assert database.execute("SELECT count(*), sum(ticks) FROM candles") == [(3, TICKS)]
    database.close()


@pytest.mark.parametrize("resolution", SHOWN)
def test_a_walk_meets_every_candle(filled: Path, monkeypatch: pytest.MonkeyPatch, resolution: str) -> None:
    monkeypatch.setattr(history, "PAGES", 3)
    found = measure_pages(filled, resolution, TICKS)
    candles = {"1s": 150, "5s": 30, "30s": 5, "1m": 3, "1h": 1}
    assert found.get("walk_candles") == candles.get(resolution)
    assert (found["cut_off"], found["rows"] > 0, found["max_ms"] >= found["p50_ms"]) == (0, True, True)


def test_what_was_measured_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, few in (("PAGES", 3), ("APPENDS", 3), ("TRIMS", 3)):
        monkeypatch.setattr(history, name, few)
    monkeypatch.setattr(machine, "describe", lambda *_: MACHINE)
    # How long a page takes says something about what else the machine does.
    monkeypatch.setattr(read_pool, "READ_MS_MAX", 10_000)
    trial = Trial(tmp_path, Display(Console(quiet=True)))
    found = kept(trial, hours=1)
    stores = found["stores"]
    assert [store["ticks"] for store in stores] == [36_000, 36_000]
    assert stores[0]["bytes_per_tick"] < stores[1]["bytes_per_tick"]
    text = section("history", found | {"options": {"hours": 1}, "machine": trial.machine})
    assert "1 hours of ticks" in text
    assert list(complaints(found)) == []


def test_a_page_that_is_cut_off_is_complained_of() -> None:
    page: Found = {"cut_off": 2, "resolution": "1s"}
    assert list(complaints({"stores": [{"pages": [page]}]})) == ["2 pages of 1s took more than 50 ms."]
