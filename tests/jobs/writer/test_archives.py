"""The writer's part of an archive: it is recorded once, only where it fits, and its rows go by themselves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from runtime.messaging.commands import Outcome, RecordArchive
from runtime.storage.database import open_reader
from tests.jobs.upkeep.shelf import Shelf
from tests.jobs.writer.test_main import new_process, running
from tests.jobs.writer_desk import Desk
from tests.waiting import wait_until


@pytest.fixture
def shelf(desk: Desk, tmp_path: Path) -> Shelf:
    shelf = Shelf(desk, tmp_path)
    shelf.play_week()
    shelf.on_sunday()
    return shelf


def asked(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> RecordArchive:
    """Let the week be archived up to the question to the writer; return that."""
    commands: list[RecordArchive] = []

    def hear(command: RecordArchive) -> Outcome:
        commands.append(command)
        return Outcome(command.id, {})

    with monkeypatch.context() as patch:
        patch.setattr(shelf, "ask", hear)
        # What is not recorded stays due, so one look is enough.
        archiver = shelf.archiver()
        found = archiver._next()
        assert found is not None
        archiver._archive(*found)
    return commands[0]


WRONG: list[dict[str, Any]] = [
    {"first_commit": 2},
    {"cut_commit": 10**6},
    {"last_commit": 10**6, "cut_commit": 1},
    {"cut_hash": "1" * 64},
    {"last_hash": "1" * 64},
    {"cut_seq": 10**6},
    {"cut_entry": "7" + "Z" * 25},
]


@pytest.mark.parametrize("change", WRONG, ids=lambda change: next(iter(change)))
def test_what_does_not_fit_is_refused(shelf: Shelf, monkeypatch: pytest.MonkeyPatch, change: dict[str, Any]) -> None:
    command = asked(shelf, monkeypatch)
    outcome = shelf.desk.do(structs.replace(command, id=shelf.desk.new_id(), **change))[0]
    assert outcome.code == "INVALID_REQUEST", outcome
    assert shelf.live("archives") == []
    assert shelf.faults() == []


def test_a_week_is_recorded_once(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    command = asked(shelf, monkeypatch)
    desk = shelf.desk
    first = desk.do(command)[0]
    again = desk.do(structs.replace(command, id=desk.new_id()))[0]
    other = desk.do(structs.replace(command, id=desk.new_id(), manifest="{}"))[0]
    assert (first.code, again.code, other.code) == (None, None, "REFERENCE_USED")
    assert again.data["repeat"]
    assert len(shelf.live("archives")) == 1


def test_a_running_writer_lets_go_of_what_is_recorded(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jobs.writer.main.TRIM_LOOK_MS", 10)
    shelf.archiver().run()
    assert shelf.live("bets") != []
    shelf.desk.database.close()
    process = new_process(shelf.settings)
    with running(process):
        reader = open_reader(shelf.settings.database)
        wait_until(lambda: reader.execute("SELECT count(*) FROM bets WHERE seq <= (SELECT cut_seq FROM cut)") == [(0,)])
        wait_until(lambda: reader.execute("SELECT count(*) FROM opening_balances") != [(0,)])
        reader.close()
