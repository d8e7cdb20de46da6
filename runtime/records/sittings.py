"""A player's present sitting: their own bets with no pause longer than 30 minutes between them, up to now.

It is counted from the player's entries, newest first. What a process has counted it remembers, since entries never
change: the next count reads only what has come since.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from runtime.game.grid import GridRules
from runtime.game.ids import first_id_at
from runtime.game.ledger import SQL
from runtime.game.player_entries import FIRST_ID, LAST_ID, Execute, back, entries_newest_first
from runtime.records.player_bets import OPEN_AMONG_NEWEST
from runtime.records.queries import QUERIES

PAUSE_MS = 30 * 60 * 1000
"""A longer pause between two bets ends a sitting."""
SLICE_ENTRIES = 2_000
SLICES_MAX = 10
"""A sitting is counted back so far at once; of one of which more is new, the newest part is told."""
REMEMBERED_MAX = 20_000
RETURNS = ("PAYOUT", "REFUND")


@dataclass(frozen=True, slots=True)
class Sitting:
    """What was played in a sitting, in cents; `newest_id` is the last entry that is counted."""

    since_ms: int
    last_bet_ms: int
    newest_id: str
    bets: int
    staked_cents: int
    returned_cents: int


class Sittings:
    """Count sittings, and remember those of the players who asked last."""

    def __init__(self) -> None:
        self._counted: dict[str, Sitting] = {}

    def present(self, execute: Execute, user_id: str, now_ms: int) -> Sitting | None:
        """Return the player's sitting, None if the last bet lies longer back than a pause; each read is bounded."""
        before = self._counted.pop(user_id, None)
        sitting = count(execute, user_id, now_ms, before)
        if sitting is not None:
            while len(self._counted) >= REMEMBERED_MAX:
                self._counted.pop(next(iter(self._counted)), None)
            self._counted[user_id] = sitting
        return sitting


def count(execute: Execute, user_id: str, now_ms: int, before: Sitting | None = None) -> Sitting | None:
    """Count a sitting, from what was counted of it `before` on.

    Each slice reads no further than a pause behind the oldest bet so far, so a slice without entries is its begin.
    """
    since_ms, last_bet_ms, newest_id, below_id = now_ms, 0, "", LAST_ID
    bets = staked = returned = 0
    unclaimed = 0
    """What came back before the oldest bet so far: of this sitting if it has a bet that is older still."""
    counted_id = before.newest_id if before else FIRST_ID
    for _ in range(SLICES_MAX):
        # No id lies between the one that is counted and the text that is one character longer.
        from_id = max(first_id_at(since_ms - PAUSE_MS), f"{counted_id}0" if counted_id else FIRST_ID)
        entries = entries_newest_first(execute, user_id, from_id, below_id, limit=SLICE_ENTRIES)
        if not entries:
            break
        newest_id, below_id = newest_id or entries[0].id, entries[-1].id
        for entry in entries:
            if entry.ref_type == "BET":
                bets, staked, returned, unclaimed = bets + 1, staked - entry.amount, returned + unclaimed, 0
                since_ms, last_bet_ms = entry.created_at, last_bet_ms or entry.created_at
            elif entry.ref_type in RETURNS:
                unclaimed += entry.amount
    else:
        before = None
    if before is not None and since_ms - before.last_bet_ms <= PAUSE_MS:
        return replace(
            before,
            last_bet_ms=last_bet_ms or before.last_bet_ms,
            newest_id=newest_id or before.newest_id,
            bets=before.bets + bets,
            staked_cents=before.staked_cents + staked,
            returned_cents=before.returned_cents + returned + unclaimed,
        )
    return Sitting(since_ms, last_bet_ms, newest_id, bets, staked, returned) if bets else None


def open_stake_cents(execute: Execute, user_id: str, rules: GridRules) -> int:
    """Return the stakes of a player's open bets, as far as they are among the newest."""
    ((open_from_s,),) = execute(SQL["open_from"], ())
    # A bet is placed on columns of its horizon; those before the mark have ended.
    placed_from_s = open_from_s - (rules.horizon_columns + 1) * rules.column_seconds
    from_id = first_id_at(placed_from_s * 1000) if placed_from_s > 0 else FIRST_ID
    ((cents,),) = execute(QUERIES["open_stake"], (*back(user_id, from_id), OPEN_AMONG_NEWEST))
    return int(cents)
