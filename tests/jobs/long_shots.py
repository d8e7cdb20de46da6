"""Players whose long shots always win, until the house takes them no more."""

from __future__ import annotations

from typing import Any

from runtime.game.buckets import RATE_EDGES_BP, Bucket, Standing
from runtime.game.grid import column_of
from runtime.game.ledger import SQL
from runtime.messaging.commands import Outcome, PlaceBet
from tests.jobs.writer_desk import PRICE_CENTS, RULES, Desk

AHEAD, ROWS_ABOVE = 3, 6
"""A cell that costs the house some thirty times the stake when it is hit."""
MODEL = ("brownian-touch", "1-edge500-column5")
OWN = Bucket(*MODEL, RATE_EDGES_BP[5], AHEAD)
WHOLE = OWN.of_any_column
ALL_ROWS = 10 * RULES.rows * RULES.row_step_cents


def tap(desk: Desk, user_id: str, **changes: Any) -> Outcome:
    """Tap the long shot."""
    return desk.place(long_shot(desk, user_id, **changes))[0]


def long_shot(desk: Desk, user_id: str, **changes: Any) -> PlaceBet:
    """Return a bet on the long shot."""
    return desk.bet(user_id, **({"columns": AHEAD, "rows": ROWS_ABOVE} | changes))


def pass_column(desk: Desk, *, hit: bool = True, covered: bool = True) -> None:
    """Let a column's time pass; what has ended is settled, all of it won or lost."""
    desk.clock.advance(RULES.column_seconds * 1000)
    desk.show(PRICE_CENTS)
    reach = ALL_ROWS if hit else 0
    ended_s = column_of(desk.clock.now_ms(), RULES) - RULES.column_seconds
    desk.settle(ended_s, PRICE_CENTS - reach, PRICE_CENTS + reach, covered=covered)


def win(desk: Desk, user_id: str, columns: int) -> None:
    """Tap once in each of so many columns, and win whatever ends meanwhile."""
    for _ in range(columns):
        tap(desk, user_id)
        pass_column(desk)


def settle_all(desk: Desk, *, hit: bool = True) -> None:
    """Let all columns pass that have bets."""
    for _ in range(AHEAD + 1):
        pass_column(desk, hit=hit)


def standing(desk: Desk, bucket: Bucket = OWN) -> Standing | None:
    """Return what is stored of a bucket."""
    stored = map(Standing.from_row, desk.database.execute(SQL["buckets"]))
    return next((one for one in stored if one.bucket == bucket), None)


def closed(desk: Desk) -> list[str]:
    """Return the names of the buckets that are stored as closed."""
    stored = map(Standing.from_row, desk.database.execute(SQL["buckets"]))
    return [one.bucket.name for one in stored if not one.is_open]
