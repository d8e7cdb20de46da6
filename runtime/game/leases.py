"""The house's limits where several writers share them: each bets on what it was lent, so their sum is never above.

A writer holds a lease of each scope that it has bets on: the house, a column, a cell. What it has not used of one is
little, so that the others can use nearly all of a limit; what it needs for the bets at hand it asks for before.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from runtime.game.limits import HOUSE, Exposure, RiskLimits

IDLE_SHARE = 100
"""At most one part in so many of a limit is lent out and not used, by all writers but the one that asks."""

Asked = tuple[int, str, int]
"""A bet to come: column, cell, and the payout that it may have."""


class LeasedExposure(Exposure):
    """What the house would pay on one writer's bets, and what that writer was lent for it.

    A lease above what is used by more than twice the `spare_cents` is given back: by one spare each time would mean
    that every bet asks or gives.
    """

    def __init__(self, limits: RiskLimits, shards: int, leased: Mapping[str, int]) -> None:
        super().__init__(limits)
        self._others = max(1, shards - 1)
        self._leased = dict(leased)
        self._moved: set[str] = set(leased)
        """Scopes of which more may be lent than is used."""

    def add(self, column_start_s: int, cell_id: str, liability_cents: int) -> None:
        """Count a bet that was confirmed."""
        super().add(column_start_s, cell_id, liability_cents)
        self._moved.update((HOUSE, str(column_start_s), cell_id))

    def remove(self, column_start_s: int, cell_id: str, liability_cents: int) -> None:
        """Stop counting a bet that ended."""
        super().remove(column_start_s, cell_id, liability_cents)
        self._moved.update((HOUSE, str(column_start_s), cell_id))

    def headroom_cents(self, column_start_s: int, cell_id: str) -> int:
        """Return the greatest payout that one more bet on the cell may have, of what was lent."""
        left = min(self._unused(scope) for scope in (HOUSE, str(column_start_s), cell_id))
        return max(0, min(left, super().headroom_cents(column_start_s, cell_id)))

    def short(self, asked: Iterable[Asked]) -> dict[str, int]:
        """Return what leases bets to come need, of the scopes that lack any; empty where all is there."""
        needed: dict[str, int] = {}
        for start_s, cell_id, payout_cents in asked:
            for scope in (HOUSE, str(start_s), cell_id):
                needed[scope] = needed.get(scope, 0) + payout_cents
        return {
            scope: min(self.limits.most_cents(scope), self._used(scope) + cents + self.spare_cents(scope))
            for scope, cents in needed.items()
            if cents > self._unused(scope)
        }

    def excess(self) -> dict[str, int]:
        """Return what leases should come down to, of the scopes that have too much."""
        found: dict[str, int] = {}
        for scope in self._moved:
            used, spare = self._used(scope), self.spare_cents(scope)
            # A column that has ended is asked for no more, nor a cell on which no bet was taken.
            kept = spare if used or scope == HOUSE else 0
            if self._leased.get(scope, 0) - used > 2 * kept:
                found[scope] = used + kept
        self._moved.clear()
        return found

    def lend(self, granted: Mapping[str, int]) -> None:
        """Take leases as they are now."""
        for scope, cents in granted.items():
            if cents:
                self._leased[scope] = cents
            else:
                self._leased.pop(scope, None)
        self._moved.update(granted)

    def spare_cents(self, scope: str) -> int:
        """Return what a writer may hold of a scope beyond its bets, for those to come."""
        return self.limits.most_cents(scope) // (2 * IDLE_SHARE * self._others)

    def _unused(self, scope: str) -> int:
        return self._leased.get(scope, 0) - self._used(scope)

    def _used(self, scope: str) -> int:
        if scope == HOUSE:
            return self.total_cents
        return self._cells.get(scope, 0) if "_" in scope else self._columns.get(int(scope), 0)
