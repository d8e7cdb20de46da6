"""The replica's runbook where the old data folder is still there: what came back changes places with it."""

from __future__ import annotations

from pathlib import Path

from tests.docs.shell import blocks, run, section
from tests.docs.tables import ROOT

RUNBOOKS = ROOT / "docs" / "runbooks"


def test_what_came_back_changes_places_with_what_was_there(tmp_path: Path) -> None:
    first, *_ = blocks((RUNBOOKS / "README.md").read_text("utf-8"))
    _, changing = blocks(section((RUNBOOKS / "replica.md").read_text("utf-8"), "Restore on the same machine"))
    data = tmp_path / "spoilt"
    (data / "restored").mkdir(parents=True)
    names = ("taptrade.db", "ticks.db", "functions.db")
    for name in names:
        (data / name).write_text("old")
        (data / "restored" / name).write_text("new")
    for name in names:
        (data / f"{name}-wal").write_text("old")
    run([f"{first}\n{changing}"], tmp_path, {"TAPTRADE_DATA": str(data)})
    assert {path.name: path.read_text() for path in data.glob("*.db*")} == dict.fromkeys(names, "new")
    (aside,) = data.glob("aside-*")
    assert [path.read_text() for path in aside.iterdir()] == ["old"] * 6
    assert not (data / "restored").exists()
