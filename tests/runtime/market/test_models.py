"""Which model the settings mean, what is refused in a sentence, and how a bet's own model is found again."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from runtime.game.mixture import MixtureTouch
from runtime.game.rewards import BrownianTouch, RewardModelError
from runtime.market.models import (
    FILE_BYTES_MAX,
    OF_THE_REPLAY,
    SHIPPED,
    built,
    keep_model,
    model_named,
    open_model,
    read_document,
    rules_of,
    version_of,
)
from runtime.settings import Settings, load

FILES = sorted(SHIPPED.glob("*.json"))


def chosen(data: Path, **environ: str) -> Settings:
    return load({"TAPTRADE_DATA": str(data)} | {f"TAPTRADE_{name}": value for name, value in environ.items()})


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_each_shipped_model_can_be_built_and_is_named_after_its_kind(path: Path) -> None:
    document = read_document(path)
    model = built(document, rules_of(load({})), 500, path)
    assert path.stem == document["kind"]
    assert model.version == f"{document['version']}-edge500"
    assert all(document["offered"].values())


@pytest.mark.parametrize(
    ("environ", "kind"),
    [
        pytest.param({}, MixtureTouch, id="the shipped recording"),
        pytest.param({"FEED": "sim"}, BrownianTouch, id="simulated"),
        pytest.param({"REPLAY_FILE": "other.csv"}, BrownianTouch, id="another recording"),
        pytest.param({"COLUMN_SECONDS": "10"}, BrownianTouch, id="another grid"),
        pytest.param({"FEED": "binance,kraken"}, BrownianTouch, id="exchanges"),
        pytest.param({"FEED": "sim", "REWARD_MODEL": str(OF_THE_REPLAY)}, MixtureTouch, id="a file"),
        pytest.param({"REWARD_MODEL": "runtime.game.rewards:BrownianTouch"}, BrownianTouch, id="a class"),
    ],
)
def test_the_settings_mean_a_model(tmp_path: Path, environ: dict[str, str], kind: type) -> None:
    assert type(open_model(chosen(tmp_path, **environ))) is kind


def test_only_the_replay_is_no_proof_for_live_mode(tmp_path: Path) -> None:
    model = open_model(chosen(tmp_path))
    assert isinstance(model, MixtureTouch)
    assert model.proven_for == ()


@pytest.mark.parametrize(
    ("report", "edge_bp", "proven"),
    [
        pytest.param({"passes": True, "fill_delay_ms": 500}, 500, ("a,b",), id="passes"),
        pytest.param({"passes": True, "fill_delay_ms": 500}, 600, ("a,b",), id="at a higher edge"),
        pytest.param({"passes": True, "fill_delay_ms": 500}, 499, (), id="at a lower edge"),
        pytest.param({"passes": False, "fill_delay_ms": 500}, 500, (), id="does not pass"),
        pytest.param({"passes": "yes", "fill_delay_ms": 500}, 500, (), id="text"),
        pytest.param({}, 500, (), id="an empty report"),
        pytest.param(None, 500, (), id="no report"),
        pytest.param(5, 500, (), id="a number"),
    ],
)
def test_a_model_is_proven_by_a_report_that_passes_at_its_edge(
    report: object, edge_bp: int, proven: tuple[str, ...]
) -> None:
    document = changed(kind="a,b", report=report)
    model = built(document, rules_of(load({})), edge_bp, OF_THE_REPLAY)
    assert model.proven_for == proven
    assert model.proven_delay_ms == (500 if isinstance(report, dict) and report.get("passes") is True else 0)


def changed(**changes: Any) -> dict[str, Any]:
    """Return the shipped document with other values, under the version that is theirs."""
    document = read_document(OF_THE_REPLAY) | changes
    return document | {"version": version_of(document)}


def as_file(path: Path, change: Callable[[dict[str, Any]], dict[str, Any]]) -> Path:
    document = change(read_document(OF_THE_REPLAY))
    path.write_text(json.dumps(document | {"version": version_of(document)}))
    return path


def test_numbers_that_were_changed_after_the_fit_are_refused(tmp_path: Path) -> None:
    document = read_document(OF_THE_REPLAY)
    path = tmp_path / "bent.json"
    for version in (document["version"], "../../evil", 7, None):
        path.write_text(json.dumps(document | {"recalibration": [0.1, 0.0, 0.0, 0.0], "version": version}))
        with pytest.raises(RewardModelError, match="they were changed after the fit"):
            open_model(chosen(tmp_path, REWARD_MODEL=str(path)))
    assert not (tmp_path / "models").exists()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param(b"", "is no JSON", id="empty"),
        pytest.param(b"ts_ms,price\n", "is no JSON", id="a recording"),
        pytest.param(b"\xff\xfe", "is no JSON", id="bytes"),
        pytest.param(b"[" * 2_000, "is no JSON", id="deep"),
        pytest.param(b"[]", "is no model file of format 1", id="a list"),
        pytest.param(b'{"format": 2, "id": "mixture-touch"}', "is no model file of format 1", id="another format"),
        pytest.param(b'{"format": 1, "id": "mixture-touch"}', "lacks 'version'", id="nothing in it"),
        pytest.param(b" " * (FILE_BYTES_MAX + 1), "has more than", id="huge"),
    ],
)
def test_what_is_no_model_file_is_refused_by_name(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "model.json"
    path.write_bytes(content)
    with pytest.raises(RewardModelError, match=f"model.json: {reason}"):
        open_model(chosen(tmp_path, REWARD_MODEL=str(path)))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(RewardModelError, match=r"absent.json: No such file"):
        open_model(chosen(tmp_path, REWARD_MODEL=str(tmp_path / "absent.json")))


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda found: found | {"weights": {}}, id="no numbers"),
        pytest.param(lambda found: found | {"weights": found["weights"] | {"hidden": "x"}}, id="text for numbers"),
        pytest.param(lambda found: found | {"offered": {}}, id="nothing said of what is offered"),
        pytest.param(lambda found: found | {"recalibration": None}, id="null"),
        pytest.param(lambda found: found | {"offered": found["offered"] | {"rates_bp": [["x", 1, 2]]}}, id="text"),
    ],
)
def test_a_bent_model_is_refused_in_a_sentence(
    tmp_path: Path, change: Callable[[dict[str, Any]], dict[str, Any]]
) -> None:
    path = as_file(tmp_path / "bent.json", change)
    with pytest.raises(RewardModelError, match=r"bent\.json: ."):
        open_model(chosen(tmp_path, REWARD_MODEL=str(path)))


def test_a_model_is_found_again_when_another_one_is_used(tmp_path: Path) -> None:
    path = as_file(tmp_path / "ours.json", lambda found: found | {"kind": "ours"})
    version = read_document(path)["version"]
    before = chosen(tmp_path, REWARD_MODEL=str(path), HOUSE_EDGE_BP="700")
    model = open_model(before)
    keep_model(model, before)
    keep_model(model, before)
    path.unlink()
    (tmp_path / "models" / "a-broken-one.json").write_text("{")
    now = chosen(tmp_path)
    found = model_named(now, "mixture-touch", f"{version}-edge700")
    assert found is not None
    model, edge_bp = found
    assert (model.version, edge_bp) == (f"{version}-edge700", 700)
    assert model_named(now, "mixture-touch", "ours-9999-edge700") is None
    assert model_named(now, "mixture-touch", None) is None


def test_plain_models_of_other_edges_and_widths_are_rebuilt(tmp_path: Path) -> None:
    settings = chosen(tmp_path)
    plain = BrownianTouch(replace(rules_of(settings), column_seconds=10), 300)
    found = model_named(settings, plain.id, plain.version)
    assert found is not None
    assert (found[0].version, found[1]) == (plain.version, 300)
    assert model_named(settings, plain.id, "2-edge300-column10") is None


def test_a_plain_model_needs_no_file(tmp_path: Path) -> None:
    settings = chosen(tmp_path, FEED="sim")
    keep_model(open_model(settings), settings)
    assert not (tmp_path / "models").exists()
