"""What a commit's bets and its settlement will ask for, asked together where each statement is a round trip."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from jobs.writer.book import Book
from jobs.writer.gestures import each_bet
from jobs.writer.inbox import TakenJob
from runtime.game.grid import GridRules, parse_cell
from runtime.game.ledger import SQL, Commit
from runtime.messaging.commands import BETS
from runtime.personal.seal import PERSONAL


def foresee(
    commit: Commit, book: Book, rules: GridRules, jobs: Iterable[TakenJob], to_settle: Callable[[], Sequence[int]]
) -> None:
    """Let a commit read ahead, if its engine asks for that; `to_settle` tells which bets settlement comes to next."""
    if commit.foresee is None:
        return
    commands = [[one for one in job.batch.commands if isinstance(one, BETS)] for job in jobs if job.batch]
    bets = [
        [(bet.id, bet.user_id, parse_cell(bet.cell_id, rules)) for bet in each_bet(given)]
        for given in commands
        if given
    ]
    users = sorted({user_id for job in bets for _, user_id, _ in job})
    without_seal = [user_id for user_id in users if not book.seals.has(user_id)]
    without_limits = [user_id for user_id in users if not book.knows_limits(user_id)]
    now_ms = commit.now_ms
    asked: list[tuple[str, tuple[Any, ...]]] = [(PERSONAL["key"], (user_id,)) for user_id in without_seal]
    asked += [(SQL["limits_of_user"], (user_id, user_id, now_ms)) for user_id in without_limits]
    answers = commit.foresee(bets, to_settle(), asked)
    for user_id, rows in zip(without_limits, answers[len(without_seal) :], strict=True):
        book.keep_limits(user_id, rows)
