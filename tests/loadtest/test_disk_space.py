"""What a bet takes is measured on rows by the real writer, and stays within what a disk is planned for."""

from __future__ import annotations

import pytest

from loadtest import disk_space
from runtime.storage.database import PAGE_BYTES

BETS, LIVE_BYTES_MAX = 3_000, 450


def test_a_bet_takes_less_than_half_a_kilobyte(capsys: pytest.CaptureFixture[str]) -> None:
    assert disk_space.main(["--bets", str(BETS)]) == 0
    told = {name: float(size) for name, size in map(str.split, capsys.readouterr().out.splitlines())}
    tables = {name: size for name, size in told.items() if name not in ("live", "archived")}
    assert {"bet_rows", "entry_rows", "commit_rows", "bets_once_per_cell", "bets_by_resolution"} <= tables.keys()
    assert told["live"] == pytest.approx(sum(tables.values()), abs=len(tables))
    # A table of one page is empty, or as good as.
    assert sum(size for size in tables.values() if size * BETS > 2 * PAGE_BYTES) < LIVE_BYTES_MAX
