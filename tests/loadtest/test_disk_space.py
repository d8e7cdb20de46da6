"""What a bet takes is measured on rows by the real writer, and stays within what a disk is planned for."""

from __future__ import annotations

import pytest

from loadtest import disk_space

LIVE_BYTES_MAX = 450


def test_a_bet_takes_less_than_half_a_kilobyte(capsys: pytest.CaptureFixture[str]) -> None:
    assert disk_space.main(["--bets", "6000"]) == 0
    told = {name: float(size) for name, size in map(str.split, capsys.readouterr().out.splitlines())}
    tables = {name: size for name, size in told.items() if name not in ("live", "archived")}
    assert {"bet_rows", "entry_rows", "commit_rows", "bets_once_per_cell", "bets_by_resolution"} <= tables.keys()
    assert told["live"] == pytest.approx(sum(tables.values()), abs=len(tables))
    assert told["live"] < LIVE_BYTES_MAX
