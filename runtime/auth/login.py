"""Log in with a signed message: every check that needs no state first, then the nonce, the account, the session."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from runtime.auth import signatures
from runtime.auth.domains import Domains
from runtime.auth.siwe import GUEST_URN, OPERATE_URN, SiweError, SiweMessage, parse
from runtime.auth.windows import check_time
from runtime.errors import InvalidRequest, InvalidSignature, SignatureExpired


@dataclass(frozen=True, slots=True)
class Claim:
    """A signed message that passed every check but the nonce's."""

    wallet: str
    """The address that the account goes by; a guest's is the one that stands for the key."""
    session_key: str | None
    nonce: str
    signed_s: int
    message: str
    signature: str
    expires_ms: int | None = None
    """From when on the message counts no more, nor its session and the session's key."""
    guest_key: str | None = None


def check(message: str, signature: str, domains: Domains, chain_ids: Sequence[int], now_ms: int) -> Claim:
    """Check a login message and its signature without any state; raise the refusal that says what is wrong."""
    parsed, claim = _check_message(message, signature, domains, chain_ids, now_ms)
    if parsed.guest_id is not None:
        raise InvalidRequest("The login message gives a guest's account to the wallet; send it to POST /api/me/wallet.")
    if parsed.is_for_operating:
        raise InvalidRequest("The login message begins an operator's session; send it to POST /api/operate/login.")
    return claim


def check_operator(message: str, signature: str, domains: Domains, chain_ids: Sequence[int], now_ms: int) -> Claim:
    """Check a message by which a wallet begins to operate the house, whoever's it is."""
    parsed, claim = _check_message(message, signature, domains, chain_ids, now_ms)
    if not parsed.is_for_operating:
        raise InvalidRequest(f"The message is not for operating: it needs the resource {OPERATE_URN}.")
    return claim


def check_adoption(
    message: str, signature: str, user_id: str, domains: Domains, chain_ids: Sequence[int], now_ms: int
) -> Claim:
    """Check a message by which a wallet takes over the account of the guest who sends it."""
    parsed, claim = _check_message(message, signature, domains, chain_ids, now_ms)
    if parsed.guest_id is None:
        raise InvalidRequest(f"The message takes no account over: it needs the resource {GUEST_URN}{user_id}.")
    if parsed.guest_id != user_id:
        raise InvalidSignature("The wallet has signed for another account.", expected=user_id)
    return claim


def _check_message(
    message: str, signature: str, domains: Domains, chain_ids: Sequence[int], now_ms: int
) -> tuple[SiweMessage, Claim]:
    try:
        parsed = parse(message)
    except SiweError as ex:
        raise InvalidRequest(f"The login message is refused: {ex}.") from ex
    _check_audience(parsed, domains, chain_ids)
    _check_time(parsed, now_ms)
    wallet = parsed.wallet
    raw = signatures.read_signature(signature)
    # The very text that came in is what was signed; nothing is built anew from its parts.
    if signatures.recover(message.encode(), raw) != wallet:
        raise InvalidSignature(
            "The signature is not the address's own over exactly this message; a contract wallet (EIP-1271) has none."
        )
    return parsed, Claim(
        wallet=wallet,
        session_key=parsed.session_key,
        nonce=parsed.nonce,
        signed_s=parsed.issued_ms // 1000,
        message=message,
        signature=signatures.signature_text(raw),
        expires_ms=parsed.expires_ms,
    )


def _check_audience(parsed: SiweMessage, domains: Domains, chain_ids: Sequence[int]) -> None:
    scheme, authority = parsed.uri_origin
    domain = domains.find(parsed.domain)
    if domain is None:
        raise other_domain("The login message", domains)
    on_domain = domains.find(authority) == domain
    if not on_domain or scheme not in ("http", "https") or (parsed.scheme or scheme).lower() != scheme:
        raise InvalidSignature(f"The login message's URI is not on {domain}.", expected=domain)
    if parsed.chain_id not in chain_ids:
        raise InvalidSignature(
            f"The login message is for another chain; this is {' or '.join(map(str, chain_ids))}.",
            expected=chain_ids[0],
            accepted=list(chain_ids),
        )


def other_domain(what: str, domains: Domains) -> InvalidSignature:
    """Return the refusal of a text that was signed for a domain which is not ours."""
    return InvalidSignature(
        f"{what} is for another domain; this is {' or '.join(domains.accepted)}.",
        expected=domains.main,
        accepted=domains.accepted,
    )


def _check_time(parsed: SiweMessage, now_ms: int) -> None:
    check_time("The login message's Issued At", parsed.issued_ms, now_ms)
    if parsed.expires_ms is not None and parsed.expires_ms <= now_ms:
        raise SignatureExpired("The login message has expired.", server_time_ms=now_ms)
    if parsed.not_before_ms is not None and parsed.not_before_ms > now_ms:
        raise SignatureExpired("The login message does not count yet.", server_time_ms=now_ms)
