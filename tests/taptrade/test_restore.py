"""`taptrade backup` and `taptrade restore`: a copy now, and what comes back of a replica, counted and compared."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from runtime.audit.heads import HEADS_FILE, keep_head
from runtime.clock import SystemClock, rfc3339
from runtime.storage import function_store, ticks_store
from runtime.storage.database import open_reader, open_writer
from tests.jobs.upkeep.shelf import Shelf
from tests.taptrade.office import Office
from tests.taptrade.shipping import ship
from tests.waiting import wait_until

pytestmark = pytest.mark.integration


@pytest.fixture
def shelf(office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shelf:
    """Return a week of play that is in the replica."""
    monkeypatch.setenv("TAPTRADE_REPLICA_URL", str(tmp_path / "elsewhere"))
    shelf = Shelf(office.desk, tmp_path)
    shelf.play_week()
    ticks_store.prepare(shelf.settings.ticks_database, office.desk.clock)
    function_store.prepare(shelf.settings.functions_database, office.desk.clock)
    ship(tmp_path, str(tmp_path / "elsewhere"))
    return shelf


def newest(shelf: Shelf) -> int:
    [(number,)] = shelf.desk.database.execute("SELECT max(number) FROM commits")
    assert isinstance(number, int)
    return number


def test_a_backup_is_made_and_told(office: Office, shelf: Shelf) -> None:
    made = office.run("backup", "--json").json
    assert (Path(made["folder"]) / made["file"]).stat().st_size == made["bytes"]
    assert made["commit"] == newest(shelf)
    assert f"commit {made['commit']} at " in office.run("backup").out


def test_no_backup_without_a_database(office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TAPTRADE_DATA", str(tmp_path / "nothing"))
    said = office.run("backup")
    assert (said.code, said.out) == (2, "")
    assert "there is no database" in said.err


def test_what_was_shipped_comes_back_counted(office: Office, shelf: Shelf, tmp_path: Path) -> None:
    said = office.run("restore", "--to", tmp_path / "new", "--json")
    number = newest(shelf)
    assert (said.code, said.json["commit"], said.json["audit_ok"], said.json["missing"]) == (0, number, True, None)
    restored = open_reader(tmp_path / "new" / "taptrade.db")
    assert restored.execute("SELECT count(*) FROM bets") == office.desk.database.execute("SELECT count(*) FROM bets")
    restored.close()
    assert {path.stem for path in (tmp_path / "new").iterdir()} == {"taptrade", "ticks", "functions"}


def test_what_came_later_is_listed_from_the_old_folder(office: Office, shelf: Shelf, tmp_path: Path) -> None:
    reader = open_reader(shelf.settings.database)
    keep_head(reader, tmp_path / HEADS_FILE, SystemClock())
    shelf.bets(*shelf.players)
    # A head of the old folder that is newer than what came back says nothing against it.
    keep_head(reader, tmp_path / HEADS_FILE, SystemClock())
    reader.close()
    said = office.run("restore", "--to", tmp_path / "new", "--old", tmp_path, "--json")
    assert (said.code, said.json["audit_ok"]) == (0, True)
    kinds = [one["ref_type"] for one in said.json["missing"]]
    assert kinds == ["BET", "PAYOUT"]
    assert all(one["commit"] > said.json["commit"] for one in said.json["missing"])
    shown = office.run("restore", "--to", tmp_path / "newer", "--old", tmp_path).out
    assert "2 entries of the old ledger came after that:" in shown
    assert f" BET {said.json['missing'][0]['ref_id']} of {shelf.players[0]}: -" in shown


def test_the_state_of_a_moment_comes_back(office: Office, shelf: Shelf, tmp_path: Path) -> None:
    number, moment_ms = newest(shelf), SystemClock().now_ms()
    wait_until(lambda: SystemClock().now_ms() > moment_ms + 1_000, what="the next second, by which times are told")
    shelf.bets(*shelf.players)
    ship(tmp_path, str(tmp_path / "elsewhere"))

    def commit_at(at_ms: int) -> object:
        return office.run("restore", "--to", tmp_path / str(at_ms), "--at", rfc3339(at_ms), "--json").json["commit"]

    assert commit_at(moment_ms + 1_000) == number
    assert commit_at(SystemClock().now_ms() + 60_000) == newest(shelf) > number
    said = office.run("restore", "--to", tmp_path / "early", "--at", "2026-01-01")
    assert (said.code, said.out) == (2, "")
    assert "begins at 20" in said.err


def test_nothing_is_overwritten(office: Office, shelf: Shelf, tmp_path: Path) -> None:
    said = office.run("restore", "--to", tmp_path)
    assert (said.code, said.out) == (2, "")
    assert "is not empty" in said.err
    assert office.run("audit").code == 0


def test_no_replica_nothing_in_it_and_no_address(office: Office, shelf: Shelf, tmp_path: Path) -> None:
    said = office.run("restore", "--to", tmp_path / "new", "--from", tmp_path / "empty")
    assert (said.code, said.out) == (2, "")
    assert f"taptrade.db: nothing of it is in {tmp_path / 'empty'}" in said.err
    assert office.run("restore", "--to", tmp_path / "new", "--from", "folder").code == 2


def test_an_address_is_needed(office: Office, tmp_path: Path) -> None:
    said = office.run("restore", "--to", tmp_path / "new")
    assert (said.code, said.err) == (2, "taptrade: TAPTRADE_REPLICA_URL is not set\n")


def test_a_restored_ledger_that_does_not_add_up_is_told(office: Office, shelf: Shelf, tmp_path: Path) -> None:
    spoilt = open_writer(shelf.settings.database)
    spoilt.execute("UPDATE users SET balance = balance + 1 WHERE id = ?", (shelf.players[0],))
    spoilt.close()
    ship(tmp_path, str(tmp_path / "elsewhere"))
    said = office.run("restore", "--to", tmp_path / "new", "--json")
    assert (said.code, said.json["audit_ok"]) == (1, False)


def test_heads_of_the_old_folder_are_held_against_it(office: Office, shelf: Shelf, tmp_path: Path) -> None:
    (tmp_path / HEADS_FILE).write_text(json.dumps({"at_ms": 1, "commit": 1, "hash": "0" * 64}) + "\n")
    said = office.run("restore", "--to", tmp_path / "new", "--old", tmp_path, "--json")
    assert (said.code, said.json["audit_ok"]) == (1, False)
