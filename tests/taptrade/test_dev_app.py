"""The app for developers: a changed function answers the next request, and what is broken is said in every answer."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any, cast

import pytest
from falcon import testing

from runtime.clock import ManualClock
from runtime.function_files import DiscoveryError, functions_folder
from runtime.settings import load
from runtime.web.discovery import discover
from runtime.wiring import Prepared
from taptrade import dev_app
from taptrade.dev_app import ReloadingApp
from taptrade.processes import PROCESSES, RELOAD, supervisor_config
from tests.runtime.web.sample_app import GOOD, build

FUNCTION = functions_folder().resolve() / "time.py"


class Changes:
    """A watch that the test lets see changes."""

    def __init__(self, **_: Any) -> None:
        self.files: list[Path] = []

    def changed(self) -> list[Path]:
        """Return them once."""
        files, self.files = self.files, []
        return files


class Workbench:
    """An app under development, whose next build may be broken."""

    def __init__(self, clock: ManualClock) -> None:
        self.broken = ""
        parts = type("Parts", (), {"clock": clock})
        self.app = ReloadingApp(Prepared(cast("Any", parts), self.build))
        self.watch = cast("Changes", self.app._watch)
        self.client = testing.TestClient(cast("Any", self.app))

    def build(self) -> Any:
        """Build the app of the samples, unless a file is broken."""
        if self.broken:
            raise DiscoveryError("functions/x.py", self.broken)
        return build(discover(GOOD)).client.app

    def change(self, *files: Path) -> None:
        """Let files change, and have them seen."""
        self.watch.files = list(files)
        self.app.look()


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch, clock: ManualClock) -> Workbench:
    """Return an app under development."""
    monkeypatch.setattr(dev_app, "Watch", Changes)
    monkeypatch.setattr(dev_app, "forget", lambda _: None)
    return Workbench(clock)


def test_what_is_broken_is_the_answer_until_it_is_mended(bench: Workbench) -> None:
    assert bench.client.simulate_get("/api/greet?name=you").status_code == 200
    bench.broken = "line 3: syntax error"
    assert bench.client.simulate_get("/api/greet?name=you").status_code == 200
    bench.change(FUNCTION)
    answer = bench.client.simulate_get("/api/greet?name=you")
    assert (answer.status_code, answer.json["detail"]) == (500, "functions/x.py: line 3: syntax error")
    bench.broken = ""
    bench.change(FUNCTION)
    assert bench.client.simulate_get("/api/greet?name=you").status_code == 200


def test_a_crash_is_answered_with_its_file_and_line(bench: Workbench) -> None:
    answer = bench.client.simulate_get("/api/trouble/crash")
    assert answer.status_code == 500
    assert "trouble.py, line " in answer.json["detail"]


def test_another_file_that_changed_begins_the_whole_process_anew(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[tuple[int, int]] = []
    monkeypatch.setattr(os, "kill", lambda pid, number: sent.append((pid, number)))
    bench.change(FUNCTION)
    assert sent == []
    bench.change(FUNCTION.parents[1] / "runtime" / "clock.py")
    assert sent == [(os.getppid(), signal.SIGTERM)]


def test_every_process_of_a_developers_run_is_told_to_begin_anew(tmp_path: Path) -> None:
    settings = load({"TAPTRADE_DATA": str(tmp_path)})
    assert supervisor_config(settings, embedded_redis=True).count(RELOAD) == 0
    config = supervisor_config(settings, embedded_redis=True, reload=True)
    assert config.count(RELOAD) == len(PROCESSES) - 1  # there is no replica
