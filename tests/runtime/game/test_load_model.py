"""A reward model that is named by the settings: loaded, tried out, and refused in a sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from runtime.game.grid import Cell, GridRules
from runtime.game.rewards import BrownianTouch, RewardModelError, load_model
from runtime.game.ticks import Tick

RULES = GridRules(column_seconds=5, horizon_columns=12, row_step_cents=500, rows=20)


def test_a_model_is_loaded_by_its_path_and_says_its_version() -> None:
    model = load_model("runtime.game.rewards:BrownianTouch", RULES, 500)
    assert isinstance(model, BrownianTouch)
    assert (model.id, model.version) == ("brownian-touch", f"1-edge500-column{RULES.column_seconds}")


class Odd:
    """A model whose rate is whatever the test says."""

    id, version = "odd", "1"
    rate: object = None

    def __init__(self, rules: GridRules, house_edge_bp: int) -> None:
        """Take what every model takes."""

    def rate_bp(self, cell: Cell, tick: Tick, now_ms: int) -> object:
        """Return the rate, or raise it."""
        assert cell.start_s * 1000 > now_ms >= tick.id
        if isinstance(self.rate, Exception):
            raise self.rate
        return self.rate


@pytest.mark.parametrize("rate", [None, 20_000])
def test_a_model_is_tried_out(monkeypatch: pytest.MonkeyPatch, rate: object) -> None:
    monkeypatch.setattr(Odd, "rate", rate)
    assert load_model(f"{__name__}:Odd", RULES, 500).id == "odd"


@pytest.mark.parametrize(
    ("rate", "reason"),
    [
        (1.5, "rate_bp must return a whole number or None, not 1.5"),
        (True, "rate_bp must return a whole number or None, not True"),
        ("20000", "rate_bp must return a whole number or None, not '20000'"),
        (ValueError("no volatility"), r"rate_bp(cell, tick, now_ms) fails: ValueError('no volatility')"),
    ],
)
def test_a_model_that_gives_no_rates_is_refused(monkeypatch: pytest.MonkeyPatch, rate: object, reason: str) -> None:
    monkeypatch.setattr(Odd, "rate", rate)
    with pytest.raises(RewardModelError) as refused:
        load_model(f"{__name__}:Odd", RULES, 500)
    assert str(refused.value) == f"reward model '{__name__}:Odd': {reason}"


def test_a_module_that_ends_the_program_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "model_that_ends.py").write_text("raise SystemExit(0)\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(RewardModelError, match=r"cannot import model_that_ends: SystemExit\(0\)"):
        load_model("model_that_ends:Model", RULES, 500)


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        pytest.param("", "write it as package.module:Class", id="empty"),
        pytest.param("runtime.game.rewards", "write it as package.module:Class", id="no class"),
        pytest.param("runtime.game.rewards:", "write it as package.module:Class", id="no class after the colon"),
        pytest.param(":BrownianTouch", "write it as package.module:Class", id="no module"),
        pytest.param("runtime.game.rewards:a.b", "write it as package.module:Class", id="attribute path"),
        pytest.param("runtime.game.no_such:Model", "cannot import runtime.game.no_such", id="no such module"),
        pytest.param(".rewards:Model", "cannot import .rewards", id="relative"),
        pytest.param("runtime.game.rewards:Missing", "has no class Missing", id="no such class"),
        pytest.param("runtime.game.rewards:load_model", "has no class load_model", id="not a class"),
        pytest.param("runtime.game.rewards:RewardModelError", "lacks an id, a version or rate_bp", id="not a model"),
        pytest.param("runtime.game.grid:GridRules", "cannot be built from", id="another constructor"),
    ],
)
def test_load_model_says_what_is_wrong(path: str, reason: str) -> None:
    with pytest.raises(RewardModelError) as caught:
        load_model(path, RULES, 500)
    assert reason in str(caught.value)
    assert repr(path) in str(caught.value)
