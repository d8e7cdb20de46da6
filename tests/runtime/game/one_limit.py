"""One of a player's own limits by the rule alone: the oracle of tests."""

from __future__ import annotations

from runtime.game.limit_changes import Waiting
from runtime.game.limits import DAY_MS


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

    def wish(self, amount: int | None, now_ms: int) -> None:
        """Ask for an amount."""
        self.pass_time(now_ms)
        binds_less = (
            (amount or 0) < (self.amount or 0) and (self.amount or 0) > now_ms
            if self.name.endswith("until_ms")
            else self.amount is not None and (amount is None or amount > self.amount)
        )
        if not binds_less:
            self.amount, self.later = amount, None
        elif self.later is None or self.later.amount != amount:
            self.later = Waiting(amount, now_ms + DAY_MS)
