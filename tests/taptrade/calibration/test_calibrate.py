"""The command: what it prints and writes, when a model passes, and what is refused in a sentence."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from taptrade.calibrate import main
from taptrade.cli import main as taptrade
from tests.taptrade.calibration.walks import START_MS, calm, wild, write_day, write_model

HERE = "tests.taptrade.calibration.walks"
PLAIN = "runtime.game.rewards:BrownianTouch"
ESTIMATE = {"bets", "return", "low", "high"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of recordings: a calm one, a wild one, and a short one."""
    found = tmp_path_factory.mktemp("recordings")
    write_day(found / "calm.csv", calm(1, 3.0))
    write_day(found / "wild.csv", wild(2, 3.0), START_MS + 2 * 86_400_000)
    write_day(found / "short.csv", calm(3, 0.5), START_MS + 86_400_000)
    return found


@pytest.fixture
def report_of(tmp_path: Path) -> Callable[..., tuple[int, dict[str, Any]]]:
    def run(*arguments: str | Path) -> tuple[int, dict[str, Any]]:
        out = tmp_path / "report.json"
        status = main([*map(str, arguments), "--out", str(out)])
        return status, json.loads(out.read_bytes())

    return run


def test_a_fair_model_passes(folder: Path, report_of: Any, capsys: pytest.CaptureFixture[str]) -> None:
    status, report = report_of(folder / "calm.csv", "--model", f"{HERE}:Knowing")
    assert (status, report["passes"], report["reasons"]) == (0, True, [])
    assert 0.8 < report["overall"]["return"] < 1
    assert "passes: knowing" in capsys.readouterr().out


def test_a_leaking_model_does_not(folder: Path, report_of: Any, capsys: pytest.CaptureFixture[str]) -> None:
    status, report = report_of(folder / "wild.csv", "--model", PLAIN)
    assert (status, report["passes"]) == (1, False)
    *_, last = report["buckets"]
    assert last["bets"] >= 300
    assert last["low"] > 0.95
    assert any("50x to 100x" in reason for reason in report["reasons"])
    assert any("long shots" in reason for reason in report["reasons"])
    told = capsys.readouterr().out.splitlines()
    assert [line for line in told if line.startswith("does not pass: ")] == [
        f"does not pass: {reason}" for reason in report["reasons"]
    ]


