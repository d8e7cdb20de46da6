"""Seal texts by a player's key with AES-SIV (RFC 5297): one text at one row has one sealed form, and needs no nonce.

What a sealed text is about, its kind and its row, goes in as associated data: moved to another row it does not open.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from runtime.game.bets import Bet
from runtime.game.rows import SEALED, bytes_of
from runtime.game.statements import read_statements

PERSONAL = read_statements("runtime.personal", "personal.sql")
KEY_BYTES = 32
FORGOTTEN = "forgotten"
"""What stands for a sealed text whose key was destroyed."""
DIGITS, WORDS = b"0x ", "~"
"""Digits are sealed as the bytes that they say, and shown as digits again; any other text is shown in base64."""
_KEYS_CACHED = 64

Execute = Callable[[str, Sequence[Any]], list[tuple[Any, ...]]]


def about(kind: str, row_id: str) -> str:
    """Return what a text is about: its kind, and the row that it stands in."""
    return f"{kind} {row_id}"


class Seal:
    """One player's key, ready for use."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESSIV(key)
        self._signer: tuple[str, str, str] | None = None

    def close(self, text: str, whereof: str) -> str:
        """Return the sealed form of a text; one without a character has nothing to hide."""
        if not text:
            return text
        # The form is part of what is sealed: what is opened is what was there.
        found = bytes_of(text, "0x")
        if isinstance(found, bytes):
            return SEALED + self._cipher.encrypt(found, [DIGITS + whereof.encode()]).hex()
        return SEALED + WORDS + b64encode(self._cipher.encrypt(text.encode(), [whereof.encode()])).decode()

    def close_signer(self, signer: str, delegation_id: str | None, user_id: str) -> str:
        """Return the sealed form of a bet's signer: that of the login's session key, or of the account's address."""
        whereof = about("address", user_id) if delegation_id is None else about("session_key", delegation_id)
        known = self._signer
        if known is None or known[:2] != (signer, whereof):
            known = self._signer = (signer, whereof, self.close(signer, whereof))
        return known[2]

    def open(self, text: str, whereof: str) -> str | None:
        """Return what a sealed text says, None if this key or this row does not fit it."""
        try:
            if text.startswith(SEALED + WORDS):
                sealed = b64decode(text.removeprefix(SEALED + WORDS), validate=True)
                return self._cipher.decrypt(sealed, [whereof.encode()]).decode()
            digits = bytes_of(text, SEALED)
            if isinstance(digits, bytes):
                return "0x" + self._cipher.decrypt(digits, [DIGITS + whereof.encode()]).hex()
        except (InvalidTag, ValueError):
            return None
        return None


@lru_cache(_KEYS_CACHED)
def _seal_of(key: bytes) -> Seal:
    return Seal(key)


def opened(text: str | None, key: bytes | None, whereof: str) -> str | None:
    """Return what a text says. What was never sealed is returned as it is, and so is what the key does not open.

    SQL knows it too, in every connection of ours.
    """
    if text is None or key is None or not text.startswith(SEALED):
        return text
    if not any(key):
        return FORGOTTEN
    found = _seal_of(key).open(text, whereof)
    return text if found is None else found


def key_of(execute: Execute, user_id: str) -> bytes | None:
    """Return a player's key as it lies in the live database, zeros if it was destroyed; None: nothing was sealed."""
    rows = execute(PERSONAL["key"], (user_id,))
    return rows[0][0] if rows else None


def opened_bet(bet: Bet, key: bytes | None) -> Bet:
    """Return a bet with signature and signer as they were given."""
    kind, row_id = ("address", bet.user_id) if bet.delegation_id is None else ("session_key", bet.delegation_id)
    return replace(
        bet,
        signature=opened(bet.signature, key, about("bet", bet.id)) or "",
        signer=opened(bet.signer, key, about(kind, row_id)) or "",
    )
