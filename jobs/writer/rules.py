"""What the writer needs of the settings."""

from __future__ import annotations

from dataclasses import dataclass

from runtime.game.grid import GridRules
from runtime.game.judge import TicksOfWait
from runtime.game.rewards import RewardModel


@dataclass(frozen=True, slots=True)
class WriterRules:
    """The rules of the house, as this writer holds to them."""

    grid: GridRules
    model: RewardModel
    presets_cents: tuple[int, ...]
    max_fill_age_ms: int
    withdrawal_min_cents: int
    withdrawals_pending_max: int
    ticks_of_wait: TicksOfWait
    reality_check_minutes: int
    records_kept_days: int
