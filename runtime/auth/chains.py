"""For which chain a text was signed: it names its chain, and the request that brings the signature does not."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable

from runtime.auth.signatures import recover


def find_chain(
    text_on: Callable[[int], str], chain_ids: Iterable[int], signature: bytes, signers: Container[str | None]
) -> tuple[int, str] | None:
    """Return the first chain whose text one of `signers` signed, and which of them; None if there is none.

    One after the other: whoever signs for the first chain costs one recovery, as if there were no other.
    """
    for chain_id in chain_ids:
        signer = recover(text_on(chain_id).encode(), signature)
        if signer is not None and signer in signers:
            return chain_id, signer
    return None
