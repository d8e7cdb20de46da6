"""What the writer needs of the settings."""

from __future__ import annotations

from dataclasses import dataclass

from runtime.game.grid import GridRules
from runtime.game.judge import TicksOfWait
from runtime.game.limits import RiskLimits
from runtime.game.rewards import RewardModel
from runtime.market.models import rules_of
from runtime.settings import Settings


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

    @classmethod
    def of(cls, settings: Settings, model: RewardModel, ticks_of_wait: TicksOfWait) -> WriterRules:
        """Return the rules that the settings say."""
        return cls(
            rules_of(settings),
            model,
            settings.presets_cents,
            settings.max_fill_age_ms,
            settings.withdrawal_min_cents,
            settings.withdrawals_pending_max,
            ticks_of_wait,
            settings.reality_check_minutes,
            settings.records_kept_days,
        )


def risk_of(settings: Settings) -> RiskLimits:
    """Return how much the house risks at most, as the settings say."""
    return RiskLimits(
        settings.payout_max_cents,
        settings.cell_payout_max_cents,
        settings.column_payout_max_cents,
        settings.liability_max_cents,
    )
