"""The gates of `make coverage`: they hold what they should, and name what is too little."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.coverage_gates import AREAS, MeasuredFile, judge, main

ROOT = Path(__file__).parents[1]


def report(**branches: int) -> dict[str, Any]:
    """Return a report in which each file has a hundred lines, all reached, and a hundred branches, so many reached."""
    summary = {"covered_lines": 100, "num_statements": 100, "num_branches": 100, "percent_covered": 1.0}
    paths = {"writer": "jobs/writer/core.py", "money": "runtime/messaging/outbox.py", "auth": "runtime/auth/siwe.py"}
    return {
        "meta": {"format": 3},
        "files": {
            paths.get(name, f"{name}.py"): {"summary": {**summary, "covered_branches": count}, "missing_lines": []}
            for name, count in branches.items()
        },
    }


@pytest.mark.parametrize(
    ("branches", "failed"),
    [
        pytest.param({"writer": 95, "money": 95, "auth": 95}, [], id="just enough"),
        pytest.param({"writer": 94, "money": 95, "auth": 95}, ["writer"], id="writer"),
        pytest.param({"writer": 95, "money": 94, "auth": 0}, ["money", "auth"], id="money and auth"),
        pytest.param({"writer": 95, "money": 95}, ["auth"], id="an area that was not measured at all"),
        pytest.param({"writer": 95, "money": 95, "auth": 95, "a": 5, "b": 5, "c": 5}, ["everything"], id="the rest"),
    ],
)
def test_what_is_reached_too_little_fails(
    branches: dict[str, int], failed: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "coverage.json"
    path.write_bytes(msgspec.json.encode(report(**branches)))
    assert main(path) == (1 if failed else 0)
    rows = [line for line in capsys.readouterr().out.splitlines() if "too little" in line]
    assert [row.split()[0] for row in rows] == failed


def test_every_pattern_names_files_that_are_there() -> None:
    for area in AREAS:
        for pattern in area.files:
            assert list(ROOT.glob(pattern)), f"{area.name}: nothing is named {pattern}"


def test_a_file_within_a_folder_counts() -> None:
    file = msgspec.convert(
        {"summary": report(money=7)["files"]["runtime/messaging/outbox.py"]["summary"]}, MeasuredFile
    )
    [money] = [one for one in judge({"runtime/audit/chain_walk.py": file}) if one.name == "money"]
    assert (money.files, money.branches_percent, money.lines_percent, money.ok) == (1, 7.0, 100.0, False)
