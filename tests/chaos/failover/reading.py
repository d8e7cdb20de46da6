"""Players who also look at their money while machines fail, and the history that this makes."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from runtime.clock import SystemClock
from runtime.storage.database import Database
from taptrade.client import calls
from taptrade.views import EntryView, GridView
from tests.chaos.attempts import Answer
from tests.chaos.failover.history import Account, Entry, Read, Stored
from tests.chaos.players import Player

LOOKS = 0.1
"""The share of turns that look at the account, half of them at the statement."""
ROWS = 100
ENTRIES = (
    "SELECT user_id, id, amount, balance_after, ref_type, ref_id, commit_number"
    " FROM transaction_ledger ORDER BY commit_number, place"
)
CLOCK = SystemClock()


class ReadingPlayer(Player):
    """A player who keeps what each look at the account showed."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.reads: list[Read] = []

    def turn(self, grid: GridView | None, fault: str) -> None:
        """Do one thing that a player does, or look at the account."""
        if self.client.token and self.random.random() < LOOKS:
            self._look()
        else:
            super().turn(grid, fault)

    def _look(self) -> None:
        began_ms = CLOCK.now_ms()
        if self.random.random() < 0.5:
            page = self._try(lambda: self.client.send(calls.ledger(limit=ROWS)))
            if not isinstance(page, Answer) and page.entries:
                entries = tuple(_entry(view) for view in reversed(page.entries))
                balance, is_whole = entries[-1].balance_after, page.next_cursor is None
                self.reads.append(Read(began_ms, CLOCK.now_ms(), balance, entries, is_whole))
            return
        account = self._try(self.client.me)
        if not isinstance(account, Answer):
            self.reads.append(Read(began_ms, CLOCK.now_ms(), account.user.balance))

    def history(self, stored: list[Stored]) -> Account:
        """Return all that this player was shown and told, beside what is stored."""
        acknowledged: dict[str, int] = {}
        sent: dict[str, int] = {}
        for attempt in self.attempts:
            for bet_id in attempt.told:
                sent[bet_id] = attempt.first_sent_ms
            if attempt.confirmed:
                acknowledged[attempt.confirmed[0].id] = attempt.acknowledged_ms
            listed = self.bets.get(attempt.signed.cell_id)
            if listed is not None:
                sent[listed.id] = attempt.first_sent_ms
        return Account(self.user_id, stored, self.reads, acknowledged, sent)


def stored_entries(database: Database) -> dict[str, list[Stored]]:
    """Read every account's entries, in the order of their commits."""
    found: dict[str, list[Stored]] = defaultdict(list)
    for user_id, entry_id, amount, balance_after, kind, ref_id, commit in database.execute(ENTRIES):
        found[user_id].append(Stored(Entry(entry_id, amount, balance_after, kind, ref_id), commit))
    return found


def _entry(view: EntryView) -> Entry:
    return Entry(view.id, view.amount, view.balance_after, view.ref_type, view.ref_id)
