"""A player's own limits with what counts against them so far, counted by the rules that bets and deposits meet."""

from __future__ import annotations

from runtime.errors import Unavailable
from runtime.game.ids import first_id_at
from runtime.game.ledger import SQL
from runtime.game.limits import DAY_MS, WEEK_MS, day_began_ms, deposits_within, lost_cents
from runtime.game.player_entries import totals_since
from runtime.records.accounts import LimitsState, Reader, limits_state, read_changes


class OwnLimits(LimitsState, frozen=True):
    """Own limits, and what counts against those of money, whether there are any or not.

    Stakes and losses of today (UTC), a loss below zero being a gain; both are null on a day with more entries than can
    be counted in time. Deposits of the last 24 hours and seven days.
    """

    stake_day_used_cents: int | None
    loss_day_used_cents: int | None
    deposit_day_used_cents: int
    deposit_week_used_cents: int


def own_limits(pool: Reader, user_id: str, now_ms: int) -> OwnLimits:
    """Read what counts now, what will, and what is used."""
    state = limits_state(read_changes(pool, user_id, now_ms), now_ms)
    totals = _totals_of_day(pool, user_id, now_ms)
    deposits = [(ms, cents) for ms, cents in pool.execute(SQL["deposits_since"], (user_id, now_ms - WEEK_MS))]
    day_cents, week_cents = (
        sum(cents for _, cents in deposits_within(deposits, window_ms, now_ms)) for window_ms in (DAY_MS, WEEK_MS)
    )
    return OwnLimits(
        limits=state.limits,
        pending=state.pending,
        steps=state.steps,
        stake_day_used_cents=totals[0] if totals else None,
        loss_day_used_cents=lost_cents(*totals) if totals else None,
        deposit_day_used_cents=day_cents,
        deposit_week_used_cents=week_cents,
    )


def _totals_of_day(pool: Reader, user_id: str, now_ms: int) -> tuple[int, int] | None:
    try:
        return totals_since(pool.execute, user_id, first_id_at(day_began_ms(now_ms)))
    except Unavailable:
        # The limits themselves must be told and changed on the longest day too.
        return None
