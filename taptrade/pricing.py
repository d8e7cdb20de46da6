"""The reward model that the settings name, told in a sentence where it cannot be used."""

from __future__ import annotations

from runtime.game.grid import GridRules
from runtime.game.rewards import RewardModel, RewardModelError, load_model
from runtime.settings import Settings, SettingsError


def reward_model(settings: Settings) -> RewardModel:
    """Load the reward model; raise SettingsError if it cannot be: every process that prices would die of it."""
    rules = GridRules(settings.column_seconds, settings.horizon_columns, settings.row_step_cents, settings.rows)
    try:
        return load_model(settings.reward_model, rules, settings.house_edge_bp)
    except RewardModelError as ex:
        raise SettingsError(f"TAPTRADE_REWARD_MODEL: {ex}") from ex
