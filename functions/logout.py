"""POST /api/auth/logout: end this session."""

from __future__ import annotations

from runtime.auth.credentials import clear_cookie
from runtime.auth.sessions import signed_in
from runtime.function import Call, function


@function("POST", "/api/auth/logout", auth="session", limits=("requests",), summary="End this session", status=204)
def logout(call: Call[None]) -> None:
    """Revoke the session and take its cookie back."""
    session = signed_in(call.session)
    call.parts.sessions.revoke(session.user_id, session.id)
    clear_cookie(call.resp)
