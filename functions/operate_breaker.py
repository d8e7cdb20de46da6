"""POST /api/operate/breaker: let the operator decide whether bets are taken, or hand that back."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from runtime.auth.operators import operating
from runtime.clock import rfc3339_if_any
from runtime.errors import InvalidRequest, Unavailable
from runtime.function import Body, OperatorCall, function
from runtime.game.breaker import OVERRIDE_MS_MAX, Override, refuses_bets
from runtime.market.breaker import set_override
from runtime.messaging.connection import RedisError
from runtime.operating.words import Why, why_of


class OverrideWish(Body, frozen=True):
    """open: refuse all bets; closed: take bets whatever the ticks' age; auto: decide by the ticks again."""

    override: Literal["open", "closed", "auto"]
    why: Why
    for_s: (
        Annotated[
            int,
            msgspec.Meta(
                gt=0,
                le=OVERRIDE_MS_MAX // 1000,
                description="seconds until it ends by itself; else closed lasts 30 minutes, open until taken back",
            ),
        ]
        | None
    ) = None


class OverrideSet(msgspec.Struct, frozen=True):
    """The breaker under the word."""

    state: str
    override: str
    override_until_at: str | None
    override_until_ms: int | None
    refuses_bets: bool
    who: str
    why: str


@function(
    "POST",
    "/api/operate/breaker",
    auth="operator",
    limits=("requests",),
    summary="Override the breaker",
    body=OverrideWish,
    response=OverrideSet,
)
def override_breaker(call: OperatorCall[OverrideWish]) -> OverrideSet:
    """Set it at once, also while the writer is down; who and why are kept for ever. Settlement goes by the ticks."""
    body, parts = call.body, call.parts
    if body.for_s is not None and body.override == Override.AUTO.value:
        raise InvalidRequest("`auto` lasts; there is nothing to end.", field="for_s")
    who, why = operating(call.session).who, why_of(body.why)
    for_ms = None if body.for_s is None else body.for_s * 1000
    try:
        breaker = set_override(parts.redis, Override(body.override), who, why, parts.clock, for_ms=for_ms)
    except RedisError as ex:
        raise Unavailable("Redis does not answer; look at the breaker before you repeat it.") from ex
    until_ms = breaker.override_until_ms
    return OverrideSet(
        state=breaker.state,
        override=breaker.override,
        override_until_at=rfc3339_if_any(until_ms),
        override_until_ms=until_ms,
        refuses_bets=refuses_bets(breaker),
        who=who,
        why=why,
    )
