"""What the settings say that bets of any day are recomputed by."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

from runtime.explanation import Yardstick
from runtime.explanation.recomputed import Yardsticks
from runtime.market.models import model_named
from runtime.settings import Settings
from taptrade.pricing import reward_model


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
