"""The fit: slopes that are the loss' own, numbers that make a model, and what is offered by which evidence."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from runtime.clock import rfc3339
from runtime.market.models import built, read_document, version_of
from taptrade.calibration import fit as fitting
from taptrade.calibration import training
from taptrade.calibration.days import Day
from taptrade.calibration.fit import FitError, Fitted, Plan, _check_apart, fit, written
from taptrade.calibration.fit_command import main
from taptrade.calibration.moments import Pricer, moments_of
from taptrade.calibration.network import Network, correction_of, logistic, mixture
from taptrade.calibration.offered import Evidence, _doubt_bp, _judged, with_own_excess
from taptrade.calibration.recalibration import Sample, recalibration_of
from taptrade.calibration.returns import BLOCK_MS, Estimate, Tally
from taptrade.calibration.training import Form
from taptrade.cli import main as taptrade
from tests.taptrade.calibration.walks import RULES, START_MS, day_of, unheard, wild, write_day

DAY_MS = 86_400_000
PLAN = Plan("made-up", RULES, 500, 100, (), 1, Form(units=4, decay=1e-3))


@pytest.fixture(scope="module")
def days(tmp_path_factory: pytest.TempPathFactory) -> list[Day]:
    folder = tmp_path_factory.mktemp("days")
    return [day_of(folder / f"{number}.csv", wild(number, 2.0), START_MS + number * DAY_MS) for number in range(2)]


@pytest.fixture(scope="module")
def fitted(days: list[Day]) -> Fitted:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(training, "ROUNDS", 4)
        patched.setattr(fitting, "JUDGE_EVERY_MS", 4_000)
        return fit(days, PLAN, unheard)


def changed(fitted: Fitted, **changes: Any) -> dict[str, Any]:
    """Return the document with other values, under the version that is theirs."""
    document = fitted.document | changes
    return document | {"version": version_of(document)}


def test_the_slopes_are_those_of_the_weighted_loss() -> None:
    random = np.random.default_rng(3)
    parts = training.PARTS
    out, turning = random.normal(0, 0.7, (5, 3 * parts)), random.normal(0, 0.4, (5, 2 * parts))
    low = np.sort(random.normal(0, 1.5, (5, 7)), axis=1)
    high, touched = low + 0.3, random.random((5, 7)) < 0.4
    p = np.clip(mixture(out, turning, low, high), 1e-6, 1 - 1e-6)
    stake = np.minimum(1.0, (p / training.PRICED_MIN) ** 2) / np.maximum(p, training.PRICED_MIN)

    def loss(out: Any, turning: Any) -> float:
        q = np.clip(mixture(out, turning, low, high), 1e-6, 1 - 1e-6)
        return float((-stake * np.where(touched, np.log(q), np.log(1 - q))).sum() / stake.sum())

    slopes = training._slopes(out, turning, low, high, touched)
    for given, found in zip((out, turning), slopes, strict=True):
        for index in np.ndindex(given.shape):
            moved = [each.copy() for each in (out, turning)]
            where = moved[0] if given is out else moved[1]
            where[index] += 1e-5
            more = loss(*moved)
            where[index] -= 2e-5
            assert found[index] == pytest.approx((more - loss(*moved)) / 2e-5, rel=2e-3, abs=2e-6)


def test_what_is_fitted_is_a_model_and_the_arrays_are_the_same_one(days: list[Day], fitted: Fitted) -> None:
    everywhere = {"rates_bp": [[10_500, 1_000_001, 100]], "columns": list(range(2, 13)), "levels": [[-99, 99]]}
    document = changed(fitted, offered=everywhere)
    model = built(document, RULES, 500, Path("made-up.json"))
    moments = moments_of(days[0], RULES, 10_000, 7)
    pricer = Pricer(model, Network(document, 500))
    pricer.check(moments)
    assert (pricer.rates_bp(moments) > 0).mean() > 0.3


def test_arrays_that_say_something_else_are_noticed(days: list[Day], fitted: Fitted) -> None:
    everywhere = {"rates_bp": [[10_500, 1_000_001, 100]], "columns": list(range(2, 13)), "levels": [[-99, 99]]}
    document = changed(fitted, offered=everywhere)
    other = document | {"recalibration": [0.1, 0.0, 0.0, 0.0]}
    pricer = Pricer(built(document, RULES, 500, Path("made-up.json")), Network(other, 500))
    with pytest.raises(ValueError, match="the model gives"):
        pricer.check(moments_of(days[0], RULES, 10_000, 7))


def test_days_left_out_are_judged_by_fits_without_them(days: list[Day], fitted: Fitted) -> None:
    assert [(len(train), [part[0].day.name for part in judge]) for train, judge in fitted.attacks] == [
        (1, ["0.csv"]),
        (1, ["1.csv"]),
    ]
    assert [train[0][0].day.name for train, _ in fitted.attacks] == ["1.csv", "0.csv"]
    assert {each.sha256 for each in days} == {each["sha256"] for each in fitted.document["fitted_on"]}
    assert fitted.document["left_out_by"] == "day"


def test_the_same_days_and_seed_give_the_same_numbers(days: list[Day], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "ROUNDS", 1)
    monkeypatch.setattr(fitting, "JUDGE_EVERY_MS", 20_000)
    one, two = (written(fit(days, PLAN, unheard).document) for _ in range(2))
    assert one == two
    assert json.loads(one)["version"].startswith("made-up-")


def test_the_version_is_that_of_what_rates_depend_on(fitted: Fitted) -> None:
    document = fitted.document
    assert version_of(document | {"evidence": [], "report": {}}) == document["version"]
    changes: list[dict[str, Any]] = [{"recalibration": [0.0, 0.0, 0.0, 0.0]}, {"kind": "other"}, {"offered": {}}]
    for change in changes:
        assert version_of(document | change) != document["version"]


@pytest.mark.parametrize(
    ("returned", "spread", "width_max", "offered"),
    [
        pytest.param(0.95, 0.3, 0.05, True, id="fair and well known"),
        pytest.param(0.95, 3.0, 0.05, False, id="fair and badly known"),
        pytest.param(0.95, 0.7, 0.1, True, id="badly known, where that is borne"),
        pytest.param(1.02, 0.2, 0.05, False, id="too much"),
        pytest.param(0.85, 0.2, 0.05, False, id="too little"),
    ],
)
def test_it_is_offered_what_the_evidence_speaks_for(
    returned: float, spread: float, width_max: float, offered: bool
) -> None:
    tally = Tally()
    for block in range(200):
        tally.add(
            np.array([block * BLOCK_MS]), np.array([100.0]), np.array([100 * (returned + spread * (block % 2 - 0.5))])
        )
    assert _judged("", tally, 0.95, width_max).offered is offered


def test_nothing_is_offered_without_a_bet() -> None:
    assert _judged("", Tally(), 0.95, 0.1).offered is False


@pytest.mark.parametrize(
    ("value", "low", "high", "kept_bp"),
    [
        pytest.param(0.95, 0.91, 0.99, 0, id="well known"),
        pytest.param(0.97, 0.94, 1.01, 0, id="well known, and perhaps above 1"),
        pytest.param(0.97, 0.91, 1.03, 300, id="badly known, and perhaps above 1"),
        pytest.param(0.93, 0.87, 0.99, 0, id="badly known, and surely below 1"),
    ],
)
def test_doubt_is_kept_back_where_little_is_known(value: float, low: float, high: float, kept_bp: int) -> None:
    found = _doubt_bp(Evidence("", Estimate(1000, value, low, high, 100), offered=True))
    assert found == pytest.approx(kept_bp, abs=1)


def test_the_recalibration_finds_what_was_done() -> None:
    random = np.random.default_rng(5)
    numbers = np.array([-0.15, -0.08, 0.1, -0.05])
    forecast, opens_s = random.uniform(0.02, 0.7, 400_000), random.uniform(5, 60, 400_000)
    log_odds, by = correction_of(forecast, opens_s)
    touched = random.random(400_000) < logistic(log_odds + by @ numbers)
    assert recalibration_of([Sample(forecast, opens_s, touched)]) == pytest.approx(numbers.tolist(), abs=0.05)


@pytest.mark.integration  # the first use of trees counts the cores by a process
def test_a_fit_of_one_recording_is_written_and_is_no_proof(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(training, "ROUNDS", 1)
    monkeypatch.setattr(fitting, "FOLDS", 2)
    monkeypatch.setattr(fitting, "JUDGE_EVERY_MS", 10_000)
    monkeypatch.setattr("taptrade.calibration.adversary.ROWS_MAX", 5_000)
    recording = write_day(tmp_path / "one.csv", wild(4, 2.5))
    out = tmp_path / "model.json"
    assert main([str(recording), "--kind", "made-up", "--out", str(out), "--units", "2"]) == 1
    document = read_document(out)
    assert document["report"]["passes"] is False
    assert "does not pass: it was fitted on one recording" in capsys.readouterr().out
    assert document["fitted_on"][0]["name"] == "one.csv"
    assert document["form"]["units"] == 2


def _leave_out(hours: int) -> str:
    return f"--leave-out={rfc3339(START_MS)}/{rfc3339(START_MS + hours * 3_600_000)}"


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        pytest.param(["one.csv", "again.csv"], "again.csv is the same recording as one.csv", id="the same"),
        pytest.param(["other.csv", "within.csv"], "other.csv and within.csv are of the same time", id="within"),
        pytest.param(["later.csv", "one.csv"], "one.csv and later.csv are of the same time", id="overlapping"),
        pytest.param(["one.csv"], "one.csv is too short for a fit", id="too short"),
        pytest.param(["one.csv", "other.csv", _leave_out(1)], "something must be left", id="nothing left"),
        pytest.param(["one.csv", _leave_out(1)], "one.csv is too short for a fit", id="nothing left of one"),
    ],
)
def test_recordings_that_make_no_fit_are_refused_in_a_sentence(
    tmp_path: Path, arguments: list[str], reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("one.csv", "again.csv"):
        write_day(tmp_path / name, wild(1, 0.1))
    write_day(tmp_path / "later.csv", wild(2, 0.1), START_MS + 300_000)
    write_day(tmp_path / "other.csv", wild(3, 0.1), START_MS + DAY_MS)
    write_day(tmp_path / "within.csv", wild(4, 0.05), START_MS + DAY_MS + 60_000)
    given = [each if each.startswith("--") else str(tmp_path / each) for each in arguments]
    out = tmp_path / "m.json"
    assert taptrade(["calibrate", "fit", *given, "--kind", "made-up", "--out", str(out)]) == 2
    told = capsys.readouterr().err
    assert reason in told
    assert "Traceback" not in told
    assert not out.exists()


def test_days_that_follow_each_other_are_apart(tmp_path: Path) -> None:
    first = day_of(tmp_path / "first.csv", wild(1, 0.1))
    second, nearer = (day_of(tmp_path / "b.csv", wild(2, 0.1), START_MS + ms) for ms in (360_000, 350_000))
    _check_apart([second, first])
    with pytest.raises(FitError, match="are of the same time"):
        _check_apart([nearer, first])


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        pytest.param(["--kind", "Upper Case", "--out", "m.json"], "must be small letters", id="kind"),
        pytest.param(["--kind", "ours", "--out", "m.txt"], "ends in .json", id="out"),
        pytest.param(["--kind", "ours"], "required: --out", id="no out"),
        pytest.param(["--kind", "ours", "--out", "/missing/m.json"], "there is no such folder", id="no folder"),
        pytest.param(["--kind", "ours", "--out", "m.json", "--leave-out", "yesterday"], "a slash", id="span"),
        pytest.param(
            ["--kind", "ours", "--out", "m.json", "--leave-out", "2026-01-02T00:00:00Z/2026-01-01T00:00:00Z"],
            "ends before it begins",
            id="span that runs back",
        ),
        pytest.param(["--kind", "ours", "--out", "m.json", "--decay", "2"], "between 0 and 1", id="decay"),
    ],
)
def test_arguments_that_make_no_fit_are_refused(
    arguments: list[str], reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["day.csv", *arguments])
    assert ended.value.code == 2
    assert reason in capsys.readouterr().err


def test_what_a_fit_pays_too_much_on_its_own_days_is_kept_back() -> None:
    stretches = [[10_500, 15_000, 200], [15_000, 20_000, 300]]
    own = [Evidence("", Estimate(1000, value, 0.9, 1.0, 80), offered=True) for value in (0.981, 0.94)]
    assert with_own_excess(stretches, own, 0.95) == [[10_500, 15_000, 510], [15_000, 20_000, 300]]
    nothing = [Evidence("", Estimate(0, None, None, None, 0), offered=False)] * 2
    assert with_own_excess(stretches, nothing, 0.95) == stretches
