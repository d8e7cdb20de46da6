"""Risk limits of the house and limits that players set for themselves; exact, because the writer is serial."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields

from runtime.game.money import payout_cents

DAY_MS = 24 * 3600 * 1000
WEEK_MS = 7 * DAY_MS
_FOR_EVER_MS = 2**62
HOUSE = "house"
"""The scope of all open bets."""


@dataclass(frozen=True, slots=True)
class RiskLimits:
    """The greatest payouts that the house stands for, in cents."""

    payout_max_cents: int
    cell_payout_max_cents: int
    column_payout_max_cents: int
    liability_max_cents: int

    def most_cents(self, scope: str) -> int:
        """Return the limit of a scope: of all open bets, of a column, named by its start, or of a cell, by its id."""
        if scope == HOUSE:
            return self.liability_max_cents
        return self.cell_payout_max_cents if "_" in scope else self.column_payout_max_cents


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


def no_such_stake(presets_cents: Iterable[int]) -> str:
    """Say which stakes there are, to whom has named none of them."""
    return f"The stake is none of the presets: {', '.join(map(str, sorted(presets_cents)))} cents."


def largest_stake_cents(headroom_cents: int, rate_bp: int, presets_cents: Iterable[int]) -> int | None:
    """Return the largest preset whose payout fits into `headroom_cents`, or None."""
    fitting = [stake for stake in presets_cents if payout_cents(stake, rate_bp) <= headroom_cents]
    return max(fitting, default=None)


@dataclass(frozen=True, slots=True)
class PlayerLimits:
    """What players set for themselves; None is no limit, for the reality check the house's interval."""

    stake_day_max_cents: int | None = None
    """Stakes since 00:00 UTC."""
    loss_day_max_cents: int | None = None
    """Stakes - payouts - refunds since 00:00 UTC."""
    cool_off_until_ms: int | None = None
    excluded_until_ms: int | None = None
    """Before these two there is no bet and no deposit."""
    stake_max_cents: int | None = None
    """The stake of one bet."""
    deposit_day_max_cents: int | None = None
    deposit_week_max_cents: int | None = None
    """Deposits of the last 24 hours, and of the last seven days."""
    reality_check_minutes: int | None = None
    """How often the player is told how long and how they have played; it refuses nothing."""

    @property
    def counts_the_day(self) -> bool:
        """Tell whether what was staked since 00:00 UTC matters."""
        return self.stake_day_max_cents is not None or self.loss_day_max_cents is not None

    @property
    def counts_deposits(self) -> bool:
        """Tell whether what was deposited in the last seven days matters."""
        return self.deposit_day_max_cents is not None or self.deposit_week_max_cents is not None


LIMIT_COLUMNS = tuple(one.name for one in fields(PlayerLimits))


@dataclass(frozen=True, slots=True)
class Reached:
    """A limit that refuses an amount: its name, what it leaves, and until when; None: however long one waits."""

    limit: str
    sentence: str
    left_cents: int
    until_ms: int | None


Credited = tuple[int, int]
"""A deposit as a rolling window counts it: when it was credited, and its cents."""


def day_began_ms(now_ms: int) -> int:
    """Return when the day of a time began: at 00:00 UTC."""
    return now_ms - now_ms % DAY_MS


def lost_cents(staked_cents: int, returned_cents: int) -> int:
    """Return what was lost: stakes - payouts - refunds; below zero something was won."""
    return staked_cents - returned_cents


def deposits_within(deposits: Sequence[Credited], window_ms: int, now_ms: int) -> Sequence[Credited]:
    """Return the deposits that a rolling window holds."""
    return [one for one in deposits if one[0] > now_ms - window_ms]


def refusal(
    limits: PlayerLimits, stake_cents: int, staked_cents: int, returned_cents: int, now_ms: int
) -> Reached | None:
    """Say which of the player's limits refuses a stake, or None."""
    midnight_ms = day_began_ms(now_ms) + DAY_MS
    bounds = []
    if limits.stake_max_cents is not None:
        sentence = "The stake is above your limit for one bet."
        bounds.append(Reached("stake_max_cents", sentence, limits.stake_max_cents, None))
    if limits.stake_day_max_cents is not None:
        left_cents = limits.stake_day_max_cents - staked_cents
        sentence = "Your limit of stakes for the day is reached."
        bounds.append(Reached("stake_day_max_cents", sentence, max(0, left_cents), midnight_ms))
    if limits.loss_day_max_cents is not None:
        left_cents = limits.loss_day_max_cents - lost_cents(staked_cents, returned_cents)
        sentence = "Your limit of losses for the day is reached."
        bounds.append(Reached("loss_day_max_cents", sentence, max(0, left_cents), midnight_ms))
    return _pause(limits, now_ms) or _tightest(bounds, stake_cents)


def deposit_refusal(
    limits: PlayerLimits, amount_cents: int, deposits: Sequence[Credited], now_ms: int
) -> Reached | None:
    """Say which of the player's limits refuses a deposit, or None; `deposits` are those before it, oldest first."""
    windows = (
        ("deposit_day_max_cents", limits.deposit_day_max_cents, DAY_MS, "24 hours"),
        ("deposit_week_max_cents", limits.deposit_week_max_cents, WEEK_MS, "seven days"),
    )
    bounds = []
    for name, most_cents, window_ms, span in windows:
        if most_cents is not None:
            inside = deposits_within(deposits, window_ms, now_ms)
            left_cents = most_cents - sum(cents for _, cents in inside)
            until_ms = _fits_from_ms(amount_cents - left_cents, inside, window_ms)
            sentence = f"Your limit of deposits in {span} is reached."
            bounds.append(Reached(name, sentence, max(0, left_cents), until_ms))
    return _pause(limits, now_ms) or _tightest(bounds, amount_cents)


def _pause(limits: PlayerLimits, now_ms: int) -> Reached | None:
    """Return the longest pause that lasts still."""
    pauses = [
        (limits.excluded_until_ms or 0, "excluded_until_ms", "You have excluded yourself."),
        (limits.cool_off_until_ms or 0, "cool_off_until_ms", "You are in a cool-off period."),
    ]
    until_ms, name, sentence = max(pauses, key=lambda pause: pause[0])
    return Reached(name, sentence, 0, until_ms) if now_ms < until_ms else None


def _tightest(bounds: Sequence[Reached], amount_cents: int) -> Reached | None:
    """Return the bound that leaves least, and of those the one that lasts longest, if it refuses the amount.

    What fits into it is not refused by another.
    """
    tightest = min(bounds, key=lambda one: (one.left_cents, -(one.until_ms or _FOR_EVER_MS)), default=None)
    return tightest if tightest is not None and amount_cents > tightest.left_cents else None


def _fits_from_ms(excess_cents: int, inside: Sequence[Credited], window_ms: int) -> int | None:
    """Return when so much of a window's deposits will have left it; None if it holds less than that."""
    for credited_ms, cents in inside:
        excess_cents -= cents
        if excess_cents <= 0:
            return credited_ms + window_ms
    return None
