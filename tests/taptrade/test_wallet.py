"""Keys and signatures of the player against the server's own reading of them."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from eth_account import Account

from runtime.auth.bet_text import bet_text, withdraw_text
from runtime.auth.signatures import recover_text
from runtime.auth.siwe import parse
from taptrade import wallet as wallets
from taptrade.wallet import Audience, Wallet, WalletError

NOW_MS = 1_790_000_000_123
AUDIENCE = Audience("127.0.0.1:8000", "http://127.0.0.1:8000", 1)


@pytest.fixture
def wallet() -> Wallet:
    return Wallet(Account.from_key("0x" + "11" * 32))


def test_a_login_reads_back_as_it_was_meant(wallet: Wallet) -> None:
    session_key = wallets.new_wallet().address
    signed = wallets.sign_login(wallet, session_key, AUDIENCE, NOW_MS)
    message = parse(signed.message)
    assert message.wallet == wallet.address.lower() == recover_text(signed.message, signed.signature)
    assert (message.domain, message.uri, message.chain_id) == (AUDIENCE.domain, AUDIENCE.uri, 1)
    assert message.session_key == session_key.lower()
    assert message.issued_ms == NOW_MS


def test_a_login_without_session_key_delegates_nothing(wallet: Wallet) -> None:
    message = parse(wallets.sign_login(wallet, None, AUDIENCE, NOW_MS).message)
    assert message.session_key is None
    assert "session key" not in (message.statement or "")


def test_nonces_are_never_the_same(wallet: Wallet) -> None:
    nonces = {parse(wallets.sign_login(wallet, None, AUDIENCE, NOW_MS).message).nonce for _ in range(20)}
    assert len(nonces) == 20


def test_a_bet_is_signed_over_its_text(wallet: Wallet) -> None:
    signed = wallets.sign_bet(wallet, "10_0_500", amount_cents=100, min_rate_bp=19_000, chain_id=5, now_ms=NOW_MS)
    assert signed.timestamp == NOW_MS // 1000
    text = bet_text("10_0_500", 100, 19_000, signed.nonce, signed.timestamp, 5)
    assert recover_text(text, signed.signature) == wallet.address.lower()


def test_a_withdrawal_is_signed_over_its_text(wallet: Wallet) -> None:
    signed = wallets.sign_withdrawal(wallet, 700, 5, NOW_MS)
    text = withdraw_text(700, signed.nonce, signed.timestamp, 5)
    assert recover_text(text, signed.signature) == wallet.address.lower()


def test_a_key_file_is_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "key"
    made = wallets.new_wallet()
    wallets.save(made, path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert wallets.load(path).address == made.address
    path.chmod(0o644)
    with pytest.raises(WalletError, match="readable by others"):
        wallets.load(path)


def test_a_key_is_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "key"
    wallets.save(wallets.new_wallet(), path)
    before = path.read_text()
    with pytest.raises(WalletError, match="exists"):
        wallets.save(wallets.new_wallet(), path)
    assert path.read_text() == before


def test_a_missing_or_broken_key_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "key"
    with pytest.raises(WalletError, match="wallet new"):
        wallets.load(path)
    path.write_text("0x1234")
    path.chmod(0o600)
    with pytest.raises(WalletError, match="no private key") as caught:
        wallets.load(path)
    assert "1234" not in str(caught.value)
