"""Log in with a signed message: every check that needs no state first, then the nonce, the account, the session."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from runtime.auth import signatures
from runtime.auth.domains import Domains, domains_of
from runtime.auth.sessions import Session, Sessions
from runtime.auth.siwe import OPERATE_URN, SiweError, SiweMessage, parse
from runtime.auth.windows import before_memory, check_time
from runtime.errors import Conflict, InvalidRequest, InvalidSignature, SignatureExpired, Unavailable
from runtime.messaging.commands import COMMAND_TTL_MS, AnyCommand, Delegation, OpenAccount, Outcome
from runtime.messaging.connection import OUTAGES, Redis
from runtime.messaging.outcomes import data_of
from runtime.messaging.queues import claim_nonce, new_id
from runtime.settings import Settings

OTHER_PURPOSE = {
    False: f"A message with the resource {OPERATE_URN} begins no player's session; it goes to /api/operate/login.",
    True: f"An operator's login message carries the resource {OPERATE_URN}; this one does not.",
}
"""Why a message is refused, by whether it should have been one for operating."""
_CONTRACT_SIGNATURE = re.compile(rf"(?:0[xX])?[0-9a-fA-F]{{{signatures.SIGNATURE_DIGITS + 1},}}")


class Submitter(Protocol):
    """Hand a command to the writer and wait for what becomes of it."""

    def submit(self, command: AnyCommand) -> Outcome | None:
        """Return the outcome, None if it did not come in time."""
        ...


@dataclass(frozen=True, slots=True)
class Claim:
    """A login message that passed every check but the nonce's."""

    wallet: str
    session_key: str | None
    nonce: str
    issued_s: int
    signature: str
    expires_ms: int | None
    """From when on the message counts no more, nor its session and the session's key."""


@dataclass(frozen=True, slots=True)
class Login:
    """A finished login: the new token, its session, and the account that the writer found or opened."""

    token: str
    session: Session
    balance: int
    created_ms: int


def log_in(
    message: str,
    signature: str,
    *,
    now_ms: int,
    settings: Settings,
    client: Redis,
    outbox: Submitter,
    sessions: Sessions,
    network: str,
    count: Callable[[str], None],
) -> Login:
    """Check the message, use up its nonce, find or open the account, start a session; raise a Refusal otherwise.

    `count` is called with the wallet before anything of the login is kept. The nonce goes before it: who repeats what
    somebody else has signed uses up nothing of theirs.
    """
    claim = check(message, signature, domains_of(settings), settings.chain_ids, now_ms)
    command = _open_account(claim, message, settings, now_ms)
    use_nonce(client, claim, command.id, now_ms)
    count(claim.wallet)
    late = "The account could not be opened in time; sign a new message and try again."
    opened = data_of(outbox.submit(command), late)
    user_id: str = opened["user_id"]
    if "key_holder_id" in opened:
        sessions.revoke_key(opened["key_holder_id"], claim.wallet)
    token, session = sessions.create(
        user_id,
        claim.wallet,
        network,
        session_key=claim.session_key,
        delegation_id=command.delegation.id if command.delegation is not None else None,
        until_ms=claim.expires_ms,
    )
    return Login(token, session, opened["balance"], opened["created_ms"])


def check(
    message: str,
    signature: str,
    domains: Domains,
    chain_ids: Sequence[int],
    now_ms: int,
    *,
    for_operating: bool = False,
) -> Claim:
    """Check a login message and its signature without any state; raise the refusal that says what is wrong."""
    try:
        parsed = parse(message)
    except SiweError as ex:
        raise InvalidRequest(f"The login message is refused: {ex}.") from ex
    if parsed.is_for_operating != for_operating:
        raise InvalidRequest(OTHER_PURPOSE[for_operating])
    _check_audience(parsed, domains, chain_ids)
    _check_time(parsed, now_ms)
    wallet = parsed.wallet
    raw = signatures.parse_signature(signature)
    if raw is None:
        raise _no_signature(signature)
    # The very text that came in is what was signed; nothing is built anew from its parts.
    if signatures.recover(message.encode(), raw) != wallet:
        raise InvalidSignature("The signature is not the address's own over exactly this message.")
    return Claim(
        wallet=wallet,
        session_key=parsed.session_key,
        nonce=parsed.nonce,
        issued_s=parsed.issued_ms // 1000,
        signature=signatures.signature_text(raw),
        expires_ms=parsed.expires_ms,
    )


def _check_audience(parsed: SiweMessage, domains: Domains, chain_ids: Sequence[int]) -> None:
    scheme, authority = parsed.uri_origin
    domain = domains.find(parsed.domain)
    if domain is None:
        raise InvalidSignature(
            f"The login message is for another domain; this is {' or '.join(domains.accepted)}.",
            expected=domains.main,
            accepted=domains.accepted,
        )
    on_domain = domains.find(authority) == domain
    if not on_domain or scheme not in ("http", "https") or (parsed.scheme or scheme).lower() != scheme:
        raise InvalidSignature(f"The login message's URI is not on {domain}.", expected=domain)
    if parsed.chain_id not in chain_ids:
        raise InvalidSignature(
            f"The login message is for another chain; this is {' or '.join(map(str, chain_ids))}.",
            expected=chain_ids[0],
            accepted=list(chain_ids),
        )


def _check_time(parsed: SiweMessage, now_ms: int) -> None:
    check_time("The login message's Issued At", parsed.issued_ms, now_ms)
    if parsed.expires_ms is not None and parsed.expires_ms <= now_ms:
        raise SignatureExpired("The login message has expired.", server_time_ms=now_ms)
    if parsed.not_before_ms is not None and parsed.not_before_ms > now_ms:
        raise SignatureExpired("The login message does not count yet.", server_time_ms=now_ms)


def _no_signature(text: str) -> InvalidSignature:
    if _CONTRACT_SIGNATURE.fullmatch(text):
        return InvalidSignature(f"Contract wallets (EIP-1271) are not supported: {signatures.SIGNATURE_RULE}.")
    return InvalidSignature(f"The signature cannot be read: {signatures.SIGNATURE_RULE}.")


def _open_account(claim: Claim, message: str, settings: Settings, now_ms: int) -> OpenAccount:
    delegation = None
    if claim.session_key is not None:
        delegation = Delegation(new_id(now_ms), claim.session_key, message, claim.signature)
    return OpenAccount(
        id=new_id(now_ms),
        received_ms=now_ms,
        decided_by_ms=now_ms + COMMAND_TTL_MS,
        user_id=new_id(now_ms),
        wallet_address=claim.wallet,
        credit_cents=settings.demo_credit_cents if settings.mode == "demo" else 0,
        delegation=delegation,
    )


def use_nonce(client: Redis, claim: Claim, used_by: str, now_ms: int) -> None:
    """Use up the nonce of a login message, so that it counts once; raise a Refusal if it cannot be."""
    try:
        code, _ = claim_nonce(client, claim.wallet, claim.nonce, used_by, claim.issued_s, now_ms)
    except OUTAGES as ex:
        raise Unavailable("Logins cannot be checked right now.") from ex
    if code == "EPOCH":
        raise before_memory("The login message", now_ms)
    if code != "":
        raise Conflict("The login message was used already; sign a new one.", code="REPLAYED_NONCE")
