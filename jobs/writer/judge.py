"""Judge a bet at the moment of its commit: open cell, fresh tick, rate against floor, limits."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from runtime.commands import PlaceBet
from runtime.game.grid import Cell, GridRules
from runtime.game.ids import first_id_at
from runtime.game.ledger import Commit
from runtime.game.limits import DAY_MS, Exposure, LimitsChange, PlayerLimits, in_force, largest_stake_cents, refusal
from runtime.game.money import payout_cents
from runtime.game.own_entries import totals_since
from runtime.game.rewards import RewardModel
from runtime.game.ticks import Tick

LimitsOf = Callable[[str], Sequence[LimitsChange]]


@dataclass(frozen=True, slots=True)
class Verdict:
    """Why a bet is refused: the code, a sentence and typed arguments."""

    code: str
    detail: str
    arguments: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Fill:
    """What an accepted bet is filled at."""

    cell: Cell
    rate_bp: int
    tick: Tick


@dataclass(slots=True)
class Court:
    """What one commit judges by: the tick, the clock, the rules and what is open; rates are worked out once a cell."""

    rules: GridRules
    model: RewardModel
    tick: Tick | None
    now_ms: int
    newest_column_s: int
    max_fill_age_ms: int
    presets_cents: tuple[int, ...]
    exposure: Exposure
    limits_of: LimitsOf
    commit: Commit
    features: str | None = field(init=False)
    """What the tick's volatility rests on, as it is stored with each bet."""
    _rates: dict[str, int | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.features = None
        if self.tick is not None:
            known = self.tick.features
            self.features = json.dumps({"sample_ms": known.sample_ms, "history_ms": known.history_ms})

    def judge(self, bet: PlaceBet, cell: Cell) -> Fill | Verdict:
        """Fill a bet or say why not; the balance is judged last, by the ledger itself."""
        if self.now_ms > bet.decided_by_ms:
            return Verdict("BET_EXPIRED", "The bet was not committed in time.", {"decided_by_ms": bet.decided_by_ms})
        if cell.start_s * 1000 <= self.now_ms or cell.start_s <= self.newest_column_s:
            return Verdict("CELL_CLOSED", "The cell's window has begun.")
        tick = self.tick
        if tick is None or self.now_ms - tick.id > self.max_fill_age_ms:
            return Verdict("PRICE_FEED_STALE", "There is no fresh price to fill the bet at.")
        if bet.amount not in self.presets_cents:
            return Verdict("STAKE_NOT_ALLOWED", "The stake is none of the presets.", {"presets": self.presets_cents})
        rate_bp = self.rate_bp(cell, tick)
        if rate_bp is None:
            return Verdict("CELL_NOT_OFFERED", "The cell has no rate at this price.", {"grid_version": tick.id})
        if rate_bp < bet.min_rate_bp:
            moved = {"min_rate_bp": bet.min_rate_bp, "rate_bp": rate_bp, "grid_version": tick.id}
            return Verdict("RATE_MOVED", "The rate fell below the floor that was signed.", moved)
        return self._within_limits(bet, cell, rate_bp) or Fill(cell, rate_bp, tick)

    def rate_bp(self, cell: Cell, tick: Tick) -> int | None:
        """Return the rate of a cell on the tick of this commit."""
        cell_id = cell.id
        if cell_id not in self._rates:
            self._rates[cell_id] = self.model.rate_bp(cell, tick, self.now_ms)
        return self._rates[cell_id]

    def _within_limits(self, bet: PlaceBet, cell: Cell, rate_bp: int) -> Verdict | None:
        room_cents = self.exposure.room_cents(cell.start_s, bet.cell_id)
        if payout_cents(bet.amount, rate_bp) > room_cents:
            largest = largest_stake_cents(room_cents, rate_bp, self.presets_cents)
            return Verdict("EXPOSURE_LIMIT", "The house takes no more on this cell.", {"max_stake_cents": largest})
        changes = self.limits_of(bet.user_id)
        if not changes:
            return None
        limits = in_force(changes, self.now_ms)
        if limits == PlayerLimits():
            return None
        # The stakes of this very commit count too.
        self.commit.write_entries()
        first_id = first_id_at(self.now_ms - self.now_ms % DAY_MS)
        staked, returned = totals_since(self.commit.connection.execute, bet.user_id, first_id)
        reached = refusal(limits, bet.amount, staked, returned, self.now_ms)
        if reached is None:
            return None
        hint = {
            "limit": reached.limit,
            "left_cents": reached.left_cents,
            "max_stake_cents": max((one for one in self.presets_cents if one <= reached.left_cents), default=None),
            "until_ms": reached.until_ms,
        }
        return Verdict("LIMIT_REACHED", reached.sentence, hint)
