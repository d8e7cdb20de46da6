"""A wallet of one key, made and used with eth-account, as a player's own wallet would be: it signs logins and taps."""

from __future__ import annotations

import os
import re
import secrets
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from eth_account import Account
from eth_account.messages import encode_defunct
from eth_account.signers.local import LocalAccount

from runtime.auth.bet_text import bet_text, gesture_text, withdraw_text
from runtime.auth.siwe import SESSION_KEY_URN, SiweMessage
from runtime.clock import rfc3339
from runtime.game.gestures import TapLine, taps_text
from taptrade.views import SignedBet, SignedGesture, SignedLogin, SignedWithdrawal, WantedTap

STATEMENT = "Sign in to Tap Trading."
STATEMENT_WITH_KEY = "Sign in to Tap Trading. The session key below may place bets for me, and nothing else."


KEY_BYTES_MAX = 256
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_KEY = re.compile(rb"(?:0[xX])?[0-9A-Fa-f]{64}")
_FORM = "64 hex digits on one line, with or without 0x"


class WalletError(Exception):
    """A key file cannot be read or written, is readable by others, or holds no key."""


@dataclass(frozen=True, slots=True)
class Audience:
    """Whom signatures are meant for: a login names the domain and its URI, everything names the chain."""

    domain: str
    uri: str
    chain_id: int


class Signer(Protocol):
    """Whatever signs taps: a wallet, or the key that a login named."""

    def sign(self, text: str) -> str:
        """Return the signature of a text."""
        ...


@dataclass(frozen=True, slots=True)
class Wallet:
    """One private key; `address` is its account, in EIP-55 form."""

    account: LocalAccount

    @property
    def address(self) -> str:
        """The account's address with its checksum."""
        return str(self.account.address)

    def sign(self, text: str) -> str:
        """Sign as personal_sign does (EIP-191): `0x` and 130 hex digits."""
        signed = self.account.sign_message(encode_defunct(text=text))
        return "0x" + bytes(signed.signature).hex()


def new_wallet() -> Wallet:
    """Make a wallet from the system's randomness."""
    return Wallet(Account.create())


def save(wallet: Wallet, path: Path) -> None:
    """Write the key to a new file that only its owner can read; never over an existing one."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as ex:
        raise WalletError(f"{path} exists; a key is never overwritten") from ex
    except OSError as ex:
        raise WalletError(f"{path} cannot be made: {ex.strerror}") from ex
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(f"0x{bytes(wallet.account.key).hex()}\n")
    except OSError as ex:
        path.unlink(missing_ok=True)
        raise WalletError(f"{path} cannot be written: {ex.strerror}") from ex


def load(path: Path) -> Wallet:
    """Read a key file; refuse one that others can read, as ssh does."""
    try:
        mode = path.stat().st_mode
        with path.open("rb") as file:
            content = file.read(KEY_BYTES_MAX).strip().removeprefix(BYTE_ORDER_MARK)
    except FileNotFoundError as ex:
        raise WalletError(f"{path} does not exist; `taptrade wallet new --key {path}` makes it") from ex
    except OSError as ex:
        raise WalletError(f"{path} cannot be read: {ex.strerror}") from ex
    if stat.S_IMODE(mode) & 0o077:
        raise WalletError(f"{path} is readable by others; `chmod 600 {path}` first")
    if content.startswith(b"{"):
        raise WalletError(f"{path} is an encrypted keystore; a key file holds the private key itself, {_FORM}")
    if not _KEY.fullmatch(content):
        raise WalletError(f"{path} holds no private key, which is {_FORM}")
    try:
        return Wallet(Account.from_key(content.decode()))
    except Exception as ex:  # eth-account raises its own mixture; none of it may show the key
        raise WalletError(f"{path} holds no private key: the number is not one of the curve's") from ex


def login_message(wallet: str, session_key: str | None, audience: Audience, nonce: str, now_ms: int) -> str:
    """Write the EIP-4361 text of a login; `session_key` is the address that may sign taps from then on."""
    message = SiweMessage(
        domain=audience.domain,
        address=wallet,
        statement=STATEMENT_WITH_KEY if session_key else STATEMENT,
        uri=audience.uri,
        chain_id=audience.chain_id,
        nonce=nonce,
        issued_at=rfc3339(now_ms),
        resources=(SESSION_KEY_URN + session_key,) if session_key else None,
    )
    return message.to_text()


def sign_login(wallet: Wallet, session_key: str | None, audience: Audience, now_ms: int) -> SignedLogin:
    """Sign a login that delegates taps to `session_key`."""
    message = login_message(wallet.address, session_key, audience, new_nonce(), now_ms)
    return SignedLogin(message, wallet.sign(message))


def sign_bet(
    signer: Signer, cell_id: str, *, amount_cents: int, min_rate_bp: int, chain_id: int, now_ms: int
) -> SignedBet:
    """Sign a tap, with the wallet or with the session key that a login named."""
    nonce, timestamp = new_nonce(), now_ms // 1000
    text = bet_text(cell_id, amount_cents, min_rate_bp, nonce, timestamp, chain_id)
    return SignedBet(cell_id, amount_cents, min_rate_bp, nonce, timestamp, signer.sign(text))


def sign_gesture(signer: Signer, taps: Sequence[WantedTap], *, chain_id: int, now_ms: int) -> SignedGesture:
    """Sign up to twenty taps at once, as a single one is signed."""
    nonce, timestamp = new_nonce(), now_ms // 1000
    lines = taps_text(TapLine(tap.cell_id, tap.amount, tap.min_rate_bp) for tap in taps)
    text = gesture_text(lines, nonce, timestamp, chain_id)
    return SignedGesture(tuple(taps), nonce, timestamp, signer.sign(text))


def sign_withdrawal(wallet: Wallet, amount_cents: int, chain_id: int, now_ms: int) -> SignedWithdrawal:
    """Sign a withdrawal; only the wallet itself may."""
    nonce, timestamp = new_nonce(), now_ms // 1000
    text = withdraw_text(amount_cents, nonce, timestamp, chain_id)
    return SignedWithdrawal(amount_cents, nonce, timestamp, wallet.sign(text))


def new_nonce() -> str:
    """Make 32 hex digits that no one can guess or meet again."""
    return secrets.token_hex(16)
