"""The bet's rule, asked at the moment of its commit: open cell, fresh tick, rate against floor, limits."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from runtime.game.buckets import Bucket, closed_of, distance_of, rate_from_bp
from runtime.game.grid import Cell, GridRules
from runtime.game.ids import first_id_at
from runtime.game.limit_changes import LimitsChange, in_force
from runtime.game.limits import Exposure, PlayerLimits, day_began_ms, largest_stake_cents, no_such_stake, refusal
from runtime.game.money import payout_cents
from runtime.game.rewards import RewardModel
from runtime.game.ticks import Tick

LimitsOf = Callable[[str], Sequence[LimitsChange]]
TicksOfWait = Callable[[int, int], Sequence[Tick] | None]
"""ticks_of_wait(from_ms, to_ms): the ticks with from <= id < to, oldest first; None where they cannot be read."""
TotalsSince = Callable[[str, str], tuple[int, int]]
"""totals_since(user_id, entry_id): what the user staked from that entry on, and what came back of it, in cents."""


class Fill(NamedTuple):
    """The bet is taken, at this rate of the judge's tick."""

    rate_bp: int


@dataclass(frozen=True, slots=True)
class Refused:
    """The bet is not taken: the code, a sentence and typed arguments."""

    code: str
    detail: str
    arguments: dict[str, Any] = field(default_factory=dict)
    at: Tick | None = None
    """The tick of the wait that decided it; None where it is the commit's."""


Verdict = Fill | Refused


def first_below(model: RewardModel, cell: Cell, ticks: Iterable[Tick], min_rate_bp: int) -> tuple[Tick, int] | None:
    """Return the first tick on which a cell's rate is below a floor, with that rate, 0 where there is none."""
    rates = ((tick, model.rate_bp(cell, tick, tick.id) or 0) for tick in ticks)
    return next((found for found in rates if found[1] < min_rate_bp), None)


@dataclass(slots=True)
class Judge:
    """What the bets of one commit are judged by: the tick, the clock, the rules and what is open.

    A cell's rate is worked out once a commit.
    """

    rules: GridRules
    model: RewardModel
    tick: Tick | None
    now_ms: int
    newest_column_s: int
    max_fill_age_ms: int
    presets_cents: tuple[int, ...]
    exposure: Exposure
    limits_of: LimitsOf
    totals_since: TotalsSince
    ticks_of_wait: TicksOfWait
    closed: frozenset[Bucket] = frozenset()
    """The buckets that take no bets."""
    _rates: dict[str, int | None] = field(default_factory=dict)

    def judge(
        self,
        cell: Cell,
        user_id: str,
        stake_cents: int,
        min_rate_bp: int,
        decided_by_ms: int,
        wait_ms: tuple[int, int] | None = None,
    ) -> Verdict:
        """Fill a bet or say why not, the first reason of this order; the balance is judged last, by the ledger.

        With a fill delay, `wait_ms` is its begin and its end. A tick that is not later fills nothing: its player may
        have seen it coming. And the floor must have held on every tick since it began: who sees a leap coming that
        comes back would else be filled exactly then.
        """
        if self.now_ms > decided_by_ms:
            return Refused("BET_EXPIRED", "The bet was not committed in time.", {"decided_by_ms": decided_by_ms})
        if cell.start_s * 1000 <= self.now_ms or cell.start_s <= self.newest_column_s:
            return Refused("CELL_CLOSED", "The cell's window has begun.")
        tick = self.tick
        if tick is None or self.now_ms - tick.id > self.max_fill_age_ms or (wait_ms and tick.id <= wait_ms[1]):
            return Refused("PRICE_FEED_STALE", "There is no fresh price to fill the bet at.")
        if stake_cents not in self.presets_cents:
            return Refused("STAKE_NOT_ALLOWED", no_such_stake(self.presets_cents), {"presets": self.presets_cents})
        rate_bp = self.rate_bp(cell, tick)
        if rate_bp is None:
            return Refused("CELL_NOT_OFFERED", "The cell has no rate at this price.", {"grid_version": tick.id})
        if self.closed:
            shut = self._shut(cell, rate_bp)
            if shut is not None:
                why = {"grid_version": tick.id, "bucket": shut.name, "rate_bp": rate_bp}
                return Refused("CELL_NOT_OFFERED", "The house takes no bets at such rates at present.", why)
        if rate_bp < min_rate_bp:
            moved = {"min_rate_bp": min_rate_bp, "rate_bp": rate_bp, "grid_version": tick.id}
            return Refused("RATE_MOVED", "The rate fell below the floor that was signed.", moved)
        return (
            (self._fell_meanwhile(cell, tick, wait_ms[0], min_rate_bp) if wait_ms else None)
            or self._beyond_house_limits(cell, stake_cents, rate_bp)
            or self._beyond_own_limits(user_id, stake_cents)
            or Fill(rate_bp)
        )

    def _fell_meanwhile(self, cell: Cell, tick: Tick, since_ms: int, min_rate_bp: int) -> Refused | None:
        waited = self.ticks_of_wait(since_ms + 1, tick.id)
        if waited is None:
            return Refused("PRICE_FEED_STALE", "The prices of the bet's wait cannot be read.")
        fell = first_below(self.model, cell, waited, min_rate_bp)
        if fell is None:
            return None
        at, rate_bp = fell
        moved = {"min_rate_bp": min_rate_bp, "rate_bp": rate_bp, "grid_version": at.id}
        return Refused("RATE_MOVED", "The rate fell below the floor while the bet waited.", moved, at)

    def _shut(self, cell: Cell, rate_bp: int) -> Bucket | None:
        """Return the closed bucket that a bet at this rate falls into."""
        distance = distance_of(cell.start_s, self.now_ms, self.rules.column_seconds)
        return closed_of(self.closed, Bucket(self.model.id, self.model.version, rate_from_bp(rate_bp), distance))

    def rate_bp(self, cell: Cell, tick: Tick) -> int | None:
        """Return the rate of a cell on the tick of this commit."""
        cell_id = cell.id
        if cell_id not in self._rates:
            self._rates[cell_id] = self.model.rate_bp(cell, tick, self.now_ms)
        return self._rates[cell_id]

    def _beyond_house_limits(self, cell: Cell, stake_cents: int, rate_bp: int) -> Refused | None:
        headroom_cents = self.exposure.headroom_cents(cell.start_s, cell.id)
        if payout_cents(stake_cents, rate_bp) <= headroom_cents:
            return None
        largest = largest_stake_cents(headroom_cents, rate_bp, self.presets_cents)
        return Refused("EXPOSURE_LIMIT", "The house takes no more on this cell.", {"max_stake_cents": largest})

    def _beyond_own_limits(self, user_id: str, stake_cents: int) -> Refused | None:
        changes = self.limits_of(user_id)
        if not changes:
            return None
        limits = in_force(changes, self.now_ms)
        if limits == PlayerLimits():
            return None
        first_id = first_id_at(day_began_ms(self.now_ms))
        staked, returned = self.totals_since(user_id, first_id) if limits.counts_the_day else (0, 0)
        reached = refusal(limits, stake_cents, staked, returned, self.now_ms)
        if reached is None:
            return None
        hint = {
            "limit": reached.limit,
            "left_cents": reached.left_cents,
            "max_stake_cents": max((one for one in self.presets_cents if one <= reached.left_cents), default=None),
            "until_ms": reached.until_ms,
        }
        return Refused("LIMIT_REACHED", reached.sentence, hint)
