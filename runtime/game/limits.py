"""Risk limits of the house and limits that players set for themselves; exact, because the writer is serial."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from runtime.game.money import payout_cents

DAY_MS = 24 * 3600 * 1000


@dataclass(frozen=True, slots=True)
class RiskLimits:
    """The greatest payouts that the house stands for, in cents."""

    payout_max_cents: int
    cell_payout_max_cents: int
    column_payout_max_cents: int
    liability_max_cents: int


class Exposure:
    """What the house would pay if every open bet won: per cell, per column and in all."""

    def __init__(self, limits: RiskLimits) -> None:
        self.limits = limits
        self.total_cents = 0
        self._columns: dict[int, int] = {}
        self._cells: dict[str, int] = {}

    def add(self, column_start_s: int, cell_id: str, liability_cents: int) -> None:
        """Count a bet that was confirmed."""
        self.total_cents += liability_cents
        self._columns[column_start_s] = self._columns.get(column_start_s, 0) + liability_cents
        self._cells[cell_id] = self._cells.get(cell_id, 0) + liability_cents

    def remove(self, column_start_s: int, cell_id: str, liability_cents: int) -> None:
        """Stop counting a bet that ended."""
        self.total_cents -= liability_cents
        self._columns[column_start_s] = self._columns.get(column_start_s, 0) - liability_cents
        self._cells[cell_id] = self._cells.get(cell_id, 0) - liability_cents
        if self._columns[column_start_s] == 0:
            del self._columns[column_start_s]
        if self._cells[cell_id] == 0:
            del self._cells[cell_id]

    def first_column_s(self, at_most_s: int) -> int:
        """Return the first column that has open bets, or `at_most_s` if that is earlier."""
        return min([at_most_s, *self._columns])

    def headroom_cents(self, column_start_s: int, cell_id: str) -> int:
        """Return the greatest payout that one more bet on the cell may have."""
        limits = self.limits
        return max(
            0,
            min(
                limits.payout_max_cents,
                limits.cell_payout_max_cents - self._cells.get(cell_id, 0),
                limits.column_payout_max_cents - self._columns.get(column_start_s, 0),
                limits.liability_max_cents - self.total_cents,
            ),
        )


def largest_stake_cents(headroom_cents: int, rate_bp: int, presets_cents: Iterable[int]) -> int | None:
    """Return the largest preset whose payout fits into `headroom_cents`, or None."""
    fitting = [stake for stake in presets_cents if payout_cents(stake, rate_bp) <= headroom_cents]
    return max(fitting, default=None)


@dataclass(frozen=True, slots=True)
class PlayerLimits:
    """A player's own limits: cents a day (UTC), and times before which no bet is taken."""

    stake_day_max_cents: int | None = None
    loss_day_max_cents: int | None = None
    cool_off_until_ms: int | None = None
    excluded_until_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Reached:
    """A limit that refuses a stake: its name, what may still be staked, and until when it holds."""

    limit: str
    sentence: str
    left_cents: int
    until_ms: int


def refusal(
    limits: PlayerLimits, stake_cents: int, staked_cents: int, returned_cents: int, now_ms: int
) -> Reached | None:
    """Say which of the player's limits refuses a stake, or None; loss of a day = stakes - payouts - refunds.

    Of several it is the one that holds longest, or leaves least: what fits into it is not refused by another.
    """
    pauses = (
        Reached("excluded_until_ms", "You have excluded yourself from betting.", 0, limits.excluded_until_ms or 0),
        Reached("cool_off_until_ms", "You are in a cool-off period.", 0, limits.cool_off_until_ms or 0),
    )
    longest = max(pauses, key=lambda pause: pause.until_ms)
    if now_ms < longest.until_ms:
        return longest
    midnight_ms = now_ms - now_ms % DAY_MS + DAY_MS
    days = []
    if limits.stake_day_max_cents is not None:
        left_cents = limits.stake_day_max_cents - staked_cents
        sentence = "Your limit of stakes for the day is reached."
        days.append(Reached("stake_day_max_cents", sentence, max(0, left_cents), midnight_ms))
    if limits.loss_day_max_cents is not None:
        left_cents = limits.loss_day_max_cents - (staked_cents - returned_cents)
        sentence = "Your limit of losses for the day is reached."
        days.append(Reached("loss_day_max_cents", sentence, max(0, left_cents), midnight_ms))
    tightest = min(days, key=lambda day: day.left_cents, default=None)
    return tightest if tightest is not None and stake_cents > tightest.left_cents else None
