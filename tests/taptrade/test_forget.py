"""`taptrade forget`: asked for by an operator, finished by a repeat, told of everywhere a forgotten player turns up."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from runtime.archive.files import kept_file
from runtime.audit import audit
from runtime.auth.sessions import Sessions
from runtime.clock import SystemClock
from runtime.storage import ticks_store
from runtime.storage.database import open_reader
from tests.jobs.signed_play import SignedPlay
from tests.jobs.upkeep.shelf import Shelf
from tests.jobs.writer_desk import PRICE_CENTS
from tests.runtime.auth.logins import WALLET
from tests.taptrade.office import Office
from tests.taptrade.shipping import ship

pytestmark = pytest.mark.integration
WORDS = ("--who", "ann", "--why", "ticket 7")


@pytest.fixture
def play(office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SignedPlay:
    """Return a player who has lost a bet and holds nothing, in a house that keeps records for no day."""
    monkeypatch.setenv("TAPTRADE_REWARD_MODEL", "runtime.game.rewards:BrownianTouch")
    desk = office.desk
    desk.kept_days = 0
    desk.hire()
    play = SignedPlay(desk, tmp_path, desk.clock)
    play.place()
    play.end(PRICE_CENTS * 2, PRICE_CENTS * 2 + 100)
    play.court.close()
    office.run("adjust", play.user_id, -desk.balance(play.user_id), "--reference", "paid", *WORDS)
    assert desk.balance(play.user_id) == 0
    return play


def test_a_player_is_forgotten_and_their_sessions_end(office: Office, play: SignedPlay, tmp_path: Path) -> None:
    desk, user = office.desk, play.user_id
    sessions = Sessions(desk.client, SystemClock())
    token, _ = sessions.create(user, WALLET, "192.0.2.0/24")
    assert office.run("explain", *desk.database.execute("SELECT id FROM bets")[0]).code == 0
    said = office.run("forget", WALLET, *WORDS, "--json")
    assert (said.code, said.err, said.json["user_id"], said.json["who"]) == (0, "", user, "ann")
    assert Sessions(desk.client, SystemClock()).find(token) is None
    assert (tmp_path / "archives" / f"erasure-{user}.json").exists()
    assert office.run("forget", WALLET, *WORDS).code == 2
    again = office.run("forget", user, *WORDS)
    assert (again.code, "that was done before" in again.out) == (0, True)
    assert audit(desk.database).faults == []


def test_what_is_shown_of_a_forgotten_player_says_so(office: Office, play: SignedPlay) -> None:
    ((bet_id,),) = office.desk.database.execute("SELECT id FROM bets")
    assert office.run("forget", play.user_id, *WORDS).code == 0
    told = office.run("explain", bet_id)
    assert (told.code, "The player was forgotten" in told.out) == (0, True)
    assert "signed by forgotten" in office.run("trace", bet_id).out
    assert "wallet forgotten" in office.run("dispute", play.user_id, "--verify").out
    assert office.run("withdrawal", "list", "--all").code == 0
    said = office.run("deposit", play.user_id, 5, "--reference", "late", *WORDS, "--json")
    assert (said.code, said.json["code"]) == (1, "PLAYER_FORGOTTEN")


def test_a_refusal_says_what_is_in_the_way(office: Office) -> None:
    user = office.desk.player()
    said = office.run("forget", user, *WORDS, "--json")
    assert (said.code, said.json["code"], said.json["balance"]) == (1, "BALANCE_LEFT", 1_000_000)
    assert "holds money" in office.run("forget", user, *WORDS).err


def test_what_the_store_does_not_take_is_finished_by_a_repeat(office: Office, play: SignedPlay, tmp_path: Path) -> None:
    (tmp_path / "archives").write_text("no folder")
    said = office.run("forget", play.user_id, *WORDS)
    assert (said.code, "repeat the command with " in said.err) == (1, True)
    (tmp_path / "archives").unlink()
    assert office.run("forget", play.user_id, *WORDS).code == 0
    assert (tmp_path / "archives" / f"erasure-{play.user_id}.json").exists()


def test_an_archived_bet_opens_with_the_live_key_until_that_is_destroyed(
    office: Office, play: SignedPlay, tmp_path: Path
) -> None:
    shelf = Shelf(office.desk, tmp_path)
    shelf.play_week(open_over_its_end=False)
    ((bet_id,),) = office.desk.database.execute("SELECT min(id) FROM bets")
    shelf.on_sunday()
    (manifest,) = shelf.archive()
    week = kept_file(shelf.settings.data, shelf.weeks[0])
    held = week.read_bytes()
    named = [WALLET, play.signer, *(f"0x{number:040x}" for number in (11,))]
    assert [one.encode() in held or bytes.fromhex(one[2:]) in held for one in named] == [False] * len(named)
    keys = office.desk.database.execute("SELECT key FROM player_keys")
    assert not any(key in held for (key,) in keys)
    stored = ["explain", bet_id, "--json"]
    for is_here in (True, False):
        if not is_here:
            week.rename(tmp_path / "away.db")
        proof = office.run(*stored).json["proof"]
        assert (proof["signed"]["ok"], proof["chain"]["ok"], proof["money"]["ok"]) == (True, True, True)
    assert office.run("forget", play.user_id, *WORDS).code == 0
    told = office.run(*stored)
    proof = told.json["proof"]
    assert (told.code, proof["signed"]["ok"], proof["signed"]["by"]) == (0, None, "forgotten")
    assert (proof["chain"]["ok"], proof["money"]["ok"], told.json["archive"]["ok"]) == (True, True, True)
    assert office.run("archive", "verify", manifest.content.week).code == 0
    assert shelf.faults() == []


@pytest.mark.parametrize("known_by", ["the data folder", "the store", "the old folder"])
def test_a_restored_database_forgets_again(
    office: Office, play: SignedPlay, tmp_path: Path, known_by: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk, user = office.desk, play.user_id
    ticks = tmp_path / "ticks.db"
    if not ticks.exists():
        ticks_store.prepare(ticks, desk.clock)
    replica = str(tmp_path / "elsewhere")
    ship(tmp_path, replica)
    assert office.run("forget", user, *WORDS).code == 0
    old = []
    line = (tmp_path / "archives" / f"erasure-{user}.json").read_bytes()
    if known_by != "the store":
        (tmp_path / "archives" / f"erasure-{user}.json").unlink()
        (tmp_path / "erasures.jsonl").write_bytes(line)
    if known_by != "the data folder":
        house = tmp_path / "another"
        monkeypatch.setenv("TAPTRADE_DATA", str(house))
        monkeypatch.setenv("TAPTRADE_ARCHIVE_URL", str(tmp_path / "archives"))
        old = ["--old", tmp_path] if known_by == "the old folder" else []
    said = office.run("restore", "--to", tmp_path / "new", "--from", replica, *old, "--json")
    assert (said.code, said.json["forgotten"], said.json["audit_ok"]) == (0, [user], True)
    reader = open_reader(tmp_path / "new" / "taptrade.db")
    assert reader.execute("SELECT user_id FROM erasures") == [(user,)]
    assert audit(reader).faults == []
    reader.close()
    held = (tmp_path / "new" / "taptrade.db").read_bytes()
    assert WALLET.encode() not in held
    assert json.loads((tmp_path / "new" / "erasures.jsonl").read_text())["user_id"] == user


def test_a_store_that_does_not_answer_is_told_of(
    office: Office, play: SignedPlay, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticks = tmp_path / "ticks.db"
    if not ticks.exists():
        ticks_store.prepare(ticks, office.desk.clock)
    ship(tmp_path, str(tmp_path / "elsewhere"))
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / f"erasure-{play.user_id}.json").write_text("torn")
    monkeypatch.setenv("TAPTRADE_ARCHIVE_URL", str(tmp_path / "store"))
    said = office.run("restore", "--to", tmp_path / "new", "--from", str(tmp_path / "elsewhere"))
    assert (said.code, "the archive store may know of more players to forget" in said.out) == (1, True)
