"""What the streams read of the live database: events by commit, and one player's account."""

from __future__ import annotations

from dataclasses import dataclass

from runtime.game.bets import from_row
from runtime.game.player_entries import LAST_ID, Execute, back
from runtime.records import events
from runtime.records.queries import QUERIES
from runtime.records.views import BetView, CommittedEvent, bet_view

PAGE = 500
PAGES_MAX = 4


@dataclass(frozen=True, slots=True)
class Account:
    """A player's money and open bets as they were after `commit`."""

    commit: int
    balance: int
    open_bets: list[BetView]


class CommittedEvents:
    """Read through `execute`, which answers with tuples and keeps the greenlets of others running."""

    def __init__(self, execute: Execute) -> None:
        self._execute = execute

    def newest_commit(self) -> int:
        """Return the number of the newest commit, 0 if there is none."""
        return events.last_commit(self._execute)

    def events_of_commit(self, commit: int) -> list[CommittedEvent]:
        """Return a commit's events in order."""
        return events.events_of_commit(self._execute, commit)

    def events_of_user(
        self, user_id: str | None, after: tuple[int, int], upto: int, limit: int
    ) -> list[tuple[int, CommittedEvent]]:
        """Return (commit, event) of what a reader may know, oldest first."""
        return events.events_of_user(self._execute, user_id, after, upto, limit)

    def account(self, user_id: str) -> Account | None:
        """Return a player's balance and open bets; None for a user who does not exist.

        Open bets are young: pages of the newest bets that were taken are read as long as they hold one.
        """
        account: Account | None = None
        before = LAST_ID
        for _ in range(PAGES_MAX):
            rows = self._execute(QUERIES["account"], (*back(user_id, below_id=before), PAGE, user_id))
            if not rows:
                return account
            commit, balance, count, oldest = rows[0][:4]
            open_bets = [bet_view(from_row(row[4:])) for row in rows if row[4] is not None]
            if account is None:
                account = Account(commit, balance, open_bets)
            else:
                account.open_bets[:0] = open_bets
            if count < PAGE or not open_bets:
                break
            before = oldest
        return account
