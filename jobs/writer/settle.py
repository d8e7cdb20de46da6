"""Settle begun columns in slices, so that no bet waits long behind a settlement."""

from __future__ import annotations

from dataclasses import dataclass

from jobs.writer.book import Book
from runtime.commands import Outcome, SettleColumn
from runtime.game.bets import Bet, from_row
from runtime.game.ledger import SELECT_BET, SQL, Commit, News
from runtime.game.money import payout_cents
from runtime.game.settlement import result
from runtime.views import COLUMN_FIELDS

SLICE_BETS = 200
SLICE_BETS_BESIDE_PLACING = 60
"""Bets settled in one commit, alone or with bets that are being placed: those wait for the whole commit."""
NEXT_BETS = (
    f"{SELECT_BET} WHERE column_start_s = ? AND refusal_code IS NULL AND (cell_id, user_id) > (?, ?)"
    " ORDER BY cell_id, user_id LIMIT ?"
)


def begin_column(commit: Commit, book: Book, command: SettleColumn) -> Outcome:
    """Store a column's evidence, once; from here on its bets follow, whatever happens to this process."""
    if commit.write("column_exists", command.start_s):
        return Outcome(command.id, {"start_s": command.start_s, "begun": False})
    evidence = (
        command.start_s,
        command.end_s,
        int(command.covered),
        command.open,
        command.low,
        command.high,
        command.close,
        command.tick_count,
        command.ticks_sha256,
        command.first_tick_id,
        command.last_tick_id,
        command.reason,
        commit.now_ms,
        commit.number,
    )
    place = commit.record("column", *evidence)
    commit.write("insert_column", *evidence, place)
    names = (*COLUMN_FIELDS, "begun_at", "begun_commit")
    commit.news.append(News(place, None, dict(zip(names, evidence, strict=True))))
    book.newest_column_s = max(book.newest_column_s, command.start_s)
    return Outcome(command.id, {"start_s": command.start_s, "begun": True})


@dataclass(slots=True)
class Progress:
    """How far the settlement of one column has come."""

    start_s: int
    covered: bool
    low: int | None
    high: int | None
    last: tuple[str, str] = ("", "")


class Settlement:
    """The columns that have begun and not ended; the database is the record, this is where to go on."""

    def __init__(self, book: Book) -> None:
        self.book = book
        self.open: list[Progress] = []
        self.reload()

    def reload(self) -> None:
        """Read the unfinished columns, each to be gone through from its start."""
        rows = self.book.database.execute(SQL["unfinished_columns"])
        self.open = [Progress(start_s, bool(covered), low, high) for start_s, covered, low, high in rows]

    def slice(self, commit: Commit, *, beside_placing: bool = False) -> None:
        """Settle the next bets of the oldest unfinished column; end the column with its last."""
        column = self.open[0]
        most = SLICE_BETS_BESIDE_PLACING if beside_placing else SLICE_BETS
        rows = commit.connection.execute(NEXT_BETS, (column.start_s, *column.last, most))
        for row in rows:
            bet = from_row(row)
            column.last = (bet.cell_id, bet.user_id)
            if bet.status == "confirmed":
                self._end(commit, column, bet)
        if len(rows) < most:
            place = commit.record("settled", column.start_s, commit.now_ms)
            commit.write("finish_column", commit.now_ms, commit.number, place, column.start_s)
            self.open.pop(0)

    def _end(self, commit: Commit, column: Progress, bet: Bet) -> None:
        payout = payout_cents(bet.amount, bet.reward_rate)
        status = result(bet.low_cents, bet.high_cents, column.covered, column.low, column.high)
        commit.resolve_bet(bet, status, payout if status == "won" else 0)
        self.book.exposure.remove(bet.column_start_s, bet.cell_id, payout)
