"""ISO weeks at the ends of years, and which of them are due."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from runtime.archive.weeks import Week, due_weeks, week_named, week_of


def ms(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


@pytest.mark.parametrize(
    ("moment", "name"),
    [
        ("2026-01-01", "2026_w01"),
        ("2025-12-29", "2026_w01"),
        ("2025-12-28T23:59:59.999", "2025_w52"),
        ("2026-12-31", "2026_w53"),
        ("2027-01-03T23:59:59.999", "2026_w53"),
        ("2027-01-04", "2027_w01"),
        ("2021-01-01", "2020_w53"),
    ],
)
def test_a_moment_lies_in_the_week_of_its_thursday(moment: str, name: str) -> None:
    week = week_of(ms(moment))
    assert week.name == name
    assert week.monday_ms <= ms(moment) < week.end_ms
    assert week_named(name) == week


@pytest.mark.parametrize(
    ("now", "newest"),
    [
        ("2027-01-03T00:00", "2026_w52"),
        ("2027-01-02T23:59:59", "2026_w51"),
        ("2027-01-04T12:00", "2026_w52"),
        ("2027-01-09T23:59:59", "2026_w52"),
        ("2027-01-10T00:00", "2026_w53"),
        ("2027-01-17T05:00", "2027_w01"),
    ],
)
def test_on_a_sunday_the_weeks_are_due_that_ended_the_monday_before(now: str, newest: str) -> None:
    due = due_weeks(ms("2026-12-01"), ms(now))
    assert due[0].name == "2026_w49"
    assert due[-1].name == newest
    assert [week.following for week in due[:-1]] == due[1:]


def test_nothing_is_due_of_a_house_that_opened_this_week() -> None:
    assert due_weeks(ms("2026-12-28"), ms("2027-01-03T12:00")) == []


def test_the_year_2026_has_53_weeks_and_2027_has_not() -> None:
    assert Week(2026, 53).following == Week(2027, 1)
    assert Week(2026, 53).file == "bets_2026_w53.db"
    assert week_named("2026-W53") == Week(2026, 53)
    for text in ("2027_w53", "2026_w54", "2026_w00", "2026w1", "", "2026_w5"):
        with pytest.raises(ValueError, match="is no week"):
            week_named(text)
