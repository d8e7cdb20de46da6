"""A data folder of any name, reached by a link: all starts, a player finds it without being told, and all stops."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from taptrade import running, sockets
from tests.acceptance.system import System

ODD = "my [best] games #1; 50% of 'them' are \"won\", and the path is longer than that of any socket may be"


@pytest.mark.acceptance
@pytest.mark.timeout(180)
def test_a_game_is_played_in_a_folder_of_any_name(tmp_path: Path) -> None:
    (tmp_path / ODD).mkdir()
    (tmp_path / "a link").symlink_to(tmp_path / ODD)
    data = tmp_path / "a link" / ODD
    with System(data) as system:
        assert set(system.pids()) >= {"redis", "writer", "settler", "jobs", "scheduler", "feed", "dashboard", "api"}
        elsewhere = {name: value for name, value in system.variables.items() if not name.endswith("_PORT")}
        words = [sys.executable, "-P", "-m", "taptrade", "player", "--bets", "1", "--plain"]
        played = subprocess.run(words, env=elsewhere, capture_output=True, text=True, timeout=120, check=False)
        assert played.returncode == 0, played.stdout + played.stderr
        assert "1 bets settled" in played.stdout
        asked = [sys.executable, "-P", "-m", "taptrade", "alive"]
        for name in ("api", "dashboard", "jobs"):
            subprocess.run([*asked, name], env=elsewhere, timeout=30, check=True)
    assert running.find(data) is None
    assert not sockets.folder_of(data / "run").exists(), "a run leaves nothing outside its folder"
    assert "does not start" not in system.log.read_text()
