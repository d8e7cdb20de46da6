"""POST /api/auth/guest: sign in with a key that the browser keeps; the first time opens the account (demo mode)."""

from __future__ import annotations

from typing import Annotated

import msgspec

from runtime.auth.domains import domains_of
from runtime.auth.guests import GuestSignIn, check_guest
from runtime.auth.nonces import NonceField
from runtime.errors import Forbidden
from runtime.function import Body, Call, function
from runtime.signing_in import LoggedIn, entrance_of, logged_in


class SignedGuest(Body, frozen=True):
    """A P-256 key of the browser, and its signature over the sign-in's text."""

    public_key: Annotated[
        str,
        msgspec.Meta(
            max_length=200,
            description="`p256:` and the compressed point, 66 lower-case hex digits",
            extra_json_schema={"pattern": "^p256:0[23][0-9a-f]{64}$"},
        ),
    ]
    domain: Annotated[str, msgspec.Meta(max_length=300, description="the page's `location.host`")]
    nonce: NonceField
    timestamp: Annotated[int, msgspec.Meta(ge=0, le=10**12, description="Unix seconds of signing")]
    signature: Annotated[
        str,
        msgspec.Meta(
            max_length=200,
            description="r and s as 64 bytes, hex, 0x or not; s in the low half",
            examples=["0x" + "1b" * 64],
            extra_json_schema={"pattern": "^(0[xX])?[0-9a-fA-F]{128}$"},
        ),
    ]


@function(
    "POST",
    "/api/auth/guest",
    auth="none",
    limits=("logins",),
    limits_by_handler=("address_logins", "wallet_logins"),
    summary="Sign in as a guest, with a key of the browser (demo mode)",
    body=SignedGuest,
    response=LoggedIn,
    errors=(
        "FORBIDDEN",
        "INVALID_SIGNATURE",
        "SIGNATURE_EXPIRED",
        "REPLAYED_NONCE",
        "SESSION_KEY_TAKEN",
        "GUEST_ADOPTED",
    ),
)
def guest(call: Call[SignedGuest]) -> LoggedIn:
    """Check the signed text and start a session."""
    settings, body = call.parts.settings, call.body
    if settings.mode != "demo":
        raise Forbidden("There are no guests in live mode; sign in with a wallet.")
    sent = GuestSignIn(body.public_key, body.domain, body.nonce, body.timestamp, body.signature)
    claim = check_guest(sent, domains_of(settings), call.received_ms)
    return logged_in(call, entrance_of(call).open(claim))
