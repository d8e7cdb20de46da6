"""GET /api/rules: what this house plays by, as a page needs to know it before anybody signs in."""

from __future__ import annotations

from typing import Literal

import msgspec

from runtime.function import Call, Reply, function
from runtime.settings import Settings
from runtime.settings_table import Mode

CACHE = {"Cache-Control": "no-cache"}


class Rules(msgspec.Struct, frozen=True):
    """The settings of the house that players meet."""

    mode: Mode
    guests: bool
    """Whether one may play as a guest, without a wallet."""
    chain_ids: tuple[int, ...]
    domains: tuple[str, ...]
    """What logins may be signed for, the main one first."""
    bet_signatures: Literal["on", "off"]
    """Whether every tap must be signed; off in development only."""
    presets_cents: tuple[int, ...]
    column_seconds: int
    horizon_columns: int
    row_step_cents: int
    fill_delay_ms: int
    max_fill_age_ms: int
    withdrawal_min_cents: int
    deposit_max_cents: int
    demo_credit_cents: int
    reality_check_minutes: int
    feed: str
    feed_is_live: bool
    source: str
    """A sentence about the prices."""


@function("GET", "/api/rules", auth="none", limits=("requests",), summary="The rules of the house", response=Rules)
def rules(call: Call[None]) -> Reply:
    """Tell what does not change while this process runs."""
    return Reply(_rules(call.parts.settings), headers=CACHE)


def _rules(settings: Settings) -> Rules:
    return Rules(
        mode=settings.mode,
        guests=settings.mode == "demo",
        chain_ids=settings.chain_ids,
        domains=settings.domains,
        bet_signatures=settings.bet_signatures,
        presets_cents=settings.presets_cents,
        column_seconds=settings.column_seconds,
        horizon_columns=settings.horizon_columns,
        row_step_cents=settings.row_step_cents,
        fill_delay_ms=settings.fill_delay_ms,
        max_fill_age_ms=settings.max_fill_age_ms,
        withdrawal_min_cents=settings.withdrawal_min_cents,
        deposit_max_cents=settings.deposit_max_cents,
        demo_credit_cents=settings.demo_credit_cents,
        reality_check_minutes=settings.reality_check_minutes,
        feed=settings.feed_kind,
        feed_is_live=settings.feed_is_live,
        source=_source(settings),
    )


def _source(settings: Settings) -> str:
    """Say in a sentence where the prices come from, and whether they are today's."""
    if settings.feed_is_live:
        names = [name.capitalize() for name in sorted(settings.feed)]
        if len(names) == 1:
            return f"BTC/USD as {names[0]} trades it now."
        return f"BTC/USD now: the median of {', '.join(names[:-1])} and {names[-1]}."
    if settings.feed == ("sim",):
        return "A random walk that the computer makes: no market moves so."
    if settings.replay_file:
        return "A recording of BTC/USD that is played again: not today's prices."
    return "An hour of recorded BTC/USD that is played again and again: not today's prices."
