"""The signature of a bet, of either kind: a wallet's or an address' 65 bytes, or a P-256 key's 64."""

from __future__ import annotations

from runtime.auth import p256, signatures
from runtime.errors import InvalidSignature


def parse_signature(text: str) -> bytes | None:
    """Read a signature of either kind; its length tells which. None if it is none."""
    return signatures.parse_signature(text) or p256.parse_signature(text)


def signature_text(signature: bytes) -> str:
    """Write a signature in the one form of its kind."""
    if len(signature) == p256.SIGNATURE_BYTES:
        return p256.signature_text(signature)
    return signatures.signature_text(signature)


def read_signature(text: str, session_key: str | None) -> bytes:
    """Read a signature that a session's tap brings; raise the refusal that says what is wrong with it."""
    raw = signatures.parse_signature(text)
    if raw is not None:
        return raw
    raw = read_p256(text)
    if session_key is None or not p256.is_key(session_key):
        raise InvalidSignature("The signature is of a P-256 key's 64 bytes, and this session has no such key.")
    return raw


def read_p256(text: str) -> bytes:
    """Read a P-256 key's signature; raise the refusal that says what is wrong with it."""
    raw = p256.parse_signature(text)
    if raw is None:
        encoding = p256.other_encoding(text)
        if not encoding:
            signatures.refuse_contract(text)
        rules = f"{signatures.SIGNATURE_RULE}, or {p256.SIGNATURE_RULE}"
        raise InvalidSignature(f"The signature cannot be read{f' ({encoding})' if encoding else ''}: {rules}.")
    fault = p256.fault_of(raw)
    if fault:
        raise InvalidSignature(fault)
    return raw


def mismatch(signature: bytes, session_key: str | None) -> InvalidSignature:
    """Return the refusal of a signature that can be read and is not the player's over this text."""
    if len(signature) == p256.SIGNATURE_BYTES:
        return InvalidSignature("The signature is not the session key's over this text: SHA-256 over its UTF-8 bytes.")
    if session_key is not None and p256.is_key(session_key):
        return InvalidSignature(
            "The signature is not the wallet's over this text; the session's own key is a P-256 key, which signs"
            f" {p256.SIGNATURE_BYTES} bytes."
        )
    return InvalidSignature()
