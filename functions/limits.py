"""GET and PUT /api/me/limits: the limits that players set for themselves; tighter at once, looser after a day."""

from __future__ import annotations

from typing import Annotated

from msgspec import UNSET, Meta, UnsetType

from runtime.auth.sessions import signed_in
from runtime.function import Body, Call, function
from runtime.messaging.commands import COMMAND_TTL_MS, SetLimits
from runtime.messaging.outcomes import data_of
from runtime.messaging.queues import new_id
from runtime.records.own_limits import OwnLimits, own_limits

CENTS_MAX = 10**12
DayCents = Annotated[int, Meta(ge=0, le=CENTS_MAX, description="cents a day, UTC")]
StakeCents = Annotated[int, Meta(ge=0, le=CENTS_MAX, description="cents of one bet")]
DepositCents = Annotated[int, Meta(ge=0, le=CENTS_MAX, description="cents in the last 24 hours, or seven days")]
UntilMs = Annotated[int, Meta(ge=0, le=10**13, description="Unix milliseconds")]
Minutes = Annotated[int, Meta(ge=5, le=240, description="minutes; null: the house's interval")]


class WantedLimits(Body, frozen=True):
    """The limits to change: null lifts one, a field that is left out stays, as does what waits for it."""

    stake_day_max_cents: DayCents | UnsetType | None = UNSET
    loss_day_max_cents: DayCents | UnsetType | None = UNSET
    cool_off_until_ms: UntilMs | UnsetType | None = UNSET
    excluded_until_ms: UntilMs | UnsetType | None = UNSET
    stake_max_cents: StakeCents | UnsetType | None = UNSET
    deposit_day_max_cents: DepositCents | UnsetType | None = UNSET
    deposit_week_max_cents: DepositCents | UnsetType | None = UNSET
    reality_check_minutes: Minutes | UnsetType | None = UNSET


@function("GET", "/api/me/limits", auth="session", limits=("requests",), summary="Own limits", response=OwnLimits)
def get_limits(call: Call[None]) -> OwnLimits:
    """Show the limits that count now, those that will, and what of them is used."""
    return own_limits(call.parts.pool, signed_in(call.session).user_id, call.received_ms)


@function(
    "PUT",
    "/api/me/limits",
    auth="session",
    limits=("requests",),
    summary="Change own limits",
    body=WantedLimits,
    response=OwnLimits,
    errors=("RATE_LIMITED", "UNAVAILABLE"),
)
def put_limits(call: Call[WantedLimits]) -> OwnLimits:
    """Hand the wish to the writer, which alone knows what it changes: what counts at once and what after 24 hours."""
    user_id, parts, now_ms, body = signed_in(call.session).user_id, call.parts, call.received_ms, call.body
    command = SetLimits(
        id=new_id(now_ms),
        received_ms=now_ms,
        decided_by_ms=now_ms + COMMAND_TTL_MS,
        user_id=user_id,
        stake_day_max_cents=body.stake_day_max_cents,
        loss_day_max_cents=body.loss_day_max_cents,
        cool_off_until_ms=body.cool_off_until_ms,
        excluded_until_ms=body.excluded_until_ms,
        stake_max_cents=body.stake_max_cents,
        deposit_day_max_cents=body.deposit_day_max_cents,
        deposit_week_max_cents=body.deposit_week_max_cents,
        reality_check_minutes=body.reality_check_minutes,
    )
    data_of(parts.outbox.submit(command), "The limits were not confirmed in time; look before you set them again.")
    return own_limits(parts.pool, user_id, parts.clock.now_ms())
