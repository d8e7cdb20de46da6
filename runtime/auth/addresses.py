"""Wallet addresses as signers are shown by them; what an address is, the ground knows: settings are read by it too."""

from __future__ import annotations

from runtime.addresses import AddressError, canonical_address, to_checksum_address

__all__ = ["AddressError", "canonical_address", "shown_signer", "to_checksum_address"]


def shown_signer(signer: str) -> str:
    """Return who signed as it is shown: an address with its checksum, a P-256 key as it is."""
    return to_checksum_address(signer) if signer.startswith("0x") else signer
