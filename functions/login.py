"""POST /api/auth/login: sign in with an Ethereum wallet; the first login opens the account."""

from __future__ import annotations

from runtime.auth.domains import domains_of
from runtime.auth.login import check
from runtime.auth.signatures import SignatureField
from runtime.function import Body, Call, function
from runtime.signing_in import LoggedIn, entrance_of, logged_in


class SignedLogin(Body, frozen=True):
    """An EIP-4361 message and its EIP-191 signature, 130 hex digits with or without `0x`."""

    message: str
    signature: SignatureField


@function(
    "POST",
    "/api/auth/login",
    auth="none",
    limits=("logins",),
    limits_by_handler=("address_logins", "wallet_logins"),
    summary="Sign in with Ethereum (EIP-4361)",
    body=SignedLogin,
    response=LoggedIn,
    errors=("INVALID_SIGNATURE", "CONTRACT_WALLET", "SIGNATURE_EXPIRED", "REPLAYED_NONCE", "SESSION_KEY_TAKEN"),
)
def login(call: Call[SignedLogin]) -> LoggedIn:
    """Check the signed message and start a session."""
    settings = call.parts.settings
    body = call.body
    claim = check(body.message, body.signature, domains_of(settings), settings.chain_ids, call.received_ms)
    return logged_in(call, entrance_of(call).open(claim))
