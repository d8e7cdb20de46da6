"""The reward model that the settings name, told in a sentence where it cannot be used."""

from __future__ import annotations

import re
from dataclasses import replace

from runtime.explanation import Yardstick
from runtime.game.grid import GridRules
from runtime.game.rewards import BrownianTouch, RewardModel, RewardModelError, load_model
from runtime.settings import Settings, SettingsError

_BUILT_WITH = re.compile(r"-edge(?P<edge_bp>[0-9]{1,4})-column(?P<width_s>[1-9][0-9]{0,3})$")


def yardstick_named(settings: Settings, own: Yardstick, model_id: str | None, version: str | None) -> Yardstick:
    """Return what a bet under a model is recomputed by, whatever edge and width were set in its days.

    Where the model is not here, that is our own yardstick, which then leaves the bet's rate open.
    """
    built = _BUILT_WITH.search(version or "")
    if model_id != BrownianTouch.id or built is None or version == own.model.version:
        return own
    edge_bp = int(built["edge_bp"])
    model = BrownianTouch(replace(_rules(settings), column_seconds=int(built["width_s"])), edge_bp)
    return replace(own, model=model, house_edge_bp=edge_bp) if model.version == version else own


def reward_model(settings: Settings) -> RewardModel:
    """Load the reward model; raise SettingsError if it cannot be: every process that prices would die of it."""
    try:
        return load_model(settings.reward_model, _rules(settings), settings.house_edge_bp)
    except RewardModelError as ex:
        raise SettingsError(f"TAPTRADE_REWARD_MODEL: {ex}") from ex


def _rules(settings: Settings) -> GridRules:
    return GridRules(settings.column_seconds, settings.horizon_columns, settings.row_step_cents, settings.rows)


def refuse_unproven_model(settings: Settings) -> None:
    """Raise SettingsError in live mode unless the model has a report that passes for this kind of feed.

    A model names in `proven_for` the kinds for which it has one.
    """
    if settings.mode != "live":
        return
    proven_for: tuple[str, ...] = getattr(reward_model(settings), "proven_for", ())
    if settings.feed_kind not in proven_for:
        raise SettingsError(
            f"TAPTRADE_REWARD_MODEL={settings.reward_model}: no reward model has a passing report for the feed "
            f"{settings.feed_kind}, and live mode needs one"
        )
