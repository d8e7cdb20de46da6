"""The app for developers: a changed function answers the next request, and what is broken is said in every answer."""

from __future__ import annotations

import logging
import os
import shutil
import signal
from pathlib import Path
from typing import Any, cast

import pytest
from falcon import testing

from runtime.clock import ManualClock
from runtime.settings import load
from runtime.wiring import Prepared
from taptrade import dev_app
from taptrade.dev_app import ReloadingApp
from taptrade.processes import PROCESSES, RELOAD, supervisor_config
from tests.runtime.web.sample_app import GOOD, build

SAYS = """from __future__ import annotations

import msgspec

from runtime.function import Call, FunctionSettings, function


class Own(FunctionSettings, frozen=True):
    times: int


class Said(msgspec.Struct):
    times: int


@function("GET", "/api/says", auth="none", summary="Say it", response=Said, settings=Own)
def says(call: Call[None]) -> Said:
    return Said(call.own_settings(Own).times)
"""
BEAT = """from __future__ import annotations

from runtime.triggers import Event, FunctionSettings, Run, every


class Own(FunctionSettings, frozen=True):
    other: int = 0


@every("1 min", settings=Own)
def beat(run: Run[None]) -> None:
    'Beat.'
"""


class Changes:
    """A watch that the test lets see changes."""

    def __init__(self, *, also: list[Path], **_: Any) -> None:
        self.files: list[Path] = []
        [self.given] = also

    def changed(self) -> list[Path]:
        """Return them once."""
        files, self.files = self.files, []
        return files


class Workbench:
    """An app under development, over a folder of functions."""

    def __init__(self, folder: Path, clock: ManualClock) -> None:
        self.folder = folder
        parts = type("Parts", (), {"clock": clock, "settings": load({"TAPTRADE_DATA": str(folder.parent)})})
        self.app = ReloadingApp(Prepared(cast("Any", parts), self.build))
        self.watch = cast("Changes", self.app._watch)
        self.client = testing.TestClient(cast("Any", self.app))

    def build(self, functions: Any, given: Any) -> Any:
        """Build the app, with what stands around the samples."""
        return build(tuple(functions), function_settings=given).client.app

    def write(self, name: str, source: str) -> None:
        """Write a function, and have it seen."""
        (self.folder / name).write_text(source)
        self.change(self.folder / name)

    def give(self, text: str) -> None:
        """Give the functions settings, and have them seen."""
        self.watch.given.touch(0o600)
        self.watch.given.write_text(text)
        self.change(self.watch.given)

    def change(self, *files: Path) -> None:
        """Let files change, and have them seen."""
        self.watch.files = list(files)
        self.app.look()

    def answer(self, path: str = "/api/greet?name=you") -> tuple[int, str]:
        """Return the status of an answer, and what it says is wrong."""
        answer = self.client.simulate_get(path)
        return answer.status_code, answer.json.get("detail", "")


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clock: ManualClock) -> Workbench:
    """Return an app under development, of two of the samples."""
    folder = tmp_path / "functions"
    folder.mkdir()
    for name in ("greet.py", "trouble.py"):
        shutil.copy(GOOD / name, folder)
    monkeypatch.setattr("runtime.function_files.functions_folder", lambda: folder)
    monkeypatch.setattr(dev_app, "functions_folder", lambda: folder)
    monkeypatch.setattr(dev_app, "Watch", Changes)
    monkeypatch.setattr(dev_app, "forget", lambda _: None)
    return Workbench(folder, clock)


def test_what_is_broken_is_the_answer_until_it_is_mended(bench: Workbench) -> None:
    sound = (bench.folder / "greet.py").read_text()
    assert bench.answer() == (200, "")
    bench.write("greet.py", "def\n")
    assert bench.answer() == (500, f"{bench.folder}/greet.py: syntax error in line 1: invalid syntax")
    bench.write("greet.py", sound)
    assert bench.answer() == (200, "")


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ("Rum[None]", "line 11: the annotations of beat cannot be read: name 'Rum' is not defined"),
        ("Run[Event]", "line 11: beat must take the run and say what it returns: write (run: Run[None]) -> ..."),
    ],
)
def test_what_no_request_starts_is_checked_as_a_start_does(
    bench: Workbench, caplog: pytest.LogCaptureFixture, wrong: str, reason: str
) -> None:
    bench.write("beat.py", BEAT.replace("Run[None]", wrong))
    assert caplog.messages == [f"{bench.folder}/beat.py: {reason}"]
    assert bench.answer() == (500, caplog.messages[0])


def test_a_setting_that_lacks_is_told_and_is_the_answer_of_its_endpoint_alone(
    bench: Workbench, caplog: pytest.LogCaptureFixture
) -> None:
    bench.write("says.py", SAYS)
    lacking = f"{bench.folder}/says.py: says lacks its setting `times`: see [says] in {bench.watch.given}"
    assert caplog.messages == [lacking]
    assert bench.answer("/api/says") == (500, lacking)
    assert bench.answer() == (200, "")
    assert caplog.messages == [lacking]
    bench.give("[says]\ntimes = 5\n")
    assert bench.client.simulate_get("/api/says").json == {"times": 5}


def test_a_setting_that_a_schedule_lacks_is_told(bench: Workbench, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger=dev_app.logger.name)
    bench.write("beat.py", BEAT)
    bench.write("beat.py", BEAT.replace("other: int = 0", "other: int"))
    assert caplog.messages == [
        "beat.py in use after 0 ms",
        f"{bench.folder}/beat.py: beat lacks its setting `other`: see [beat] in {bench.watch.given}",
    ]
    assert bench.answer() == (200, "")


def test_settings_that_no_function_takes_are_told_once(bench: Workbench, caplog: pytest.LogCaptureFixture) -> None:
    bench.write("beat.py", BEAT)
    bench.give("[baet]\nother = 5\n")
    bench.write("beat.py", BEAT)
    assert caplog.messages == [f"{bench.watch.given}: no function takes the settings of [baet]"]


def test_a_crash_is_answered_with_its_file_and_line(bench: Workbench) -> None:
    status, detail = bench.answer("/api/trouble/crash")
    assert (status, detail.startswith(f"{bench.folder}/trouble.py, line 20: ZeroDivisionError: ")) == (500, True)


def test_an_answer_that_is_none_is_told_with_the_file_of_its_function(bench: Workbench) -> None:
    status, detail = bench.answer("/api/trouble/text")
    assert status == 500
    assert detail.startswith(f"{bench.folder}/trouble.py, line 16 (met in ")
    assert detail.endswith(
        "TypeError: trouble in functions/trouble.py returned str; return a Struct, Reply, Stream or None"
    )


def test_another_file_that_changed_begins_the_whole_process_anew(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[tuple[int, int]] = []
    monkeypatch.setattr(os, "kill", lambda pid, number: sent.append((pid, number)))
    bench.change(bench.folder / "greet.py", bench.watch.given)
    assert sent == []
    bench.change(Path(dev_app.__file__))
    assert sent == [(os.getppid(), signal.SIGTERM)]


def test_every_process_of_a_developers_run_is_told_to_begin_anew(tmp_path: Path) -> None:
    settings = load({"TAPTRADE_DATA": str(tmp_path)})
    assert supervisor_config(settings, embedded_redis=True).count(RELOAD) == 0
    config = supervisor_config(settings, embedded_redis=True, reload=True)
    assert config.count(RELOAD) == len(PROCESSES) - 1  # there is no replica
