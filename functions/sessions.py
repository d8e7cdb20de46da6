"""GET and DELETE /api/me/sessions: who is signed in as me, and with which session keys; revoke one."""

from __future__ import annotations

from typing import Annotated

import msgspec

from runtime.auth.sessions import Session, signed_in
from runtime.clock import rfc3339
from runtime.errors import NotFound
from runtime.function import Call, function

SessionId = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$", description="SHA-256 of the token, in hex")]


class SessionView(msgspec.Struct, frozen=True):
    """A session; its id is a hash, the token itself is kept nowhere."""

    id: str
    """SHA-256 of the token, in hex; the token itself is kept nowhere."""
    current: bool
    session_key: str | None
    delegation_id: str | None
    created_at: str
    expires_at: str
    expires_ms: int


class SessionList(msgspec.Struct, frozen=True):
    """A player's sessions, newest first."""

    sessions: list[SessionView]


@function(
    "GET",
    "/api/me/sessions",
    auth="session",
    limits=("requests",),
    summary="Own sessions and their session keys",
    response=SessionList,
)
def list_sessions(call: Call[None]) -> SessionList:
    """List the sessions of the account."""
    current = signed_in(call.session)
    return SessionList([_view(one, current) for one in call.parts.sessions.of_user(current.user_id)])


@function(
    "DELETE",
    "/api/me/sessions/{session_id}",
    auth="session",
    limits=("requests",),
    summary="Revoke a session and its session key",
    path={"session_id": SessionId},
    status=204,
    errors=("NOT_FOUND",),
)
def revoke_session(call: Call[None]) -> None:
    """Revoke one of the account's sessions; it ends everywhere within a second."""
    if not call.parts.sessions.revoke(signed_in(call.session).user_id, call.path["session_id"]):
        raise NotFound("You have no such session.")


def _view(session: Session, current: Session) -> SessionView:
    return SessionView(
        id=session.id,
        current=session.id == current.id,
        session_key=session.session_key,
        delegation_id=session.delegation_id,
        created_at=rfc3339(session.created_ms),
        expires_at=rfc3339(session.expires_ms),
        expires_ms=session.expires_ms,
    )
