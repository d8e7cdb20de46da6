"""Key files and signed bodies for curl."""

from __future__ import annotations

from pathlib import Path

import httpx
import msgspec
import pytest

from runtime.auth.bet_text import bet_text
from runtime.auth.signatures import recover_text
from runtime.auth.siwe import parse
from runtime.settings import SettingsError
from taptrade import player, signing
from taptrade.client import TapClient
from taptrade.views import GridView, SignedBet, SignedLogin
from tests.taptrade.grids import START_S, WIDTH_S, grid


@pytest.fixture(autouse=True)
def _api(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TAPTRADE_PORT", "8000")


def made(path: Path, capsys: pytest.CaptureFixture[str]) -> str:
    assert signing.wallet(["new", "--key", str(path)]) == 0
    return capsys.readouterr().out.strip()


def serve(monkeypatch: pytest.MonkeyPatch, answer: GridView | Exception) -> None:
    def respond(_: httpx.Request) -> httpx.Response:
        if isinstance(answer, Exception):
            raise answer
        return httpx.Response(200, content=msgspec.json.encode(answer))

    monkeypatch.setattr(signing, "TapClient", lambda url: TapClient(url, transport=httpx.MockTransport(respond)))


def test_a_wallet_is_made_once_and_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "key"
    address = made(path, capsys)
    assert signing.wallet(["show", "--key", str(path)]) == 0
    assert capsys.readouterr().out.strip() == address
    assert signing.wallet(["new", "--key", str(path)]) == 1
    assert "exists" in capsys.readouterr().err


def test_a_login_body_is_signed_and_delegates(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wallet, session = made(tmp_path / "wallet", capsys), made(tmp_path / "session", capsys)
    options = ["--key", str(tmp_path / "wallet"), "--session-key", str(tmp_path / "session")]
    assert signing.sign_login(options) == 0
    body = msgspec.json.decode(capsys.readouterr().out, type=SignedLogin)
    assert recover_text(body.message, body.signature) == wallet.lower()
    assert parse(body.message).session_key == session.lower()


def test_a_bet_body_takes_a_cell_that_stays_open_for_a_while(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    address = made(tmp_path / "key", capsys)
    serve(monkeypatch, grid(now_ms=START_S * 1000 + 3_000))
    assert signing.sign_bet(["--key", str(tmp_path / "key")]) == 0
    body = msgspec.json.decode(capsys.readouterr().out, type=SignedBet)
    assert body.cell_id.startswith(f"{START_S + 3 * WIDTH_S}_"), "the nearest column closes in two seconds"
    assert body.min_rate_bp == 19_400
    text = bet_text(body.cell_id, 100, 19_400, body.nonce, body.timestamp, 1)
    assert recover_text(text, body.signature) == address.lower()


def test_a_named_cell_is_signed_at_its_rate_or_unseen(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    made(tmp_path / "key", capsys)
    serve(monkeypatch, grid())
    options = ["--key", str(tmp_path / "key"), "--amount", "500", "--cell"]
    cell_id = f"{START_S + 12 * WIDTH_S}_99000_99500"
    assert signing.sign_bet([*options, cell_id]) == 0
    body = msgspec.json.decode(capsys.readouterr().out, type=SignedBet)
    assert (body.cell_id, body.amount, body.min_rate_bp) == (cell_id, 500, 19_400)
    assert signing.sign_bet([*options, "1_2_3"]) == 1
    assert "does not offer 1_2_3" in capsys.readouterr().err
    assert signing.sign_bet([*options, "1_2_3", "--min-rate", "10500"]) == 0
    assert msgspec.json.decode(capsys.readouterr().out, type=SignedBet).min_rate_bp == 10_500


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        pytest.param(grid(rate_bp=None), "offers no cell right now", id="nothing offered"),
        pytest.param(httpx.ConnectError("refused"), "make run", id="nothing listens"),
    ],
)
def test_why_there_is_no_bet_is_said_in_a_sentence(
    answer: GridView | Exception,
    said: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made(tmp_path / "key", capsys)
    serve(monkeypatch, answer)
    assert signing.sign_bet(["--key", str(tmp_path / "key")]) == 1
    captured = capsys.readouterr()
    assert said in captured.err
    assert captured.out == ""


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--amount", "-1"), "--amount: '-1': must be between 1 and"),
        (("--min-rate", "-1"), "--min-rate: '-1': must be between 0 and"),
        (("--cell", "5_0_500\nAmount: 1"), "must be a cell's id"),
        (("--domain", "tap.example\nURI: x"), "must be a host"),
        (("--url", "tap.example"), "must be an address such as"),
        (("--chain-id", "0"), "--chain-id: '0': must be between 1 and"),
    ],
)
def test_what_cannot_be_meant_is_not_signed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, str], said: str
) -> None:
    made(tmp_path / "key", capsys)
    with pytest.raises(SystemExit) as refused:
        signing.sign_bet(["--key", str(tmp_path / "key"), *arguments])
    assert refused.value.code == 2
    captured = capsys.readouterr()
    assert (captured.out, said in captured.err) == ("", True)


def test_a_missing_key_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert signing.sign_login(["--key", str(tmp_path / "none")]) == 1
    assert "wallet new" in capsys.readouterr().err


def test_without_a_run_only_what_needs_none_is_signed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    made(tmp_path / "key", capsys)
    monkeypatch.delenv("TAPTRADE_PORT")
    monkeypatch.setenv("TAPTRADE_DATA", str(tmp_path))
    monkeypatch.setattr(player, "_listens", lambda _: False)
    key = ["--key", str(tmp_path / "key")]
    for command in (signing.sign_login, signing.sign_bet):
        with pytest.raises(SettingsError, match="nothing runs in"):
            command(key)
    assert signing.sign_login([*key, "--domain", "tap.example"]) == 0
    assert signing.sign_bet([*key, "--cell", f"{START_S}_0_500", "--min-rate", "20000"]) == 0
