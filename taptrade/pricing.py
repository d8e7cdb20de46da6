"""The reward model that the settings name, told in a sentence where it cannot be used."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Protocol, runtime_checkable

from runtime.explanation import Yardstick
from runtime.explanation.recomputed import Yardsticks
from runtime.game.rewards import RewardModel, RewardModelError
from runtime.market.models import model_named, open_model
from runtime.settings import Settings, SettingsError


def yardsticks_of(settings: Settings) -> Yardsticks:
    """Return what bets are recomputed by, whatever model, edge and width were set in their days.

    Where a bet's model is not here, that is the present one, which then leaves the bet's rate open.
    """
    own = Yardstick(reward_model(settings), settings.house_edge_bp, settings.chain_ids)

    @cache
    def of_model(model_id: str | None, version: str | None) -> Yardstick:
        if (model_id, version) == (own.model.id, own.model.version):
            return own
        found = model_named(settings, model_id, version)
        return own if found is None else replace(own, model=found[0], house_edge_bp=found[1])

    return of_model


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
