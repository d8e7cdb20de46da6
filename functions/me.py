"""GET /api/me: the account, its limits and the session."""

from __future__ import annotations

import msgspec

from runtime.auth.sessions import signed_in
from runtime.clock import rfc3339
from runtime.function import Call, function
from runtime.records.accounts import Limits, User, limits_state, read_changes, read_user


class CurrentSession(msgspec.Struct, frozen=True):
    """The session that asks."""

    id: str
    """SHA-256 of the token, in hex."""
    expires_at: str
    expires_ms: int
    session_key: str | None


class Me(msgspec.Struct, frozen=True):
    """Who is asking: account, own limits, session."""

    user: User
    limits: Limits
    session: CurrentSession


@function("GET", "/api/me", auth="session", limits=("requests",), summary="Account, limits and session", response=Me)
def me(call: Call[None]) -> Me:
    """Show the account as the last commit left it."""
    session = signed_in(call.session)
    pool = call.parts.pool
    return Me(
        user=read_user(pool, session.user_id),
        limits=limits_state(read_changes(pool, session.user_id, call.received_ms), call.received_ms).limits,
        session=CurrentSession(session.id, rfc3339(session.expires_ms), session.expires_ms, session.session_key),
    )
