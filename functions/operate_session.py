"""GET /api/operate/session: who operates here. POST /api/operate/logout: end it."""

from __future__ import annotations

import msgspec

from runtime.auth.operators import clear_operator_cookie, operating
from runtime.clock import rfc3339
from runtime.function import OperatorCall, function


class OperatesNow(msgspec.Struct, frozen=True):
    """The operator that asks, and until when the session lasts."""

    wallet_address: str
    created_at: str
    expires_at: str
    expires_ms: int


@function(
    "GET",
    "/api/operate/session",
    auth="operator",
    limits=("requests",),
    summary="Who operates",
    response=OperatesNow,
)
def operator_session(call: OperatorCall[None]) -> OperatesNow:
    """Tell whose session this is; 403 brings a `reason`: closed, player, not_listed or origin."""
    session = operating(call.session)
    return OperatesNow(
        wallet_address=session.who,
        created_at=rfc3339(session.created_ms),
        expires_at=rfc3339(session.expires_ms),
        expires_ms=session.expires_ms,
    )


@function("POST", "/api/operate/logout", auth="operator", limits=("requests",), summary="Stop operating", status=204)
def operate_logout(call: OperatorCall[None]) -> None:
    """End the operator's session and take its cookie back."""
    call.parts.operators.end(operating(call.session))
    clear_operator_cookie(call.resp)
