"""A started system for the documents' commands, with columns of one second; and a checkout for those of developers."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from runtime.storage.database import open_reader
from tests.acceptance.system import System
from tests.docs import docker_stand_in
from tests.docs.shell import run
from tests.docs.tables import ROOT
from tests.interpreter import preferring

COPIED = ("functions", "tests", "docs", "changes")
SKIPPED = (".pytest_cache",)
PLAY = ".venv/bin/taptrade player --bets 1 --quiet"


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """Run the whole system as `make run` does; it must stop cleanly in the end."""
    folder = tmp_path_factory.mktemp("house")
    with System(folder / "data", replica_url=str(folder / "elsewhere"), records_kept_days="0") as system:
        yield system


@dataclass(frozen=True, slots=True)
class Played:
    """A bet that was played to its end."""

    id: str
    wallet: str
    column_start_s: int


@pytest.fixture(scope="session")
def bet(house: System, tmp_path_factory: pytest.TempPathFactory) -> Played:
    """Let the player place one bet and wait for its result."""
    run([PLAY], tmp_path_factory.mktemp("player"), house.environment)
    reader = open_reader(house.data / "taptrade.db")
    rows = reader.execute(
        "SELECT bets.id, wallet_address, column_start_s FROM bets JOIN users ON users.id = user_id"
        " WHERE resolved_commit IS NOT NULL ORDER BY bets.seq DESC LIMIT 1"
    )
    reader.close()
    return Played(*rows[0])


@pytest.fixture
def place(house: System, tmp_path: Path) -> dict[str, str]:
    """Return the environment of an operator, with a `docker` that stands in for one."""
    docker = tmp_path / "bin" / "docker"
    docker.parent.mkdir()
    docker.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{docker_stand_in.__file__}" "$@"\n')
    docker.chmod(0o755)
    return house.environment | {"PATH": f"{docker.parent}:{os.environ['PATH']}"}


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Return a checkout whose functions, tests and documents may be written, with an environment for it."""
    root = tmp_path / "project"
    root.mkdir()
    for path in ROOT.iterdir():
        if path.name in COPIED:
            shutil.copytree(path, root / path.name, ignore=shutil.ignore_patterns(*SKIPPED))
        elif path.suffix == ".md":
            shutil.copy(path, root)
        elif not path.name.startswith(".") and path.name not in ("build", "data"):
            (root / path.name).symlink_to(path)
    python = preferring(root, root / ".venv")
    command = root / ".venv" / "bin" / "taptrade"
    command.write_text(f'#!/bin/sh\nexec {python} -I -u -m taptrade "$@"\n')
    command.chmod(0o755)
    return root
