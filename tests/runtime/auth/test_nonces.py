"""Nonces: one form for logins, bets and withdrawals, wide enough for what wallets' libraries make."""

from __future__ import annotations

import pytest

from runtime.auth.nonces import is_nonce


@pytest.mark.parametrize("nonce", ["abcd1234", "A" * 64, "00000000", "d616e52c" * 12, "z" * 128])
def test_nonces(nonce: str) -> None:
    assert is_nonce(nonce)


@pytest.mark.parametrize(
    "nonce", ["", "abcd123", "A" * 129, "abcd1234\n", "\nabcd1234", "abcd-1234", "abcd 1234", "äbcd1234", "٣" * 8]
)
def test_not_nonces(nonce: str) -> None:
    assert not is_nonce(nonce)
