"""Which ISO weeks are closed."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from jobs.upkeep.closed_weeks import closed_weeks, weeks_with_bets
from runtime.clock import ManualClock
from runtime.storage.database import LEDGER_MIGRATIONS, migrate


def ms(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


@pytest.mark.parametrize(
    ("first", "now", "weeks"),
    [
        pytest.param("2026-01-07T12:00", "2026-01-11T23:59:59", [], id="its own week still runs"),
        pytest.param("2026-01-07T12:00", "2026-01-12T00:00", ["2026_w02"], id="closed on Monday at midnight"),
        pytest.param("2026-01-07T12:00", "2026-01-18T00:00", ["2026_w02"], id="on Sunday the newest ended last Monday"),
        pytest.param("2026-12-30T12:00", "2027-01-12T00:00", ["2026_w53", "2027_w01"], id="across a year of 53 weeks"),
        pytest.param("2024-12-31T12:00", "2025-01-06T00:00", ["2025_w01"], id="December in the next year's first week"),
    ],
)
def test_weeks_are_closed_from_the_first_bet_to_the_last_that_is_over(first: str, now: str, weeks: list[str]) -> None:
    assert closed_weeks(ms(first), ms(now)) == weeks


def test_database_without_bets_has_none(tmp_path: Path, clock: ManualClock) -> None:
    live = tmp_path / "taptrade.db"
    migrate(live, LEDGER_MIGRATIONS, clock)
    assert weeks_with_bets(live, clock.now_ms()) == []
