"""One of a player's own limits by the rule alone: the oracle of tests."""

from __future__ import annotations

from runtime.game.limit_changes import Waiting
from runtime.game.limits import DAY_MS

HOUSE_MINUTES = 60
"""What counts for who sets no interval of the reality check."""


class OneLimit:
    """What one limit is and will be, by the rule alone."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.amount: int | None = None
        self.later: Waiting | None = None

    def pass_time(self, now_ms: int) -> None:
        """Let a time come."""
        if self.later is not None and self.later.effective_ms <= now_ms:
            self.amount, self.later = self.later.amount, None

    def at(self, now_ms: int) -> int | None:
        """Return what binds at a time."""
        self.pass_time(now_ms)
        return self.amount

    def binds_less(self, amount: int | None, now_ms: int) -> bool:
        """Tell whether an amount would protect less than what there is."""
        if self.name.endswith("until_ms"):
            return (amount or 0) < (self.amount or 0) and (self.amount or 0) > now_ms
        without = HOUSE_MINUTES if self.name.endswith("minutes") else float("inf")
        most, most_now = (without if cents is None else cents for cents in (amount, self.amount))
        return most > most_now

    def wish(self, amount: int | None, now_ms: int) -> None:
        """Ask for an amount."""
        self.pass_time(now_ms)
        if not self.binds_less(amount, now_ms):
            self.amount, self.later = amount, None
        elif self.later is None or self.later.amount != amount:
            self.later = Waiting(amount, now_ms + DAY_MS)
