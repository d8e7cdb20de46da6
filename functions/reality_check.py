"""GET and POST /api/me/reality-check: how long a player has played and what came of it, and that they have seen it."""

from __future__ import annotations

from typing import cast

import msgspec

from runtime.auth.sessions import signed_in
from runtime.clock import rfc3339
from runtime.function import Call, function
from runtime.game.limit_changes import in_force
from runtime.messaging import redis_keys
from runtime.parts import Parts
from runtime.records.accounts import read_changes
from runtime.records.sittings import Sitting, open_stake_cents

MINUTE_MS = 60_000


class RealityCheck(msgspec.Struct, frozen=True):
    """The present sitting, and when its player is to be told of it again; without one, nulls and zeros.

    `net_cents` is returned - staked: stakes that are still open count as spent.
    """

    since_ms: int | None
    since_at: str | None
    played_ms: int
    bets: int
    staked_cents: int
    returned_cents: int
    net_cents: int
    open_stake_cents: int
    every_ms: int
    due_ms: int | None


@function(
    "GET",
    "/api/me/reality-check",
    auth="session",
    limits=("requests",),
    summary="Time and money of the present sitting",
    response=RealityCheck,
)
def get_reality_check(call: Call[None]) -> RealityCheck:
    """Tell how long the player has played without a pause of 30 minutes, and what was staked and came back."""
    user_id, parts = signed_in(call.session).user_id, call.parts
    every_ms = _every_ms(parts, user_id, call.received_ms)
    sitting = parts.sittings.present(parts.pool.execute, user_id, call.received_ms)
    seen = cast("bytes | None", parts.redis.get(redis_keys.reality_seen(user_id)))
    return _told(parts, user_id, sitting, every_ms, call.received_ms, int(seen) if seen else 0)


@function(
    "POST",
    "/api/me/reality-check",
    auth="session",
    limits=("requests",),
    summary="Acknowledge the reality check",
    response=RealityCheck,
)
def acknowledge(call: Call[None]) -> RealityCheck:
    """Note that the player has seen it: the next one is due an interval from now."""
    user_id, parts, now_ms = signed_in(call.session).user_id, call.parts, call.received_ms
    every_ms = _every_ms(parts, user_id, now_ms)
    sitting = parts.sittings.present(parts.pool.execute, user_id, now_ms)
    if sitting is not None:
        # It lasts until the next one is due; should it be lost, the player is told once more.
        parts.redis.set(redis_keys.reality_seen(user_id), now_ms, px=every_ms)
    return _told(parts, user_id, sitting, every_ms, now_ms, now_ms)


def _every_ms(parts: Parts, user_id: str, now_ms: int) -> int:
    own = in_force(read_changes(parts.pool, user_id, now_ms), now_ms).reality_check_minutes
    return MINUTE_MS * (own or parts.settings.reality_check_minutes)


def _told(
    parts: Parts, user_id: str, sitting: Sitting | None, every_ms: int, now_ms: int, seen_ms: int
) -> RealityCheck:
    open_cents = open_stake_cents(parts.pool.execute, user_id, parts.rules)
    if sitting is None:
        return RealityCheck(None, None, 0, 0, 0, 0, 0, open_cents, every_ms, None)
    return RealityCheck(
        since_ms=sitting.since_ms,
        since_at=rfc3339(sitting.since_ms),
        played_ms=max(0, now_ms - sitting.since_ms),
        bets=sitting.bets,
        staked_cents=sitting.staked_cents,
        returned_cents=sitting.returned_cents,
        net_cents=sitting.returned_cents - sitting.staked_cents,
        open_stake_cents=open_cents,
        every_ms=every_ms,
        due_ms=max(sitting.since_ms, seen_ms) + every_ms,
    )
