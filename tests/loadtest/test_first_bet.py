"""The time to a first bet is that of a real house, which ends with the measurement."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from loadtest.first_bet import S_MAX, first_bet_s
from runtime.storage.database import open_reader


@pytest.mark.acceptance
@pytest.mark.timeout(120)
def test_an_empty_house_is_started_until_its_first_bet_is_placed(tmp_path: Path) -> None:
    start_s = time.monotonic()
    took_s = first_bet_s(tmp_path / "house")
    assert 0 < took_s < min(time.monotonic() - start_s, S_MAX)
    database = open_reader(tmp_path / "house" / "taptrade.db")
    assert database.execute("SELECT count(*) FROM bets WHERE refusal_code IS NULL") == [(1,)]
    database.close()
