"""Databases that are brought to the commands: each is refused in one sentence, with its path, and exit code 2."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.jobs.signed_play import SignedPlay
from tests.jobs.writer_desk import PRICE_CENTS
from tests.runtime.auth.logins import WALLET
from tests.taptrade.office import Office

Spoil = Callable[[Path], object]


@pytest.fixture
def bet_id(office: Office, play: SignedPlay) -> str:
    """Return a settled bet."""
    placed = play.place()
    play.end(PRICE_CENTS)
    return placed


def commands(bet_id: str) -> list[tuple[str, ...]]:
    reference = ("--reference", "r", "--who", "ann", "--why", "drill")
    return [
        ("audit",),
        ("explain", bet_id),
        ("explain", bet_id, "--json"),
        ("dispute", WALLET),
        ("dispute", WALLET, "--verify", "--json"),
        ("withdrawal", "list", "--json"),
        ("deposit", WALLET, "100", *reference, "--json"),
        ("migrate",),
    ]


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        pytest.param(lambda path: path.write_bytes(b""), "is an empty file", id="empty"),
        pytest.param(lambda path: path.write_bytes(os.urandom(9_999)), "file is not a database", id="binary"),
        pytest.param(lambda path: os.truncate(path, 9_999), "database disk image is malformed", id="cut"),
        pytest.param(lambda path: (path.unlink(), path.mkdir()), "Is a directory", id="folder"),
    ],
)
@pytest.mark.parametrize("name", ["taptrade.db", "ticks.db"])
def test_a_database_that_cannot_be_read_is_told_by_every_command(
    office: Office, bet_id: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, spoil: Spoil, said: str
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    office.desk.database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    for file in ("taptrade.db", "ticks.db"):
        shutil.copy(tmp_path / file, elsewhere / file)
    monkeypatch.setenv("TAPTRADE_DATA", str(elsewhere))
    spoil(elsewhere / name)
    told = {arguments: office.run(*arguments) for arguments in commands(bet_id)}
    concerned = [
        one
        for arguments, one in told.items()
        if name == "taptrade.db" or arguments[0] in ("explain", "migrate") or "--verify" in arguments
    ]
    assert len(concerned) == (len(told) if name == "taptrade.db" else 4)
    for one in concerned:
        assert (one.code, one.out) == (2, "")
        [line] = one.err.splitlines()
        found = json.loads(line)["detail"] if line.startswith("{") else line.removeprefix("taptrade: ")
        assert found.startswith(f"{elsewhere / name} ")
        assert said in found
    assert all(one.code == 0 for one in told.values() if one not in concerned)


def test_ticks_that_are_missing_are_not_missed(office: Office, bet_id: str, tmp_path: Path) -> None:
    (tmp_path / "ticks.db").unlink()
    assert office.run("explain", bet_id).code == 0


def test_damage_deep_in_the_books_is_told_in_a_sentence(office: Office, bet_id: str, tmp_path: Path) -> None:
    office.desk.database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    path = tmp_path / "taptrade.db"
    with path.open("r+b") as file:
        file.seek(3 * 4096)
        file.write(bytes(path.stat().st_size - 4 * 4096))
    said = office.run("audit")
    assert (said.code, said.err) == (
        2,
        f"taptrade: {path} cannot be used: database disk image is malformed\n",
    )
