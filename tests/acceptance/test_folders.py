"""A data folder of any name, reached by a link: all starts, a player finds it without being told, and all stops."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from taptrade import running, sockets
from tests.acceptance.system import System

ODD = "my [best] games #1; 50% of 'them': \"won\" \\ and the path is longer than that of any socket may be"
NEIGHBOURS = (ODD.partition(" #")[0], ODD.partition(";")[0])
"""Where the path would end for who takes ` #` or `;` for the begin of a comment."""


@pytest.mark.acceptance
@pytest.mark.timeout(180)
def test_a_game_is_played_in_a_folder_of_any_name(tmp_path: Path) -> None:
    (tmp_path / ODD).mkdir()
    (tmp_path / "a link").symlink_to(tmp_path / ODD)
    for name in NEIGHBOURS:
        (tmp_path / ODD / name).write_text("another's")
    data = tmp_path / "a link" / ODD
    # `::` is every address of both kinds; ours are asked at 127.0.0.1, and a player finds out by itself.
    with System(data, host="::" if socket.has_ipv6 else "0.0.0.0") as system:  # noqa: S104
        assert set(system.pids()) >= {
            "redis",
            "writer",
            "settler",
            "jobs",
            "scheduler",
            "functions",
            "feed",
            "dashboard",
            "api",
        }
        elsewhere = {name: value for name, value in system.variables.items() if not name.endswith("_PORT")}
        words = [sys.executable, "-I", "-m", "taptrade", "player", "--bets", "1", "--plain"]
        played = subprocess.run(words, env=elsewhere, capture_output=True, text=True, timeout=120, check=False)
        assert played.returncode == 0, played.stdout + played.stderr
        assert "1 bets settled" in played.stdout
        assert system.is_well()
        asked = [sys.executable, "-I", "-m", "taptrade", "alive"]
        for name in ("api", "dashboard", "jobs"):
            subprocess.run([*asked, name], env=elsewhere, timeout=30, check=True)
    assert running.find(data) is None
    assert not sockets.folder_of(data / "run").exists(), "a run leaves nothing outside its folder"
    assert "does not start" not in system.log.read_text()
    assert sorted(path.name for path in (tmp_path / ODD).iterdir()) == sorted([*NEIGHBOURS, ODD, f"{ODD}.up.log"])
    assert {(tmp_path / ODD / name).read_text() for name in NEIGHBOURS} == {"another's"}
