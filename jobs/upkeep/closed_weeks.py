"""Weekly report of the closed ISO weeks in the live database. Nothing is archived: no code here copies or trims."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from pathlib import Path

from runtime.clock import SystemClock
from runtime.game.statements import read_statements
from runtime.settings import load
from runtime.storage.database import open_reader

logger = logging.getLogger(__name__)

UPKEEP = read_statements("jobs.upkeep", "upkeep.sql")
WEEK = timedelta(days=7)


def report_closed_weeks() -> dict[str, object]:
    """Report the closed weeks (a job of RQ's: its result is the report)."""
    settings = load()
    weeks = weeks_with_bets(settings.database, SystemClock().now_ms())
    logger.info("closed weeks in the live database: %s", ", ".join(weeks) or "none")
    return {"closed_weeks": weeks}


def weeks_with_bets(live: Path, now_ms: int) -> list[str]:
    """Return the closed weeks since the first resolved bet, oldest first."""
    reader = open_reader(live)
    try:
        ((first_ms,),) = reader.execute(UPKEEP["first_resolved"])
    finally:
        reader.close()
    return [] if first_ms is None else closed_weeks(first_ms, now_ms)


def closed_weeks(first_ms: int, now_ms: int) -> list[str]:
    """Return the ISO weeks from that of `first_ms` on which have ended by `now_ms`, as `yyyy_www`.

    A week ends on Monday 00:00 UTC. Seen from a Sunday, the newest closed one ended the Monday before.
    """
    monday = _monday(first_ms)
    weeks = []
    while (monday + WEEK).timestamp() * 1000 <= now_ms:
        year, week, _ = monday.isocalendar()
        weeks.append(f"{year}_w{week:02}")
        monday += WEEK
    return weeks


def _monday(ms: int) -> datetime:
    day = datetime.fromtimestamp(ms / 1000, UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return day - timedelta(days=day.weekday())
