"""One way for all measurements: folder, JSON, document, exit code."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest
from rich.console import Console

from loadtest import __main__ as command
from loadtest import measurement
from loadtest.measurement import Display, Found, Measurement, Trial, publish, run
from loadtest.processes import BenchFailed
from loadtest.report import NoMarkers
from loadtest.soak import MEASUREMENT, SHORTEST_S
from loadtest.system import Audit
from tests.loadtest.test_soak import soak

OPTIONS = {"minutes": 30.0, "rate": 500}


@pytest.fixture
def document(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "performance.md"
    log = "<!-- soak: series -->\n<!-- end of soak: series -->\n"
    path.write_text(f"a\n<!-- soak -->\nold\n<!-- end of soak -->\nb\n{log}")
    monkeypatch.setattr(measurement, "BUILD", tmp_path / "build")
    monkeypatch.setattr(measurement, "DOCUMENTS", (path,))
    (tmp_path / "build").mkdir()
    return path


def measured(found: Found, **how: Any) -> Measurement:
    def measure(trial: Trial, **_options: Any) -> Found:
        trial.machine, trial.audits = found["machine"], found["audits"]
        (trial.folder / "log").touch()
        return found

    return dataclasses.replace(MEASUREMENT, measure=measure, **{"nginx": "unused"} | how)


def test_section_goes_between_its_markers(document: Path) -> None:
    display = Display(Console(quiet=True))
    publish(MEASUREMENT, soak(count=30), display)
    assert "old" in document.read_text()
    publish(MEASUREMENT, soak(), display)
    text = document.read_text()
    assert text.startswith("a\n<!-- soak -->\n\n    make soak MINUTES=30 RATE=500\n\nMeasured on 2 CPUs")
    assert "every cent is there.\n\n<!-- end of soak -->\nb\n<!-- soak: series -->\n\n| series" in text
    document.write_text("")
    with pytest.raises(NoMarkers):
        publish(MEASUREMENT, soak(), display)


def test_figures_are_left_as_json_and_read_again(document: Path) -> None:
    found = soak(count=30)
    assert run(measured(found), OPTIONS) == 0
    assert msgspec.json.decode((document.parent / "build" / "soak.json").read_bytes()) == msgspec.to_builtins(found)
    assert [path.name for path in (document.parent / "build").iterdir()] == ["soak.json"]


@pytest.mark.parametrize("kept", [True, False])
def test_a_cent_that_is_missing_fails_and_may_leave_the_data(
    document: Path, kept: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    found = soak(count=30)
    found["audits"] = [Audit(False, "a cent is missing")]
    assert run(measured(found, keeps_data=kept), OPTIONS) == 1
    said = capsys.readouterr().out
    assert "the money does not add up" in said
    assert ("logs and data are left in" in said) is kept
    assert len([*(document.parent / "build").glob("soak-*")]) == int(kept)


def test_what_breaks_a_measurement_off_leaves_its_logs(document: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def fail(trial: Trial, begun: bool = False) -> Found:
        if begun:
            (trial.folder / "log").touch()
        raise BenchFailed("no bets")

    with pytest.raises(BenchFailed):
        run(Measurement("soak", fail, nginx="unused"), {})
    assert capsys.readouterr().out == ""
    with pytest.raises(BenchFailed):
        run(Measurement("soak", fail, nginx="unused"), {"begun": True})
    assert "logs and data are left in" in capsys.readouterr().out
    assert [path.name for path in (document.parent / "build").glob("soak-*/*")] == ["log"]


def test_without_nginx_players_meet_nothing_that_is_measured(
    document: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(measurement, "find_nginx", lambda: None)
    with pytest.raises(BenchFailed, match="nginx is not installed"):
        run(measured(soak(), nginx="needed"), OPTIONS)
    one = measured(soak(count=30), nginx="wanted")
    assert run(one, OPTIONS) == 0
    assert "the load goes to the API directly" in " ".join(capsys.readouterr().out.split())


def test_every_measurement_is_a_command_with_its_options(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, Mapping[str, Any]]] = []

    def note(one: Measurement, args: Mapping[str, Any]) -> int:
        asked.append((one.name, args))
        return 0

    monkeypatch.setattr(measurement, "run", note)
    assert command.main(["bench", "--rates", "300", "500"]) == 0
    assert command.main(["soak", "--minutes", "0.5", "--rate", "100"]) == 0
    assert command.main(["spike", "--rate", "900", "--connections", "50"]) == 0
    assert command.main(["streams", "--clients", "200"]) == 0
    assert command.main(["growth", "--rows", "20000"]) == 0
    assert command.main(["history", "--hours", "2"]) == 0
    assert command.main(["server", "--rounds", "1"]) == 0
    assert command.main(["guard", "--record", "--revision", "v0.2.0"]) == 0
    names, options = zip(*asked, strict=True)
    assert names == ("bench", "soak", "spike", "streams", "growth", "history", "server", "guard")
    assert options[0]["rates"] == [300, 500]
    assert (options[1]["minutes"], options[1]["rate"]) == (0.5, 100)
    assert (options[3]["clients"], options[3]["rate"], options[3]["seconds"]) == (200, 500, 30.0)
    assert (options[4]["rows"], options[4]["commits"]) == (20_000, 300)
    assert options[7] == {"record": True, "revision": "v0.2.0", "rounds": 6, "run": ""}


def test_nothing_measured_is_told_by_its_own_exit_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object) -> int:
        raise BenchFailed("no bets")

    monkeypatch.setattr(measurement, "run", fail)
    assert command.main(["soak"]) == 2
    assert capsys.readouterr().err == "soak: no bets\n"


def test_a_long_run_is_long() -> None:
    assert soak()["seconds"] >= SHORTEST_S > soak(count=30)["seconds"]
