"""Settle begun columns in slices, so that no bet waits long behind a settlement."""

from __future__ import annotations

from dataclasses import dataclass, field

from jobs.writer.book import Book
from jobs.writer.standings import Standings
from runtime.game import columns
from runtime.game.bets import Bet, from_row
from runtime.game.buckets import Bucket
from runtime.game.columns import CONTENT_FIELDS
from runtime.game.copier import Copied
from runtime.game.grid import GridRules
from runtime.game.ledger import SQL, Commit, CommitEvent
from runtime.game.money import payout_cents
from runtime.game.rewards import RewardModel
from runtime.game.settlement import Result, result
from runtime.messaging.commands import Outcome, SettleColumn

SLICE_BETS = 250
"""Bets settled in one commit while none are placed; those that come meanwhile wait for the whole of it."""
BESIDE_PLACING = 5
"""For each bet that a commit places, so many fewer are settled: settlement takes what time is left."""
PACE_LEAST = 1.15
"""But at least so many for each bet that is placed, or settlement would fall behind for good. Not many more: at the
highest rates the work of one column is then spread over the time until the next one ends."""

PAYS = ("won", "void")
"""The results that move money."""


def begin_column(commit: Commit, book: Book, command: SettleColumn) -> Outcome:
    """Store a column's evidence, once; from here on its bets follow, whatever happens to this process."""
    if commit.write("column_exists", command.start_s):
        return Outcome(command.id, {"start_s": command.start_s, "begun": False})
    column = columns.begun(command, commit.now_ms, commit.number, commit.position)
    row = columns.as_row(column)
    commit.record("column", *row[: len(CONTENT_FIELDS)])
    commit.write("insert_column", *row)
    commit.events.append(CommitEvent(column.begun_place, None, column))
    book.newest_column_s = max(book.newest_column_s, command.start_s)
    return Outcome(command.id, {"start_s": command.start_s, "begun": True})


@dataclass(slots=True)
class Progress:
    """How far the settlement of one column has come: `left` holds the `seq` of the bets that are still to be read."""

    start_s: int
    covered: bool
    low: int | None
    high: int | None
    left: list[int]
    copied: dict[Bucket, Copied] = field(default_factory=dict)
    """The bets that have ended, by bucket; counted from the first again where a writer goes on with a column."""

    def result(self, bet: Bet) -> Result:
        """Return how a bet on the column ends."""
        return result(bet.low_cents, bet.high_cents, self.covered, self.low, self.high)


class Settlement:
    """The columns that have begun and not ended; the database is the record, this is where to go on."""

    def __init__(self, book: Book, rules: GridRules, model: RewardModel) -> None:
        self.book = book
        self.standings = Standings(book.database, rules, model)
        self.open: list[Progress] = []
        self.reload()

    def reload(self) -> None:
        """Forget how far the columns have come and read them anew, each from its start."""
        self.open = []
        self.standings.reload()
        self.look()

    def look(self) -> None:
        """Take up the columns that have begun since.

        A column takes no bets any more once it has begun, so its bets are known. They go in the order in which they
        were placed: neighbours share pages of the table, and a commit writes each page once.
        """
        execute = self.book.database.execute
        known = {column.start_s for column in self.open}
        for start_s, covered, low, high in execute(SQL["unfinished_columns"]):
            if start_s not in known:
                left = sorted(seq for (seq,) in execute(SQL["bets_of_column"], (start_s,)))
                self.open.append(Progress(start_s, bool(covered), low, high, left))

    def next_bets(self, beside: float) -> list[int]:
        """Return the row numbers of the bets that the next slice takes."""
        return self.open[0].left[: round(max(SLICE_BETS - BESIDE_PLACING * beside, PACE_LEAST * beside))]

    def slice(self, commit: Commit, *, beside: float = 0) -> None:
        """Settle the next bets of the oldest unfinished column; end the column with its last.

        `beside` is how many bets a commit places at present: the more, the fewer are settled, so that a column's end
        is no burst that everybody who places a bet has to wait behind.
        """
        column = self.open[0]
        ended = 0
        while column.left and not ended:
            # What a writer before this one has ended comes first, and is passed over without commits of its own.
            taken = self.next_bets(beside)
            del column.left[: len(taken)]
            bets = list(map(from_row, commit.write("ending_bets", str(taken))))
            results = [column.result(bet) for bet in bets]
            commit.meet({bet.user_id for bet, status in zip(bets, results, strict=True) if status in PAYS})
            for bet, status in zip(bets, results, strict=True):
                if bet.status == "confirmed":
                    self._end(commit, bet, status)
                    ended += 1
                self.standings.add(column.copied, bet)
        if not column.left:
            covered = column.covered and column.low is not None
            self.standings.count(commit, column.start_s, column.copied, self.book.open_from_s(), covered=covered)
            position = commit.record("settled", column.start_s, commit.now_ms)
            commit.write("finish_column", commit.now_ms, commit.number, position, column.start_s)
            # Whoever starts after this commit looks for open bets from here on, however long the history is.
            commit.write("set_open_from", self.book.open_from_s())
            self.open.pop(0)

    def _end(self, commit: Commit, bet: Bet, status: Result) -> None:
        payout = payout_cents(bet.amount, bet.reward_rate)
        commit.resolve_bet(bet, status, payout if status == "won" else 0)
        self.book.exposure.remove(bet.column_start_s, bet.cell_id, payout)