@pytest.mark.integration  # the first use of trees counts the cores by a process
def test_the_report_has_the_keys_that_readers_know(
    folder: Path, report_of: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("taptrade.calibration.adversary.ROWS_MAX", 20_000)
    model = write_model(folder / "model.json")
    status, report = report_of(
        folder / "calm.csv", "--model", model, "--trained-on", folder / "wild.csv", "--every-ms", "4000"
    )
    assert set(report["model"]) == {"id", "version"}
    assert set(report["overall"]) == ESTIMATE
    assert [(each["from"], each["to"]) for each in report["buckets"]] == [
        (1.05, 1.5),
        (1.5, 2.0),
        (2.0, 5.0),
        (5.0, 10.0),
        (10.0, 20.0),
        (20.0, 50.0),
        (50.0, 100.0),
    ]
    assert all(set(each) == {"from", "to"} | ESTIMATE for each in report["buckets"])
    assert [each["column"] for each in report["columns"]] == list(range(2, 13))
    assert 0.4 < report["offered_median"] <= 1
    assert len(report["rules"]) >= 16
    assert all(set(each) == {"name", "bets_a_day"} | ESTIMATE for each in report["rules"])
    starts = report["head_start"]
    assert {each["ahead_ms"] for each in starts} == {300}
    assert {(each["fill_delay_ms"], each["floor"], each["estimate"]) for each in starts} == {
        (delay, floor, estimate)
        for delay in (0, 250, 500, 1000)
        for floor in (0.97, None)
        for estimate in (1.1, 1.3, 2.0)
    }
    assert all(set(each) >= ESTIMATE and each["taps"] <= 10_000 for each in starts)
    assert set(report["adversary"]) >= {"share"} | ESTIMATE
    assert report["kind"]["fits"] is True
    assert [(each["name"], each["fitted_on"]) for each in report["files"]] == [("calm.csv", False)]
    # The hand-made model pays too much for long shots of a calm walk.
    assert (status, report["passes"]) == (1, False)
    assert any(said.startswith("cells at 50x to 100x returned") for said in report["reasons"])
    assert any(said.startswith("the adversary returned") for said in report["reasons"])


def test_another_fill_delay_is_played_and_judged(folder: Path, report_of: Any) -> None:
    _, report = report_of(folder / "short.csv", "--model", f"{HERE}:Knowing", "--fill-delay-ms", "700")
    assert report["fill_delay_ms"] == 700
    assert {each["fill_delay_ms"] for each in report["head_start"]} == {0, 250, 500, 700, 1000}


def test_too_little_is_no_evidence(folder: Path, report_of: Any) -> None:
    status, report = report_of(folder / "short.csv", "--model", f"{HERE}:Knowing")
    assert status == 1
    assert "fewer than 12 say nothing" in report["reasons"][0]


def test_a_feed_of_another_kind_does_not_pass(folder: Path, report_of: Any) -> None:
    model = write_model(folder / "fast.json", observed={"ticks_per_s": 3.0, "paused": 0.0})
    status, report = report_of(folder / "short.csv", "--model", model, "--every-ms", "20000")
    assert (status, report["kind"]["fits"]) == (1, False)
    assert report["reasons"][0].startswith(
        "short.csv is another kind of feed than the model's, made-up: it has 1 ticks"
    )


def test_without_a_model_for_the_kind_it_says_so(folder: Path, report_of: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("taptrade.calibration.candidate.SHIPPED", folder / "none")
    status, report = report_of(folder / "short.csv")
    assert (status, report["model"], report["passes"]) == (1, None, False)
    assert report["reasons"] == [
        "no model was fitted for this kind of feed: short.csv has 1 ticks a second, 0% of the time in pauses"
    ]


def test_the_shipped_model_of_the_nearest_kind_is_taken(
    folder: Path, tmp_path: Path, report_of: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("taptrade.calibration.candidate.SHIPPED", tmp_path)
    write_model(tmp_path / "a.json", kind="farther", observed={"ticks_per_s": 1.3, "paused": 0.0})
    write_model(tmp_path / "b.json", kind="nearer", observed={"ticks_per_s": 1.1, "paused": 0.0})
    _, report = report_of(folder / "short.csv", "--every-ms", "20000")
    assert report["model"]["version"].startswith("nearer-")


@pytest.mark.integration  # the first use of trees counts the cores by a process
def test_a_recording_of_the_fit_is_no_evidence(folder: Path, report_of: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("taptrade.calibration.adversary.ROWS_MAX", 5_000)
    common = (folder / "calm.csv", "--trained-on", folder / "wild.csv", "--every-ms", "20000", "--model")
    _, plain = report_of(*common, write_model(folder / "m.json"))
    [file] = plain["files"]
    source = {"name": "s.csv", "sha256": file["sha256"], "rows": 1, "from": file["from"], "to": file["to"]}
    status, report = report_of(*common, write_model(folder / "own.json", fitted_on=[source]))
    said = "calm.csv is a recording that the model was fitted on: what it returned here is no evidence"
    assert (status, report["passes"]) == (1, False)
    assert report["reasons"] == [said, *plain["reasons"]]
    assert [each["fitted_on"] for each in report["files"]] == [True]

    _, report = report_of(*common, write_model(folder / "part.json", fitted_on=[source | {"sha256": "0" * 64}]))
    assert report["reasons"][0].startswith("calm.csv is of the time of s.csv, which the model was fitted on")

    spans = [[file["from"], file["to"]]]
    _, report = report_of(*common, write_model(folder / "left.json", fitted_on=[source], left_out=spans))
    assert report["reasons"] == plain["reasons"]
    assert [each["fitted_on"] for each in report["files"]] == [False]


def test_the_days_that_are_judged_teach_no_adversary(folder: Path, report_of: Any) -> None:
    _, plain = report_of(folder / "short.csv", "--model", write_model(folder / "m.json"), "--every-ms", "20000")
    [file] = plain["files"]
    source = {"name": "s.csv", "sha256": file["sha256"], "rows": 1, "from": file["from"], "to": file["to"]}
    model = write_model(folder / "own.json", fitted_on=[source])
    _, report = report_of(folder / "short.csv", "--model", model, "--every-ms", "20000")
    assert report["adversary"] is None
    assert any("no adversary was trained: there are no days of the fit" in said for said in report["skipped"])


def test_days_of_the_fit_that_are_not_at_hand_are_named(folder: Path, report_of: Any) -> None:
    source = {"name": "far.csv", "sha256": "0" * 64, "rows": 1, "from": "2026-01-06T00:00:00.000Z"}
    model = write_model(folder / "far.json", fitted_on=[source | {"to": "2026-01-07T00:00:00.000Z"}])
    _, report = report_of(folder / "short.csv", "--model", model, "--every-ms", "20000")
    assert report["adversary"] is None
    assert report["skipped"] == [
        "no adversary was trained: far.csv of the fit's days is not at hand; --trained-on names it"
    ]


def test_a_picture_is_drawn(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "report.png"
    main([str(folder / "short.csv"), "--model", f"{HERE}:Knowing", "--png", str(out)])
    assert out.read_bytes().startswith(b"\x89PNG")
    assert out.stat().st_size < 200_000


def test_without_a_report_no_picture_is_drawn_and_it_says_so(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("taptrade.calibration.candidate.SHIPPED", tmp_path)
    out = tmp_path / "report.png"
    assert main([str(folder / "short.csv"), "--png", str(out)]) == 1
    assert f"note: nothing was drawn to {out}: there is no report without a model\n" in capsys.readouterr().out
    assert not out.exists()


JUNK: list[Any] = [
    pytest.param(["{folder}/none.csv"], "none.csv", id="no file"),
    pytest.param(["{folder}/junk.csv"], "junk.csv:1", id="no recording"),
    pytest.param(["{folder}"], "is a folder", id="folder"),
    pytest.param(["{folder}/short.csv", "--model", "{folder}/junk.json"], "is no JSON", id="no model"),
    pytest.param(["{folder}/short.csv", "--model", "{folder}/none.json"], "none.json", id="no model file"),
    pytest.param(["{folder}/short.csv", "--model", "{folder}/bent.json"], "lacks or bends 'observed'", id="bent"),
    pytest.param(["{folder}/short.csv", "--model", "no.such:Model"], "cannot import no.such", id="no class"),
    pytest.param(["{folder}/short.csv", "--out", "{folder}/none/x.json"], "no such folder", id="no folder"),
    pytest.param(["{folder}/short.csv", "--fill-delay-ms", "-1"], "must be between 0 and 10000", id="delay"),
    pytest.param([], "required: FILE", id="no arguments"),
]


@pytest.mark.parametrize(("arguments", "sentence"), JUNK)
def test_what_cannot_be_read_is_refused_in_a_sentence(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], sentence: str
) -> None:
    (folder / "junk.csv").write_text("junk\n")
    (folder / "junk.json").write_text("junk\n")
    write_model(folder / "bent.json", observed=None)
    bent = json.loads((folder / "bent.json").read_bytes())
    del bent["observed"]
    (folder / "bent.json").write_text(json.dumps(bent))
    try:
        status = taptrade(["calibrate", *(each.format(folder=folder) for each in arguments)])
    except SystemExit as ex:
        status = int(ex.code or 0)
    told = capsys.readouterr().err
    assert status == 2
    assert sentence in told
    assert "Traceback" not in told
