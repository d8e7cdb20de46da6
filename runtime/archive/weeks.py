"""ISO weeks: their names, when they begin and end, and which of them are due for their archive."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

DAY_MS = 24 * 3600 * 1000
WEEK_MS = 7 * DAY_MS
FIRST_SUNDAY_MS = 3 * DAY_MS
"""1970-01-04: the Unix day 0 was a Thursday."""
_NAME = re.compile(r"(?P<year>\d{4})[_-][wW](?P<number>\d{2})")


@dataclass(frozen=True, slots=True, order=True)
class Week:
    """One ISO week, from Monday 00:00 UTC to the next; its year is that of its Thursday."""

    year: int
    number: int

    @property
    def name(self) -> str:
        """Return the name as files and tables have it, such as 2026_w53."""
        return f"{self.year:04}_w{self.number:02}"

    @property
    def file(self) -> str:
        """Return the name of its file."""
        return f"bets_{self.name}.db"

    @property
    def monday_ms(self) -> int:
        """Return its Monday, 00:00 UTC."""
        monday = date.fromisocalendar(self.year, self.number, 1)
        return int(datetime(monday.year, monday.month, monday.day, tzinfo=UTC).timestamp()) * 1000

    @property
    def end_ms(self) -> int:
        """Return the Monday after it, 00:00 UTC."""
        return self.monday_ms + WEEK_MS

    @property
    def following(self) -> Week:
        """Return the week after it."""
        return week_of(self.end_ms)


def week_of(ms: int) -> Week:
    """Return the week that a moment lies in."""
    year, number, _ = (datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=ms)).isocalendar()
    return Week(year, number)


def week_named(text: str) -> Week:
    """Read a week's name, as 2026_w53 or 2026-W53; raise ValueError if there is no such week."""
    found = _NAME.fullmatch(text)
    if found is None:
        raise ValueError("is no week, write it as 2026_w53")
    week = Week(int(found["year"]), int(found["number"]))
    try:
        week.monday_ms  # noqa: B018  it is asked whether the year has that week
    except ValueError:
        raise ValueError(f"is no week: {week.year} has none of that number") from None
    return week


def due_weeks(after_ms: int, now_ms: int) -> list[Week]:
    """Return the weeks from that of `after_ms` on that were closed at the last Sunday 00:00 UTC, oldest first.

    A week ends on Monday 00:00 UTC, so seen from a Sunday the newest closed one ended six days before: whatever was
    still on its way at its end has long been settled.
    """
    sunday_ms = now_ms - (now_ms - FIRST_SUNDAY_MS) % WEEK_MS
    weeks, week = [], week_of(after_ms)
    while week.end_ms <= sunday_ms:
        weeks.append(week)
        week = week.following
    return weeks
