"""`taptrade export`: everything that is held about a player, each row once, opened, from whichever database has it."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from runtime.archive.files import kept_file
from taptrade import exported
from tests.jobs.signed_play import SignedPlay
from tests.jobs.upkeep.shelf import Shelf
from tests.jobs.writer_desk import PRICE_CENTS
from tests.runtime.auth.logins import WALLET
from tests.taptrade.office import Office

pytestmark = pytest.mark.integration


@pytest.fixture
def shelf(office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shelf:
    """Return two weeks of play, read in pages of three rows."""
    monkeypatch.setattr(exported, "PAGE_ROWS", 3)
    shelf = Shelf(office.desk, tmp_path)
    shelf.play_week()
    shelf.play_week()
    return shelf


def rows_of(shelf: Shelf, sql: str) -> list[str]:
    return [row[0] for row in shelf.desk.database.execute(sql, (shelf.players[0],))]


def test_each_bet_and_entry_is_in_it_once_wherever_it_lies(office: Office, shelf: Shelf) -> None:
    player = shelf.players[0]
    bets = rows_of(shelf, "SELECT id FROM bets WHERE user_id = ? ORDER BY seq DESC")
    entries = rows_of(shelf, "SELECT id FROM transaction_ledger WHERE user_id = ? ORDER BY id DESC")
    assert (len(bets) > 6, len(entries) > 6) == (True, True)
    live = office.run("export", player).json
    shelf.on_sunday()
    shelf.archiver().run()
    untrimmed = office.run("export", player).json
    shelf.trim()
    shelf.archive()
    said = office.run("export", player)
    assert (said.code, said.err, said.json["weeks_missing"]) == (0, "", [])
    assert said.json["weeks"] == [week.name for week in reversed(shelf.weeks)]
    for each in (live, untrimmed, said.json):
        assert sorted(one["id"] for one in each["bets"]) == sorted(bets)
        assert [one["id"] for one in each["entries"]] == entries
    kept_file(shelf.settings.data, shelf.weeks[0]).unlink()
    partly = office.run("export", player)
    assert (partly.code, partly.json["weeks_missing"]) == (1, [shelf.weeks[0].name])
    assert f"taptrade archive restore {shelf.weeks[0].name}" in partly.err
    assert 0 < len(partly.json["bets"]) < len(bets)


def test_what_was_sealed_is_readable_and_in_cents_and_utc(office: Office, play: SignedPlay) -> None:
    bet = play.bet()
    play.desk.place(bet)
    play.end(PRICE_CENTS, PRICE_CENTS + 100)
    told = office.run("export", WALLET).json
    (account,), (login,), (shown,) = told["account"], told["logins"], told["bets"]
    assert (account["id"], account["wallet_address"], account["guest_key"]) == (play.user_id, WALLET, None)
    assert login["session_key"] == play.signer
    assert WALLET in login["message"].lower()
    assert (shown["signature"], shown["signer"], shown["login"]) == (bet.signature, play.signer, play.delegation_id)
    assert (shown["amount_cents"], shown["placed_at"][-1], shown["placed_at"][:2]) == (100, "Z", "20")
    assert [one["kind"] for one in told["operations"]] == ["credit"]
    assert told["erasures"] == []
    assert {one["ref_type"] for one in told["entries"]} == {"DEPOSIT", "BET", "PAYOUT"}


def test_spreadsheets_hold_the_same(office: Office, shelf: Shelf, tmp_path: Path) -> None:
    player, folder = shelf.players[0], tmp_path / "out"
    assert office.run("export", player, "--format", "csv").code == 2
    assert office.run("export", player, "--format", "csv", "--output", folder).code == 0
    assert office.run("export", player, "--output", folder).out == ""
    whole = office.run("export", player).json
    for name in ("account", "limits", "operations", "withdrawals", "bets", "entries"):
        with (folder / f"{name}.csv").open(newline="") as file:
            found = list(csv.DictReader(file))
        assert [one["id" if "id" in one else "reference"] for one in found] == [
            one["id" if "id" in one else "reference"] for one in whole[name]
        ]
    assert not (folder / "erasures.csv").exists()
    assert (folder / "export.json").stat().st_size > 1_000
    assert office.run("export", "0" * 26).code == 2
