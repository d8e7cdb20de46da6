"""The settled bets of a span, decided anew: from their columns' evidence, from the recorded ticks, and their rates.

Columns are walked one after the other, and their bets page by page, each page a short read of its own. What is settled
never changes, so no longer look at one state of the database is needed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

import msgspec

from runtime.explanation.facts import find_column
from runtime.explanation.priced import Yardstick, check_priced
from runtime.explanation.settled import COMPARED, decide, evidence_from_ticks
from runtime.game.bets import Bet, from_row
from runtime.game.columns import Column, Evidence
from runtime.game.ledger import SQL
from runtime.game.player_entries import Execute
from runtime.records.queries import QUERIES
from runtime.storage.ticks_store import Executor

PAGE_BETS = 250
ModelName = tuple[str | None, str | None]
"""Id and version of a reward model, as they are stored with each bet."""
Yardsticks = Callable[[str | None, str | None], Yardstick]
"""What a bet under a model is priced by, in the end; one with another model prices nothing of it."""
What = Literal["evidence", "result", "paid", "rate"]


class Difference(msgspec.Struct, frozen=True):
    """What is stored and what comes of it anew; `bet_id` is null where it is about the column's evidence itself."""

    what: What
    by: str
    """What it was recomputed from: evidence, ticks or both; the model for a rate."""
    column_start_s: int
    bet_id: str | None
    stored: Any
    recomputed: Any
    finding: str = ""


@dataclass(slots=True)
class Recomputation:
    """A walk over settled columns; what it has counted so far."""

    execute: Execute
    ticks: Executor | None
    yardsticks: Yardsticks
    columns: int = 0
    columns_from_ticks: int = 0
    bets: int = 0
    bets_from_ticks: int = 0
    rates: int = 0
    unsettled_bets: int = 0
    """Bets of columns whose settlement has not begun are not among them."""
    unsettled_columns: int = 0
    rates_left_out: Counter[ModelName] = field(default_factory=Counter)

    def walk(self, from_ms: int, to_ms: int) -> Iterator[tuple[int, list[Difference]]]:
        """Recompute the columns that start in [from, to); yield each page's column and the differences found in it."""
        after_s, upto_s = -(-from_ms // 1000) - 1, -(-to_ms // 1000) - 1
        while after_s < upto_s:
            page = self.execute(SQL["columns_with_bets"], (after_s, upto_s, upto_s))
            for start_s, begun in page:
                if begun:
                    yield from self._column(start_s)
                else:
                    self.unsettled_columns += 1
            after_s = page[-1][0] if page else upto_s

    def _column(self, start_s: int) -> Iterator[tuple[int, list[Difference]]]:
        column = find_column(self.execute, start_s)
        if column is None:
            return
        anew = None if self.ticks is None else evidence_from_ticks(column, self.ticks)
        self.columns += 1
        self.columns_from_ticks += anew is not None
        yield start_s, [] if anew is None else _evidence_differs(column, anew)
        after = (-1, -1, -1)
        while True:
            rows = self.execute(QUERIES["settled_of_column"], (start_s, *after, PAGE_BETS))
            found: list[Difference] = []
            for *row, _, paid_cents in rows:
                found += self._bet(from_row(tuple(row)), column, anew, paid_cents)
            yield start_s, found
            if len(rows) < PAGE_BETS:
                return
            *row, user, _ = rows[-1]
            last = from_row(tuple(row))
            after = (last.low_cents, last.high_cents, user)

    def _bet(self, bet: Bet, column: Column, anew: Evidence | None, paid_cents: int) -> list[Difference]:
        if bet.status == "confirmed":
            self.unsettled_bets += 1
            return []
        self.bets += 1
        self.bets_from_ticks += anew is not None
        return [*_result_differs(bet, column, anew), *_paid_differs(bet, column, paid_cents), *self._rate_differs(bet)]

    def _rate_differs(self, bet: Bet) -> list[Difference]:
        named = (bet.model_id, bet.model_version)
        priced = check_priced(bet, self.yardsticks(*named), self.ticks)
        if priced.ok is None:
            self.rates_left_out[named] += 1
            return []
        self.rates += 1
        if priced.ok:
            return []
        by = f"{bet.model_id} {bet.model_version}"
        again = priced.recomputed_rate_bp
        return [Difference("rate", by, bet.column_start_s, bet.id, bet.reward_rate, again, priced.finding)]


def _evidence_differs(column: Column, anew: Evidence) -> list[Difference]:
    names = [name for name in COMPARED if getattr(column, name) != getattr(anew, name)]
    if not names:
        return []
    stored, again = ({name: getattr(each, name) for name in names} for each in (column, anew))
    return [Difference("evidence", "ticks", column.start_s, None, stored, again)]


def _result_differs(bet: Bet, column: Column, anew: Evidence | None) -> list[Difference]:
    stored = (bet.status, bet.payout_amount)
    by_source = {"evidence": decide(bet, column)} | ({} if anew is None else {"ticks": decide(bet, anew)})
    different: dict[tuple[str, int | None], list[str]] = {}
    for source, decided in by_source.items():
        if decided != stored:
            different.setdefault(decided, []).append(source)
    return [
        Difference("result", " and ".join(sources), column.start_s, bet.id, list(stored), list(decided))
        for decided, sources in different.items()
    ]


def _paid_differs(bet: Bet, column: Column, paid_cents: int) -> list[Difference]:
    status, payout = decide(bet, column)
    owed_cents = bet.amount if status == "void" else payout or 0
    if paid_cents == owed_cents:
        return []
    return [Difference("paid", "evidence", column.start_s, bet.id, paid_cents, owed_cents)]
