"""Wallet addresses: one canonical form inside (lower case), one to show (EIP-55)."""

from __future__ import annotations

import re
from functools import lru_cache

from sha3 import keccak_256

_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")
_SHOWN_CACHE = 4_096


class AddressError(ValueError):
    """This is no wallet address."""


@lru_cache(_SHOWN_CACHE)
def to_checksum_address(canonical: str) -> str:
    """Return the EIP-55 form of a canonical address."""
    digits = canonical[2:]
    marks: str = keccak_256(digits.encode()).hexdigest()
    return "0x" + "".join(
        digit.upper() if int(mark, 16) >= 8 else digit for digit, mark in zip(digits, marks, strict=False)
    )


def canonical_address(text: str) -> str:
    """Return the one form that we store; raise AddressError for anything but an exact address.

    All lower case and the EIP-55 checksum name the same account. A wrong mix of cases is a typing mistake that the
    checksum has caught; all upper case carries no checksum and is refused with it.
    """
    if len(text) != 42 or _ADDRESS.fullmatch(text) is None:
        raise AddressError("an address is 0x and 40 hex digits")
    canonical = text.lower()
    if text not in (canonical, to_checksum_address(canonical)):
        raise AddressError("the address fails its EIP-55 checksum")
    return canonical


def shown_signer(signer: str) -> str:
    """Return who signed as it is shown: an address with its checksum, a P-256 key as it is."""
    return to_checksum_address(signer) if signer.startswith("0x") else signer
