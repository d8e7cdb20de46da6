"""POST /api/operate/login: sign in to operate the house, with a wallet of TAPTRADE_OPERATORS."""

from __future__ import annotations

import logging

import msgspec

from runtime.auth.domains import domains_of
from runtime.auth.entrance import use_nonce
from runtime.auth.login import check_operator
from runtime.auth.operators import refuse_foreign, set_operator_cookie
from runtime.auth.signatures import SignatureField
from runtime.clock import rfc3339
from runtime.function import Body, Call, function
from runtime.messaging.queues import new_id

logger = logging.getLogger(__name__)


class OperatorsLogin(Body, frozen=True):
    """An EIP-4361 message with the resource `urn:taptrade:operate`, and its EIP-191 signature."""

    message: str
    signature: SignatureField


class Operates(msgspec.Struct, frozen=True):
    """Who operates, and until when."""

    wallet_address: str
    expires_at: str
    expires_ms: int


@function(
    "POST",
    "/api/operate/login",
    auth="none",
    limits=("logins",),
    limits_by_handler=("address_logins", "wallet_logins"),
    summary="Sign in to operate (EIP-4361)",
    body=OperatorsLogin,
    response=Operates,
    errors=("FORBIDDEN", "INVALID_SIGNATURE", "CONTRACT_WALLET", "SIGNATURE_EXPIRED", "REPLAYED_NONCE"),
)
def operate_login(call: Call[OperatorsLogin]) -> Operates:
    """Check the signed message and begin an operator's session of an hour at most; only the cookie holds its token.

    It opens no account and begins no player's session, as a player's login begins none of these.
    """
    parts, now_ms = call.parts, call.received_ms
    parts.operators.refuse_stranger()
    domains = domains_of(parts.settings)
    refuse_foreign(call.req, domains)
    claim = check_operator(call.body.message, call.body.signature, domains, parts.settings.chain_ids, now_ms)
    parts.operators.refuse_stranger(claim.wallet)
    use_nonce(parts.redis, claim, new_id(now_ms), now_ms)
    call.count(("address_logins", call.address), ("wallet_logins", claim.wallet))
    token, session = parts.operators.begin(claim.wallet, claim.expires_ms)
    set_operator_cookie(call.req, call.resp, token, session)
    wallet_address = session.who
    logger.warning("%s has signed in to operate, from %s", wallet_address, call.address)
    return Operates(wallet_address, rfc3339(session.expires_ms), session.expires_ms)
