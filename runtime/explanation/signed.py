"""Who signed a bet: the text rebuilt from what is stored, and every signature on the way to the wallet verified."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from runtime.auth.addresses import to_checksum_address
from runtime.auth.bet_text import bet_text, is_timely
from runtime.auth.chains import find_chain
from runtime.auth.signatures import parse_signature, recover_text
from runtime.auth.siwe import SiweError, parse
from runtime.clock import rfc3339
from runtime.explanation.facts import Facts
from runtime.explanation.views import Delegation, Signed, Signer
from runtime.game.bets import Bet


def check_signed(facts: Facts, chain_ids: Sequence[int]) -> Signed:
    """Verify the bet's signature for any of the accepted chains, and the login that delegated its key."""
    bet, delegation = facts.bet, facts.delegation
    text_on = partial(bet_text, bet.cell_id, bet.amount, bet.min_rate_bp, bet.nonce, bet.signed_at_s)
    signature = parse_signature(bet.signature)
    found = None if signature is None else find_chain(text_on, chain_ids, signature, (bet.signer,))
    chain_id = None if found is None else found[0]
    by = _signer(bet, facts.wallet)
    wrong = _wrong(bet, facts.wallet, delegation, chain_ids, chain_id)
    return Signed(
        ok=None if by == "nobody" else wrong is None,
        finding=wrong or _finding(bet, by, delegation),
        by=by,
        signer=to_checksum_address(bet.signer),
        wallet=to_checksum_address(facts.wallet) if facts.wallet else "",
        text=text_on(chain_ids[0] if chain_id is None else chain_id),
        chain_id=chain_id,
        signature=bet.signature,
        signed_at=rfc3339(bet.signed_at_s * 1000),
        received_at=rfc3339(bet.received_ms),
        delegation=delegation,
    )


def _signer(bet: Bet, wallet: str) -> Signer:
    if not bet.signature:
        return "nobody"
    return "wallet" if bet.signer == wallet else "session_key"


def _wrong(
    bet: Bet, wallet: str, delegation: Delegation | None, chain_ids: Sequence[int], chain_id: int | None
) -> str | None:
    if not wallet:
        return "The bet's account is not there."
    if not bet.signature:
        return None
    if chain_id is None:
        return f"The signature is not the signer's over this text, for the chain {' or '.join(map(str, chain_ids))}."
    if not is_timely(bet.signed_at_s, bet.received_ms):
        return "The text was signed outside the window around its receipt."
    if bet.signer != wallet:
        return _wrong_delegation(bet, wallet, delegation)
    return None


def _wrong_delegation(bet: Bet, wallet: str, delegation: Delegation | None) -> str | None:
    if delegation is None:
        return "The signer is not the account's wallet, and no login of the account delegated it."
    if recover_text(delegation.message, delegation.signature) != wallet:
        return "The login that delegated the session key is not signed by the account's wallet."
    try:
        message = parse(delegation.message)
    except SiweError as ex:
        return f"The login that delegated the session key cannot be read: {ex}."
    if (message.wallet, message.session_key) != (wallet, bet.signer):
        return "The login names another wallet or another session key."
    if message.expires_ms is not None and bet.received_ms >= message.expires_ms:
        return "The bet came when the login that delegated the session key had expired."
    return None


def _finding(bet: Bet, by: Signer, delegation: Delegation | None) -> str:
    at = f"on {rfc3339(bet.signed_at_s * 1000)}, received on {rfc3339(bet.received_ms)}"
    if by == "nobody":
        return f"Unsigned: signatures were off when it was received on {rfc3339(bet.received_ms)}."
    if delegation is None or by == "wallet":
        return f"Signed by the account's wallet {at}; the signature holds."
    return (
        f"Signed by a session key {at}; the wallet delegated it by the login {delegation.id} of"
        f" {delegation.delegated_at}; both signatures hold."
    )
