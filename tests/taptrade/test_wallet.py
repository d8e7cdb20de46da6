"""Keys and signatures of the player against the server's own reading of them."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import IO, Any

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


def test_a_missing_key_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(WalletError, match="wallet new"):
        wallets.load(tmp_path / "key")


DIGITS = b"1f" * 32


def key_file(folder: Path, content: bytes) -> Path:
    path = folder / "key"
    path.write_bytes(content)
    path.chmod(0o600)
    return path


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"0x" + DIGITS + b"\n", id="as we write it"),
        pytest.param(DIGITS, id="digits alone"),
        pytest.param(b"0X" + DIGITS.upper() + b"\r\n", id="capitals and CRLF"),
        pytest.param(b"\xef\xbb\xbf0x" + DIGITS, id="byte order mark"),
        pytest.param(b"\n  0x" + DIGITS + b"  \n\n", id="blanks around it"),
    ],
)
def test_a_key_of_any_harmless_form_is_read(tmp_path: Path, content: bytes) -> None:
    assert wallets.load(key_file(tmp_path, content)).address == Account.from_key("0x" + DIGITS.decode()).address


@pytest.mark.parametrize(
    ("content", "said"),
    [
        pytest.param(b"", "holds no private key, which is 64 hex digits on one line", id="empty"),
        pytest.param(DIGITS[:-2], "which is 64 hex digits", id="cut"),
        pytest.param(DIGITS + b"1f", "which is 64 hex digits", id="too long"),
        pytest.param(DIGITS * 10**5, "which is 64 hex digits", id="very long"),
        pytest.param(DIGITS + b"\n" + DIGITS, "which is 64 hex digits", id="two keys"),
        pytest.param(b'"0x' + DIGITS + b'"', "which is 64 hex digits", id="in quotes"),
        pytest.param(bytes(range(200, 232)), "which is 64 hex digits", id="bytes"),
        pytest.param(DIGITS.decode().encode("utf-16"), "which is 64 hex digits", id="UTF-16"),
        pytest.param(b"-----BEGIN EC PRIVATE KEY-----\n", "which is 64 hex digits", id="PEM"),
        pytest.param(b'{"crypto": {}, "version": 3}', "is an encrypted keystore", id="keystore"),
        pytest.param(b"0" * 64, "the number is not one of the curve's", id="zero"),
        pytest.param(b"f" * 64, "the number is not one of the curve's", id="beyond the curve"),
    ],
)
def test_what_is_no_key_is_refused_without_being_shown(tmp_path: Path, content: bytes, said: str) -> None:
    path = key_file(tmp_path, content)
    with pytest.raises(WalletError) as refused:
        wallets.load(path)
    assert str(refused.value).startswith(f"{path} ")
    assert said in str(refused.value)
    assert "1f1f" not in str(refused.value)


def test_a_key_that_cannot_be_read_or_made_is_named(tmp_path: Path) -> None:
    file = key_file(tmp_path, DIGITS)
    for path, said in ((tmp_path, "Is a directory"), (file / "x", "Not a directory"), (tmp_path / ("k" * 300), "long")):
        with pytest.raises(WalletError, match=f"cannot be read: .*{said}"):
            wallets.load(path)
    for path in (tmp_path / "no" / "folder", file / "x"):
        with pytest.raises(WalletError, match="cannot be made: "):
            wallets.save(wallets.new_wallet(), path)


def test_a_key_that_finds_no_disk_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made, real = wallets.new_wallet(), os.fdopen

    def fdopen(descriptor: int, mode: str) -> IO[Any]:
        full = os.open("/dev/full", os.O_WRONLY)
        os.dup2(full, descriptor)
        os.close(full)
        return real(descriptor, mode)

    monkeypatch.setattr(os, "fdopen", fdopen)
    with pytest.raises(WalletError, match="cannot be written: No space left on device"):
        wallets.save(made, tmp_path / "key")
    assert not (tmp_path / "key").exists()
