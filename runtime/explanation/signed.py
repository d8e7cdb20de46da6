"""Who signed a bet: the text rebuilt from what is stored, and every signature on the way to the wallet verified."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from runtime.addresses import shown_signer, to_checksum_address
from runtime.auth import p256
from runtime.auth.bet_signatures import parse_signature
from runtime.auth.bet_text import bet_text, gesture_text, is_timely
from runtime.auth.chains import find_chain
from runtime.auth.signatures import parse_signature as parse_wallets
from runtime.auth.signatures import recover_text
from runtime.auth.siwe import SiweError, SiweMessage, parse
from runtime.clock import rfc3339
from runtime.explanation.facts import Facts, Guest
from runtime.explanation.views import Adoption, Delegation, Signed, Signer
from runtime.game.bets import Bet
from runtime.game.gestures import TapLine, gesture_of
from runtime.personal.seal import FORGOTTEN


def check_signed(facts: Facts, chain_ids: Sequence[int]) -> Signed:
    """Verify the bet's signature for any of the accepted chains, and the login that delegated its key."""
    bet, delegation = facts.bet, facts.delegation
    text_on, given = _text_and_signature(facts)
    if FORGOTTEN in (given, bet.signer):
        return _forgotten(facts, text_on(chain_ids[0]))
    signature = parse_signature(given)
    found = None if signature is None else find_chain(text_on, chain_ids, signature, (bet.signer,))
    chain_id = None if found is None else found[0]
    by = _signer(given, facts)
    wrong = _wrong_gesture(facts) or _wrong(facts, given, by, chain_ids, chain_id)
    gesture_id, tap = _place(facts)
    return Signed(
        ok=None if by == "nobody" and wrong is None else wrong is None,
        finding=wrong or _finding(bet, by, delegation),
        by=by,
        signer=shown_signer(bet.signer),
        wallet=to_checksum_address(facts.wallet) if facts.wallet else "",
        text=text_on(chain_ids[0] if chain_id is None else chain_id),
        chain_id=chain_id,
        signature=given,
        signed_at=rfc3339(bet.signed_at_s * 1000),
        received_at=rfc3339(bet.received_ms),
        delegation=delegation,
        adoption=facts.adoption,
        gesture_id=gesture_id,
        tap=tap,
    )


def _text_and_signature(facts: Facts) -> tuple[Callable[[int], str], str]:
    bet, gesture = facts.bet, facts.gesture
    if gesture is not None:
        return partial(gesture_text, gesture.taps, gesture.nonce, bet.signed_at_s), gesture.signature
    return partial(bet_text, bet.cell_id, bet.amount, bet.min_rate_bp, bet.nonce, bet.signed_at_s), bet.signature


def _place(facts: Facts) -> tuple[str | None, int | None]:
    return (None, None) if facts.gesture is None else gesture_of(facts.bet.id)


def _wrong_gesture(facts: Facts) -> str | None:
    """Say why a bet of a gesture is not what was signed on its line."""
    bet, gesture = facts.bet, facts.gesture
    _, tap = gesture_of(bet.id)
    if gesture is None:
        return None if bet.nonce else "The gesture that the bet was signed in is not there."
    if gesture.line(tap) != TapLine(bet.cell_id, bet.amount, bet.min_rate_bp):
        return f"Tap {tap} of the signed gesture is another than this bet."
    return None


def _forgotten(facts: Facts, text: str) -> Signed:
    """Say what is left of a signature whose key was destroyed: the text, and that the chain covers what is sealed."""
    bet = facts.bet
    gesture_id, tap = _place(facts)
    return Signed(
        ok=None,
        finding="The player was forgotten: signature and signer cannot be read any more, nor checked. The hash chain"
        " covers their sealed form, so all else is what it was.",
        by="forgotten",
        signer=FORGOTTEN,
        wallet=FORGOTTEN,
        text=text,
        chain_id=None,
        signature=FORGOTTEN,
        signed_at=rfc3339(bet.signed_at_s * 1000),
        received_at=rfc3339(bet.received_ms),
        delegation=None,
        adoption=None,
        gesture_id=gesture_id,
        tap=tap,
    )


