"""POST /api/auth/login: sign in with an Ethereum wallet; the first login opens the account."""

from __future__ import annotations

import msgspec

from runtime.auth.credentials import is_foreign, set_cookie
from runtime.auth.domains import domains_of
from runtime.auth.login import log_in
from runtime.clock import rfc3339
from runtime.function import Body, Call, function
from runtime.rate_limits import widest
from runtime.records.accounts import User, user_view


class SignedLogin(Body, frozen=True):
    """An EIP-4361 message and its EIP-191 signature, 130 hex digits with or without `0x`."""

    message: str
    signature: str


class LoggedIn(msgspec.Struct, frozen=True):
    """The new session's token, which is shown only here, and the account."""

    token: str
    expires_at: str
    expires_ms: int
    user: User


@function(
    "POST",
    "/api/auth/login",
    auth="none",
    limits=("logins",),
    limits_by_handler=("address_logins", "wallet_logins"),
    summary="Sign in with Ethereum (EIP-4361)",
    body=SignedLogin,
    response=LoggedIn,
    errors=("INVALID_SIGNATURE", "SIGNATURE_EXPIRED", "REPLAYED_NONCE", "SESSION_KEY_TAKEN"),
)
def login(call: Call[SignedLogin]) -> LoggedIn:
    """Check the signed message and start a session."""
    parts = call.parts
    done = log_in(
        call.body.message,
        call.body.signature,
        now_ms=call.received_ms,
        settings=parts.settings,
        client=parts.redis,
        outbox=parts.outbox,
        sessions=parts.sessions,
        network=widest(call.address),
        count=lambda wallet: call.count(("address_logins", call.address), ("wallet_logins", wallet)),
    )
    # A foreign page may send a login of its own account, but must not leave its session in the visitor's browser.
    if not is_foreign(call.req, domains_of(parts.settings)):
        set_cookie(call.req, call.resp, done.token, done.session)
    session = done.session
    user = user_view(session.user_id, session.wallet, done.balance, done.created_ms)
    return LoggedIn(done.token, rfc3339(session.expires_ms), session.expires_ms, user)
