"""A guest signs in with a key of the browser: the text that it signs, and every check of it that needs no state."""

from __future__ import annotations

from dataclasses import dataclass

from runtime.auth import p256
from runtime.auth.bet_signatures import read_p256
from runtime.auth.domains import Domains
from runtime.auth.login import Claim, other_domain
from runtime.auth.nonces import NONCE_RULE, is_nonce
from runtime.auth.windows import check_time
from runtime.errors import InvalidRequest, InvalidSignature


@dataclass(frozen=True, slots=True)
class GuestSignIn:
    """What a guest's key has signed, field by field as it was sent."""

    public_key: str
    domain: str
    nonce: str
    timestamp: int
    signature: str


def guest_text(domain: str, public_key: str, nonce: str, timestamp: int) -> str:
    """Return the text of a guest's sign-in; the caller has checked that no field holds a newline."""
    return (
        "Tap Trading Guest\n"
        "Action: sign_in\n"
        f"Domain: {domain}\n"
        f"Key: {public_key}\n"
        f"Nonce: {nonce}\n"
        f"Timestamp: {timestamp}\n"
        "Version: 1"
    )


def check_guest(sent: GuestSignIn, domains: Domains, now_ms: int) -> Claim:
    """Check a guest's sign-in without any state; raise the refusal that says what is wrong."""
    try:
        address = p256.address_of_key(sent.public_key)
    except p256.KeyTextError as ex:
        raise InvalidRequest(f"The public_key is refused: {ex}.", field="public_key") from ex
    if domains.find(sent.domain) is None:
        raise other_domain("The sign-in", domains)
    if not is_nonce(sent.nonce):
        raise InvalidRequest(f"The nonce is refused: {NONCE_RULE}.", field="nonce")
    check_time("The timestamp", sent.timestamp * 1000, now_ms)
    signature = read_p256(sent.signature)
    message = guest_text(sent.domain, sent.public_key, sent.nonce, sent.timestamp)
    if not p256.verify(sent.public_key, message.encode(), signature):
        raise InvalidSignature("The signature is not the key's own over exactly this sign-in.")
    return Claim(
        wallet=address,
        session_key=sent.public_key,
        nonce=sent.nonce,
        signed_s=sent.timestamp,
        message=message,
        signature=p256.signature_text(signature),
        guest_key=sent.public_key,
    )
