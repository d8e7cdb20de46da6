"""`taptrade archive`: weeks are listed, archived, verified and brought back on an operator's word."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from runtime.messaging.redis_keys import ARCHIVE_LAST
from runtime.messaging.redis_values import ArchiveResult
from runtime.process_lock import sole
from tests.jobs.upkeep.shelf import Shelf
from tests.taptrade.office import Office


@pytest.fixture
def shelf(office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shelf:
    """Return a shelf with one week that is due."""
    monkeypatch.setattr("taptrade.archive.SystemClock", lambda: office.desk.clock)
    shelf = Shelf(office.desk, tmp_path)
    shelf.play_week()
    shelf.on_sunday()
    return shelf


def last_success(office: Office) -> ArchiveResult | None:
    data: Any = office.desk.client.get(ARCHIVE_LAST)
    return ArchiveResult.decode(data) if data else None


def test_a_week_is_due_then_archived_then_listed(office: Office, shelf: Shelf) -> None:
    name = shelf.weeks[0].name
    assert office.run("archive", "list").out.splitlines()[1:] == [f"{name} is due"]
    assert office.run("archive", "list", "--json").json == {"archived": [], "due": [name]}
    said = office.run("archive", "run")
    assert (said.code, said.err) == (0, "")
    assert said.out.startswith(f"archived {name}: ")
    assert last_success(office) == ArchiveResult(office.desk.clock.now_ms(), name)
    shelf.trim()
    assert shelf.faults() == []
    assert office.run("archive", "run").out == "nothing is due\n"
    head, row = (line.split("\t") for line in office.run("archive", "list").out.splitlines())
    assert dict(zip(head, row, strict=True))["stored_as"] == f"bets_{name}.db.zst"
    [listed] = office.run("archive", "list", "--json").json["archived"]
    assert (listed["week"], listed["here"]) == (name, "yes")


def test_the_next_week_waits_until_the_rows_before_it_are_gone(office: Office, shelf: Shelf) -> None:
    shelf.play_week()
    shelf.on_sunday()
    first, second = (week.name for week in shelf.weeks)
    told = office.run("archive", "run", "--json").json
    assert told == {"archived": [first], "due": [second]}
    assert last_success(office) is None
    shelf.trim()
    assert office.run("archive", "run", "--json").json == {"archived": [second], "due": []}
    assert last_success(office) is not None


def test_an_archive_is_verified_down_to_the_chain(office: Office, shelf: Shelf, tmp_path: Path) -> None:
    assert office.run("archive", "verify").out == "no week is archived\n"
    office.run("archive", "run")
    name = shelf.weeks[0].name
    said = office.run("archive", "verify")
    assert (said.code, said.out) == (0, f"{name}: holds, down to the hash chain\n")
    stored = tmp_path / "archives" / f"bets_{name}.db.zst"
    stored.write_bytes(stored.read_bytes()[:-7])
    said = office.run("archive", "verify", name.replace("_w", "-W"), "--json")
    assert said.code == 1
    assert (said.json[0]["week"], said.json[0]["ok"]) == (name, False)
    assert list((tmp_path / "weeks" / "unfinished").iterdir()) == []


def test_a_week_comes_back(office: Office, shelf: Shelf, tmp_path: Path) -> None:
    name = shelf.weeks[0].name
    assert office.run("archive", "restore", name).code == 2
    office.run("archive", "run")
    (tmp_path / "weeks" / f"bets_{name}.db").unlink()
    told = office.run("archive", "restore", name, "--json").json
    assert told == {"week": name, "file": str(tmp_path / "weeks" / "restored" / f"bets_{name}.db")}
    assert office.run("archive", "restore", name, "--json").json == told
    assert office.run("archive", "list", "--json").json["archived"][0]["here"] == "yes"


def test_what_cannot_be_done_is_said_in_a_sentence(office: Office, shelf: Shelf, tmp_path: Path) -> None:
    said = office.run("archive", "restore", "2026_w54")
    assert (said.code, said.out) == (2, "")
    assert "has none of that number" in said.err
    with sole("archiver", tmp_path / "run" / "archive.lock"):
        said = office.run("archive", "run")
        assert (said.code, said.out) == (2, "")
        assert "archiver" in said.err
    assert last_success(office) is None
