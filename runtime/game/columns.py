"""A column's evidence: what its bets are settled by, kept for ever. The command SettleColumn carries the same."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, fields, replace
from operator import attrgetter
from typing import Any


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the price did in a column's window.

    Prices are None where there is no tick to tell them. The ticks counted and hashed are the path: the one carried in
    and those of the window, so they are exactly the recorded ticks from `first_tick_id` to `last_tick_id`.
    """

    start_s: int
    end_s: int
    covered: bool
    """False: the bets are void and refunded, whatever the prices say."""
    open: int | None
    """The price carried in; None without one."""
    low: int | None
    high: int | None
    """Extremes of the price carried in and of the lows and highs of the window's ticks."""
    close: int | None
    tick_count: int
    ticks_sha256: str
    first_tick_id: int | None
    last_tick_id: int | None
    reason: str | None
    """Why the window is not covered; None where it is."""


@dataclass(frozen=True, slots=True)
class Column(Evidence):
    """One row of `columns` as it is when its settlement begins; the fields are the table's columns, in order."""

    begun_at: int
    begun_commit: int
    begun_place: int


EVIDENCE_FIELDS = tuple(field.name for field in fields(Evidence))
COLUMN_FIELDS = tuple(field.name for field in fields(Column))
CONTENT_FIELDS = COLUMN_FIELDS[:-1]
"""What the hash of the commit covers: all but the position of the row in it."""

evidence_row: Callable[[Any], tuple[Any, ...]] = attrgetter(*EVIDENCE_FIELDS)
"""The fields of an Evidence, or of whatever has the same, in order."""


def begun(evidence: Any, at_ms: int, commit_number: int, position: int) -> Column:
    """Return the row of a column whose settlement begins; `evidence` has the fields of an Evidence."""
    given: dict[str, Any] = dict(zip(EVIDENCE_FIELDS, evidence_row(evidence), strict=True))
    return Column(**given, begun_at=at_ms, begun_commit=commit_number, begun_place=position)


def from_row(row: tuple[Any, ...]) -> Column:
    """Build a column from a row of COLUMN_FIELDS."""
    column = Column(*row)
    return replace(column, covered=bool(column.covered))


def as_row(column: Column) -> tuple[Any, ...]:
    """Return the fields as the table holds them, in the order of COLUMN_FIELDS."""
    return tuple(int(value) if name == "covered" else value for name, value in asdict(column).items())
