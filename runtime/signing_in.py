"""What the endpoints that sign in have in common: their way to a session, their answer, and the page's cookie."""

from __future__ import annotations

from typing import Any

import msgspec

from runtime.auth.credentials import is_foreign, set_cookie
from runtime.auth.domains import domains_of
from runtime.auth.entrance import Entered, Entrance
from runtime.clock import rfc3339
from runtime.function import Call
from runtime.rate_limits import widest
from runtime.records.accounts import Kind, User, user_view


class LoggedIn(msgspec.Struct, frozen=True):
    """The new session's token, which is shown only here, and the account."""

    token: str
    expires_at: str
    expires_ms: int
    user: User


def entrance_of(call: Call[Any]) -> Entrance:
    """Return the way in for a call that signs in."""
    parts = call.parts
    return Entrance(
        settings=parts.settings,
        client=parts.redis,
        ledgers=parts,
        sessions=parts.sessions,
        network=widest(call.address),
        count=lambda wallet: call.count(("address_logins", call.address), ("wallet_logins", wallet)),
        now_ms=call.received_ms,
    )


def logged_in(call: Call[Any], entered: Entered) -> LoggedIn:
    """Answer a finished sign-in, and give the page its cookie."""
    session = entered.session
    # A foreign page may send a login of its own account, but must not leave its session in the visitor's browser.
    if not is_foreign(call.req, domains_of(call.parts.settings)):
        set_cookie(call.req, call.resp, entered.token, session)
    kind: Kind = "guest" if session.is_guest else "wallet"
    user = user_view(session.user_id, session.wallet, entered.balance, entered.created_ms, kind)
    return LoggedIn(entered.token, rfc3339(session.expires_ms), session.expires_ms, user)
