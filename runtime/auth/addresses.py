"""Wallet addresses as this room and those above it know them: runtime.addresses, which settings are read by too."""

from runtime.addresses import AddressError, canonical_address, to_checksum_address

__all__ = ["AddressError", "canonical_address", "to_checksum_address"]
