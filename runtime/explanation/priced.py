"""Where a bet's rate came from: the stored inputs, put into the model once more."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import msgspec

from runtime.clock import rfc3339
from runtime.explanation.views import Inputs, Priced
from runtime.game.bets import Bet
from runtime.game.buckets import Bucket, rate_from_bp
from runtime.game.grid import Cell
from runtime.game.judge import first_below
from runtime.game.money import dollars, factor
from runtime.game.rewards import RewardModel, Telling
from runtime.game.ticks import Features, Tick
from runtime.storage.ticks_store import Executor, between, of_wait, oldest_id

# Refusals that say something about the rate; the others came before a rate was asked for.
ABOUT_RATES = ("RATE_MOVED", "CELL_NOT_OFFERED")


@dataclass(frozen=True, slots=True)
class Yardstick:
    """What this process recomputes by; edge and chains are settings: a bet of other days may need those of its day."""

    model: RewardModel
    house_edge_bp: int
    chain_ids: tuple[int, ...]


def check_priced(
    bet: Bet, yardstick: Yardstick, ticks: Executor | None, shut: tuple[Bucket, bool] | None = None
) -> Priced:
    """Recompute the rate from what was stored with the bet, and look its tick up among the recorded ones.

    `shut` is the bucket that the bet was refused for, and whether it was closed then.
    """
    tick = _tick(bet)
    model = yardstick.model
    is_ours = (bet.model_id, bet.model_version) == (model.id, model.version)
    recomputed = None
    if tick is not None and bet.model_now_ms is not None and is_ours:
        cell = Cell(bet.column_start_s, bet.low_cents, bet.high_cents)
        recomputed = model.rate_bp(cell, tick, bet.model_now_ms)
    stored = _is_stored(tick, ticks)
    ok, finding = _judgement(bet, recomputed, yardstick, shut, is_ours=is_ours)
    if ok and is_ours and bet.refusal_code is None and ticks is not None and _fell_meanwhile(bet, model, ticks):
        ok, finding = False, f"{finding} But the rate was below the floor on a tick of its wait."
    if stored is False and ok is not None:
        ok, finding = False, f"{finding} But the recorded ticks have no such tick."
    return Priced(
        ok=ok,
        finding=finding,
        reward_rate_bp=bet.reward_rate,
        min_rate_bp=bet.min_rate_bp,
        tick_id=bet.tick_id,
        price_cents=bet.tick_close,
        volatility=bet.volatility,
        features=msgspec.json.decode(bet.features or "{}", type=Inputs),
        model_id=bet.model_id,
        model_version=bet.model_version,
        model_now_ms=bet.model_now_ms,
        fill_delay_ms=bet.fill_delay_ms,
        recomputed_rate_bp=recomputed,
        tick_is_stored=stored,
    )


def _tick(bet: Bet) -> Tick | None:
    if bet.tick_id is None or bet.tick_close is None or bet.volatility is None:
        return None
    stored: dict[str, Any] = json.loads(bet.features or "{}")
    features = Features(**stored | {"volatility": bet.volatility, "signals": tuple(stored.get("signals", ()))})
    return Tick(bet.tick_id, bet.tick_id, bet.tick_close, bet.tick_close, bet.tick_close, "", features)


def _is_stored(tick: Tick | None, ticks: Executor | None) -> bool | None:
    if tick is None or ticks is None:
        return None
    found = between(ticks, tick.id, tick.id + 1, 1)
    if not found:
        oldest = oldest_id(ticks)
        return None if oldest is None or oldest > tick.id else False
    return (found[0].close, found[0].features) == (tick.close, tick.features)


def _fell_meanwhile(bet: Bet, model: RewardModel, ticks: Executor) -> bool:
    """Tell whether the floor did not hold on a tick between receipt and fill, as far as these are kept."""
    if bet.fill_delay_ms is None or bet.tick_id is None:
        return False
    cell = Cell(bet.column_start_s, bet.low_cents, bet.high_cents)
    waited = of_wait(ticks, bet.received_ms + 1, bet.tick_id)
    return first_below(model, cell, waited, bet.min_rate_bp) is not None


def _judgement(
    bet: Bet, recomputed: int | None, yardstick: Yardstick, shut: tuple[Bucket, bool] | None, *, is_ours: bool
) -> tuple[bool | None, str]:
    if bet.reward_rate == 0 and bet.refusal_code not in ABOUT_RATES:
        return None, f"Refused with {bet.refusal_code} before it had a rate."
    source = _source(bet)
    waited = bet.fill_delay_ms is None or (bet.tick_id or 0) > bet.received_ms + bet.fill_delay_ms
    # A floor that did not hold during the wait is a refusal on the tick that broke it.
    if not waited and not (bet.refusal_code == "RATE_MOVED" and (bet.tick_id or 0) > bet.received_ms):
        return False, f"{source} But it had to wait {bet.fill_delay_ms} ms, and the tick is not from after that."
    if not is_ours:
        model = yardstick.model
        return None, f"{source} This process has the model {model.id} {model.version} and cannot recompute it."
    edge = _edge(yardstick, recomputed)
    again = "no rate at all" if recomputed is None else factor(recomputed)
    if shut is not None:
        return _shut_out(bet, recomputed, f"{source} The stored inputs and {edge} give {again}", *shut)
    if bet.refusal_code == "CELL_NOT_OFFERED":
        return recomputed is None, f"{source} The stored inputs and {edge} give {again}."
    if bet.refusal_code == "RATE_MOVED":
        # No rate at all breaks a floor too while a bet waits; without a wait it is another refusal.
        known = recomputed is not None or bet.fill_delay_ms is not None
        below = known and (recomputed or 0) < bet.min_rate_bp
        return below, f"{source} The stored inputs and {edge} give {again}; the floor was {factor(bet.min_rate_bp)}."
    if bet.reward_rate < bet.min_rate_bp:
        return False, f"{source} That is below the signed floor of {factor(bet.min_rate_bp)}."
    if recomputed != bet.reward_rate:
        return False, f"{source} But the stored inputs and {edge} give {again}."
    return True, f"{source} The stored inputs give the same rate again, with {edge}."


def _edge(yardstick: Yardstick, rate_bp: int | None) -> str:
    """Return what a rate holds back in all, and what of it the model adds to the setting."""
    own_bp, model = yardstick.house_edge_bp, yardstick.model
    kept_bp = {own_bp}
    if rate_bp is not None and isinstance(model, Telling):
        # At the bound between two stretches a rate may hold back anything from the one's to the other's.
        kept_bp = {kept_bp for low, high, kept_bp in model.kept_bp if low <= rate_bp <= high} or kept_bp
    least, most = (f"{bp / 100:g}" for bp in (min(kept_bp), max(kept_bp)))
    whole = f"a house edge of {least} %" if least == most else f"a house edge of {least} to {most} %"
    return (
        whole if kept_bp == {own_bp} else f"{whole} ({own_bp / 100:g} %, the rest for what the model leaves in doubt)"
    )


def _shut_out(bet: Bet, recomputed: int | None, given: str, bucket: Bucket, was_closed: bool) -> tuple[bool, str]:
    """Judge a refusal for a closed bucket: the rate is the one that was said, it is of the bucket, which was closed."""
    said: int = json.loads(bet.refusal_arguments or "{}").get("rate_bp", 0)
    if not was_closed:
        return False, f"{given}. It was refused because the bucket {bucket.name} was closed, but it was open then."
    if recomputed != said or rate_from_bp(said) != bucket.rate_from_bp:
        return False, f"{given}, but it was refused for {factor(said)} of the bucket {bucket.name}."
    return True, f"{given}. The bucket {bucket.name} was closed then, so no bet at such a rate was taken."


def _source(bet: Bet) -> str:
    if bet.tick_id is None or bet.model_now_ms is None:
        return "There was no tick to price it by."
    what = factor(bet.reward_rate) if bet.reward_rate else "No rate"
    return (
        f"{what}, floor {factor(bet.min_rate_bp)}, by {bet.model_id} {bet.model_version} on the price"
        f" {dollars(bet.tick_close or 0)} of tick {bet.tick_id}, {bet.model_now_ms - bet.tick_id} ms old on"
        f" {rfc3339(bet.model_now_ms)}."
    )
