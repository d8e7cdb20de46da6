"""The guard of releases: which ratios it holds, by which margins, and what it says without a record."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from rich.console import Console

from loadtest import guard
from loadtest.guard import GUARDED, MEASUREMENT, judge, measured
from loadtest.measurement import Display, Found, Trial, complaints_of
from loadtest.processes import BenchFailed
from loadtest.report import section
from release import ratios
from release.ratios import Recorded, told

LAST = Recorded("0123456789ab", "v0.2.0-1+abc", dict.fromkeys(GUARDED, 0.6))


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(guard, "ROOT", tmp_path)
    (tmp_path / "release").mkdir()
    return tmp_path


def run_of(root: Path, ratio: float) -> str:
    """Leave the figures of a run of `make bench AGAINST=REV`, all with one ratio; the file."""
    compared = [{"what": what, "ratio": ratio} for what in (*GUARDED, "settler us a bet at 1,000 bets/s")]
    file = root / "against.json"
    turns: Found = {"this build": [], "the other": []}
    file.write_bytes(msgspec.json.encode({"revision": LAST.revision, "turns": turns, "compared": compared}))
    return str(file)


def trial(root: Path) -> Trial:
    return Trial(root, Display(Console(quiet=True)))


def held(root: Path, ratio: float) -> Found:
    ratios.write(root, LAST)
    return measured(trial(root), run=run_of(root, ratio)) | {"audits": []}


def test_costs_and_memory_may_grow_by_a_twentieth_and_a_p99_by_three() -> None:
    found = judge(dict.fromkeys(GUARDED, 0.6 * 1.06), LAST)
    assert [one.what for one in found if one.is_worse] == [
        "server us a bet at 1,000 bets/s",
        "server us a bet at 3,000 bets/s",
        "own memory MB",
    ]
    assert not any(one.is_worse for one in judge(dict.fromkeys(GUARDED, 0.6 * 1.04), LAST))
    assert all(one.is_worse for one in judge(dict.fromkeys(GUARDED, 0.6 * 1.31), LAST))


def test_what_is_worse_is_complained_of_and_told(root: Path) -> None:
    found = held(root, 0.9)
    assert "server us a bet at 1,000 bets/s: 0.90, 1.50 times the 0.60 of v0.2.0-1+abc" in complaints_of(
        MEASUREMENT, found
    )
    assert section("guard", found).count("WORSE |") == len(GUARDED)
    assert complaints_of(MEASUREMENT, held(root, 0.62)) == []


def test_without_a_record_it_says_what_to_do(root: Path) -> None:
    with pytest.raises(BenchFailed, match="make bench-guard RECORD=1 AGAINST=REV"):
        measured(trial(root), run=run_of(root, 0.6))


def test_what_is_recorded_is_what_the_next_one_is_held_against(root: Path) -> None:
    measured(trial(root), record=True, run=run_of(root, 0.7))
    recorded = ratios.read(root)
    assert recorded is not None
    assert (recorded.revision, recorded.ratios) == (LAST.revision, dict.fromkeys(GUARDED, 0.7))
    assert "own memory MB: 0.70" in told(recorded)
    assert complaints_of(MEASUREMENT, measured(trial(root), run=run_of(root, 0.71)) | {"audits": []}) == []


def test_a_run_against_another_build_or_of_other_rates_is_refused(root: Path) -> None:
    file = run_of(root, 0.6)
    ratios.write(root, msgspec.structs.replace(LAST, revision="ba9876543210"))
    with pytest.raises(BenchFailed, match="was measured against 0123456789ab, not ba9876543210"):
        measured(trial(root), run=file)
    ratios.write(root, LAST)
    Path(file).write_bytes(msgspec.json.encode({"revision": LAST.revision, "turns": {}, "compared": []}))
    with pytest.raises(BenchFailed, match="not measured: server us a bet at 1,000 bets/s"):
        measured(trial(root), run=file)


def test_another_build_is_measured_against_only_to_be_recorded(root: Path) -> None:
    with pytest.raises(BenchFailed, match="goes with --record alone"):
        measured(trial(root), revision="v0.2.0")


def test_a_release_without_ratios_says_so(root: Path) -> None:
    assert ratios.read(root) is None
    assert "not held against another build" in told(None)
