"""The numbers that stand for players and their logins in rows, kept from one commit of a writer to the next."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any

from runtime.game.bets import Bet
from runtime.game.rows import ROWS, Execute, LedgerBroken, Pricings, bet_row

KEPT_MAX = 16_384
"""Players, and logins, that are kept; some 300 bytes each. To read one anew costs a bet some 5 microseconds."""

Numbered = tuple[int, str | None]
UNKNOWN = (None, None)
"""Of a player or a login that is not stored."""


class RowNumbers:
    """What was read of players and logins: one writer alone changes it, so it need not be read again.

    What a transaction has read and made is gone after its roll-back, so `clear` follows each.
    """

    def __init__(self) -> None:
        self.players: dict[str, Numbered] = {}
        """By a player's id: the number, and the newest entry."""
        self._logins: dict[str, Numbered] = {}
        """By a login's id: the number, and the session key as it is stored."""

    def clear(self) -> None:
        """Read everything anew."""
        self.players.clear()
        self._logins.clear()

    def trim(self) -> None:
        """Let go of those that are too many, longest known first."""
        for kept in (self.players, self._logins):
            for name in [*islice(kept, max(0, len(kept) - KEPT_MAX))]:
                del kept[name]

    def meet(self, execute: Execute, user_ids: Iterable[str]) -> dict[str, Numbered]:
        """Return all players who are known by now, these among them if they are stored; unknown ones are read together.

        Raise LedgerBroken if two have one id.
        """
        unmet = [user_id for user_id in user_ids if user_id not in self.players]
        if unmet:
            rows = execute(ROWS["players"], (json.dumps(unmet),))
            met = {user_id: (user, last_entry_id) for user_id, user, last_entry_id in rows}
            if len(met) < len(rows):
                raise LedgerBroken(f"{len(rows)} users have {len(met)} ids")
            self.players.update(met)
        return self.players

    def logins(self, execute: Execute, ids: Iterable[str]) -> dict[str, Numbered]:
        """Return the same of logins with session keys: the number of each, and its key as it is stored."""
        unknown = [name for name in ids if name not in self._logins]
        if unknown:
            found = execute(ROWS["logins"], (json.dumps(unknown),))
            self._logins.update((name, (number, key)) for name, number, key in found)
        return self._logins

    def bet_rows(self, execute: Execute, bets: Sequence[Bet]) -> list[tuple[Any, ...]]:
        """Return the parameters of `insert_bet` of each bet; what it was priced by is written where it is new."""
        pricings, players = Pricings(execute), self.meet(execute, {bet.user_id for bet in bets})
        logins = self.logins(execute, {bet.delegation_id for bet in bets if bet.delegation_id})
        rows = []
        for bet in bets:
            user, _ = players.get(bet.user_id, UNKNOWN)
            rows.append(bet_row(bet, pricings.of(bet), user, *logins.get(bet.delegation_id or "", UNKNOWN)))
        return rows