def _signer(signature: str, facts: Facts) -> Signer:
    bet = facts.bet
    if not signature:
        return "nobody"
    by_guests_key = facts.guest is not None and bet.signer == facts.guest.key
    # A wallet that has taken the account over may let the guest's key sign on, by a login of its own.
    if by_guests_key and (facts.delegation is None or parse_wallets(facts.delegation.signature) is None):
        return "guest"
    return "wallet" if bet.signer == facts.wallet else "session_key"


def _wrong(facts: Facts, signature: str, by: Signer, chain_ids: Sequence[int], chain_id: int | None) -> str | None:
    bet, wallet, guest = facts.bet, facts.wallet, facts.guest
    if not wallet:
        return "The bet's account is not there."
    if not signature:
        return None
    if chain_id is None:
        return f"The signature is not the signer's over this text, for the chain {' or '.join(map(str, chain_ids))}."
    if not is_timely(bet.signed_at_s, bet.received_ms):
        return "The text was signed outside the window around its receipt."
    if by == "guest" and guest is not None:
        return _wrong_guest(guest, facts.delegation)
    if guest is not None:
        wrong = _wrong_adoption(facts)
        if wrong is not None:
            return wrong
    if by == "session_key":
        return _wrong_delegation(bet, wallet, facts.delegation)
    return None


def _wrong_guest(guest: Guest, delegation: Delegation | None) -> str | None:
    """Check what makes a guest's bets the account's own: its key, whatever wallet the account has now."""
    if delegation is None:
        return "The signer is the guest's key, and no sign-in of the account names it."
    signature = p256.parse_signature(delegation.signature) or b""
    if not p256.verify(guest.key, delegation.message.encode(), signature):
        return "The sign-in that names the guest's key is not signed by that key."
    if f"\nKey: {guest.key}\n" not in delegation.message:
        return "The sign-in names another key."
    if p256.address_of_key(guest.key) != guest.address:
        return "The account was not opened by the guest's key: its address is another's."
    return None


def _wrong_adoption(facts: Facts) -> str | None:
    """Check that the wallet which signed, itself or by a key, has taken the guest's account over."""
    adoption, wallet = facts.adoption, facts.wallet
    if adoption is None:
        return "The signer is not the guest's key, and no wallet has taken the account over."
    message = _signed_by(wallet, adoption, "The message that takes the guest's account over")
    if isinstance(message, str):
        return message
    if (message.wallet, message.guest_id) != (wallet, facts.bet.user_id):
        return "The message that takes the guest's account over names another wallet or another account."
    return None


def _wrong_delegation(bet: Bet, wallet: str, delegation: Delegation | None) -> str | None:
    if delegation is None:
        return "The signer is not the account's wallet, and no login of the account delegated it."
    message = _signed_by(wallet, delegation, "The login that delegated the session key")
    if isinstance(message, str):
        return message
    if (message.wallet, message.session_key) != (wallet, bet.signer):
        return "The login names another wallet or another session key."
    if message.expires_ms is not None and bet.received_ms >= message.expires_ms:
        return "The bet came when the login that delegated the session key had expired."
    return None


def _signed_by(wallet: str, kept: Delegation | Adoption, what: str) -> SiweMessage | str:
    """Return a kept message that a wallet has signed, or what is wrong with it."""
    if recover_text(kept.message, kept.signature) != wallet:
        return f"{what} is not signed by the account's wallet."
    try:
        return parse(kept.message)
    except SiweError as ex:
        return f"{what} cannot be read: {ex}."


def _finding(bet: Bet, by: Signer, delegation: Delegation | None) -> str:
    at = f"on {rfc3339(bet.signed_at_s * 1000)}, received on {rfc3339(bet.received_ms)}"
    if by == "nobody":
        return f"Unsigned: signatures were off when it was received on {rfc3339(bet.received_ms)}."
    if delegation is not None and by == "guest":
        return (
            f"Signed by the guest's own key {at}, with which the account was opened and the sign-in {delegation.id} of"
            f" {delegation.delegated_at} was made; both signatures hold."
        )
    if delegation is None or by == "wallet":
        return f"Signed by the account's wallet {at}; the signature holds."
    return (
        f"Signed by a session key {at}; the wallet delegated it by the login {delegation.id} of"
        f" {delegation.delegated_at}; both signatures hold."
    )
