"""POST /api/me/wallet: a wallet takes the guest's account over, with its balance and its bets (demo mode)."""

from __future__ import annotations

from runtime.auth.domains import domains_of
from runtime.auth.login import check_adoption
from runtime.auth.sessions import signed_in
from runtime.auth.signatures import SignatureField
from runtime.errors import Forbidden
from runtime.function import Body, Call, function
from runtime.signing_in import LoggedIn, entrance_of, logged_in


class SignedAdoption(Body, frozen=True):
    """An EIP-4361 message with the resource `urn:taptrade:guest:{user id}`, and the wallet's EIP-191 signature."""

    message: str
    signature: SignatureField


@function(
    "POST",
    "/api/me/wallet",
    auth="session",
    limits=("logins",),
    limits_by_handler=("address_logins", "wallet_logins"),
    summary="Give a guest's account to a wallet (demo mode)",
    body=SignedAdoption,
    response=LoggedIn,
    errors=(
        "FORBIDDEN",
        "INVALID_SIGNATURE",
        "CONTRACT_WALLET",
        "SIGNATURE_EXPIRED",
        "REPLAYED_NONCE",
        "WALLET_TAKEN",
        "GUEST_ADOPTED",
        "NOT_FOUND",
    ),
)
def adopt(call: Call[SignedAdoption]) -> LoggedIn:
    """Check the wallet's message and make the account the wallet's; the sessions before it end, a new one begins."""
    settings, body, session = call.parts.settings, call.body, signed_in(call.session)
    if settings.mode != "demo" or not session.is_guest:
        raise Forbidden("Only a guest, in demo mode, can give the account to a wallet.")
    domains = domains_of(settings)
    claim = check_adoption(body.message, body.signature, session.user_id, domains, settings.chain_ids, call.received_ms)
    return logged_in(call, entrance_of(call).adopt(claim, session))
