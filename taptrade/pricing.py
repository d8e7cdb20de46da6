"""The reward model that the settings name, told in a sentence where it cannot be used."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from runtime.game.rewards import RewardModel, RewardModelError
from runtime.market.models import open_model
from runtime.settings import Settings, SettingsError


def reward_model(settings: Settings) -> RewardModel:
    """Load the reward model; raise SettingsError if it cannot be: every process that prices would die of it."""
    try:
        return open_model(settings)
    except RewardModelError as ex:
        raise SettingsError(f"TAPTRADE_REWARD_MODEL: {ex}") from ex


@runtime_checkable
class Proven(Protocol):
    """A model that has reports."""

    proven_for: tuple[str, ...]
    """The kinds of feed for which one passes."""
    proven_delay_ms: int
    """The fill delay that it is about."""


def refuse_unproven_model(settings: Settings) -> None:
    """Raise SettingsError in live mode unless the model has a report that passes for this kind of feed.

    A model names in `proven_for` the kinds for which it has one.
    """
    if settings.mode != "live":
        return
    model = reward_model(settings)
    if not isinstance(model, Proven) or settings.feed_kind not in model.proven_for:
        named = f"{settings.reward_model} has no" if settings.reward_model else "no model is named that has a"
        raise SettingsError(
            f"TAPTRADE_REWARD_MODEL: {named} passing report for the feed {settings.feed_kind} at an edge of "
            f"{settings.house_edge_bp / 100:g} %, and live mode needs one: record days (`taptrade feed record`), fit "
            f"them (`taptrade calibrate fit --kind {settings.feed_kind}`)"
        )
    if settings.fill_delay_ms < model.proven_delay_ms:
        raise SettingsError(
            f"TAPTRADE_FILL_DELAY_MS={settings.fill_delay_ms}: the model's report is about {model.proven_delay_ms} ms, "
            "and with less who sees prices ahead would win"
        )
