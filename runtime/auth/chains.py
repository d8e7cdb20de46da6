"""For which chain a text was signed: it names its chain, and the request that brings the signature does not."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable

from runtime.auth import p256
from runtime.auth.signatures import recover


def find_chain(
    text_on: Callable[[int], str], chain_ids: Iterable[int], signature: bytes, signers: Collection[str | None]
) -> tuple[int, str] | None:
    """Return the first chain whose text one of `signers` signed, and which of them; None if there is none.

    One after the other: whoever signs for the first chain costs one recovery, as if there were no other.
    """
    if len(signature) == p256.SIGNATURE_BYTES:
        keys = [signer for signer in signers if signer is not None and p256.is_key(signer)]
        return _find_key(text_on, chain_ids, signature, keys)
    for chain_id in chain_ids:
        signer = recover(text_on(chain_id).encode(), signature)
        if signer is not None and signer in signers:
            return chain_id, signer
    return None


def _find_key(
    text_on: Callable[[int], str], chain_ids: Iterable[int], signature: bytes, keys: Iterable[str]
) -> tuple[int, str] | None:
    for key in keys:
        for chain_id in chain_ids:
            if p256.verify(key, text_on(chain_id).encode(), signature):
                return chain_id, key
    return None
