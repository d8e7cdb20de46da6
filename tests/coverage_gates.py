"""`make coverage` ends here: how much of each area the tests reached, and whether that is enough."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

import msgspec
from rich import box
from rich.console import Console
from rich.table import Table

REPORT = Path("build/coverage.json")
ALL_PERCENT_MIN = 80


@dataclass(frozen=True, slots=True)
class Area:
    """Files of which at least so many per cent of the branches must be reached."""

    name: str
    percent_min: int
    files: tuple[str, ...]

    def has(self, path: str) -> bool:
        """Tell whether a file belongs here; `*` stands for any name, folders within included."""
        return any(fnmatch(path, pattern) for pattern in self.files)


AREAS = (
    Area("writer", 95, ("jobs/writer/*.py",)),
    Area(
        "money",
        95,
        (
            *(
                f"runtime/game/{name}.py"
                for name in ("money", "ledger", "limits", "settlement", "chain", "ids", "bets", "columns", "judge")
            ),
            "runtime/betting/*.py",
            *(f"runtime/messaging/{name}.py" for name in ("queues", "outbox", "commands", "outcomes")),
            "runtime/audit/*.py",
            *(f"functions/{name}.py" for name in ("place_bet", "deposits", "withdrawals", "ledger")),
        ),
    ),
    Area("auth", 95, ("runtime/auth/*.py",)),
)


class Summary(msgspec.Struct):
    """What coverage counted in one file."""

    covered_lines: int
    num_statements: int
    covered_branches: int
    num_branches: int


class MeasuredFile(msgspec.Struct):
    """One file of coverage's JSON report."""

    summary: Summary


class Measured(msgspec.Struct):
    """Coverage's JSON report."""

    files: dict[str, MeasuredFile]


@dataclass(frozen=True, slots=True)
class Result:
    """What was reached of an area, and whether that is enough."""

    name: str
    files: int
    lines_percent: float
    branches_percent: float
    required: str
    ok: bool


def percent(covered: int, of: int) -> float:
    """Return a share in per cent; of nothing, all is covered."""
    return 100 * covered / of if of else 100.0


def _result(name: str, files: Iterable[MeasuredFile], required: str, percent_min: int, *, lines_too: bool) -> Result:
    found = [file.summary for file in files]
    lines = sum(one.covered_lines for one in found), sum(one.num_statements for one in found)
    branches = sum(one.covered_branches for one in found), sum(one.num_branches for one in found)
    judged = percent(lines[0] + branches[0], lines[1] + branches[1]) if lines_too else percent(*branches)
    return Result(
        name, len(found), percent(*lines), percent(*branches), required, bool(found) and judged >= percent_min
    )


def judge(files: Mapping[str, MeasuredFile]) -> list[Result]:
    """Judge each area by its branches, and everything by lines and branches together."""
    results = [
        _result(
            area.name,
            (file for path, file in files.items() if area.has(path)),
            f"{area.percent_min} % of branches",
            area.percent_min,
            lines_too=False,
        )
        for area in AREAS
    ]
    everything = f"{ALL_PERCENT_MIN} % of lines and branches"
    return [*results, _result("everything", files.values(), everything, ALL_PERCENT_MIN, lines_too=True)]


def show(results: Sequence[Result], console: Console) -> None:
    """Print the table."""
    table = Table("area", "files", "lines", "branches", "required", "", box=box.SIMPLE)
    for one in results:
        shares = f"{one.lines_percent:.1f} %", f"{one.branches_percent:.1f} %"
        table.add_row(one.name, str(one.files), *shares, one.required, "ok" if one.ok else "[red]too little[/red]")
    console.print(table)


def main(report: Path = REPORT) -> int:
    """Show the table; 1 if an area was reached too little."""
    results = judge(msgspec.json.decode(report.read_bytes(), type=Measured).files)
    show(results, Console())
    return 0 if all(one.ok for one in results) else 1


if __name__ == "__main__":
    sys.exit(main())
