"""House rules that no linter knows: sizes, docstrings, words, and what is shipped."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = ("functions", "runtime", "jobs", "taptrade", "tests", "loadtest", "release", "examples")
FILE_LINES_MAX = 300
FUNCTION_LINES_MAX = 50
NAME_WORDS = {"manager", "util", "utils", "helper", "helpers", "base"}
# Spelled in halves, so that this file keeps its own rule.
UNFINISHED = re.compile(
    r"\b(" + "|".join(("TO" + "DO", "FIX" + "ME", "X" * 3, "place" + "holder", "for" + " now")) + r")\b", re.IGNORECASE
)
STARTS = {"Thread", "Timer", "Greenlet", "spawn", "spawn_later", "start_new_thread", "run_in_thread"}
STARTED_ELSEWHERE = {
    "runtime/wiring.py": 2,  # how the API's background work starts its greenlets; a count that nobody waits for
    "runtime/messaging/primary_watch.py": 1,  # begun with a connection, and anew with the next one
    "runtime/messaging/outbox.py": 1,  # one enqueue beside another
    "runtime/server/worker.py": 2,  # the end of the server, and its retirement
    "runtime/server/door.py": 2,  # connections that another worker gives away
}
# Broken on purpose, to be refused.
SAMPLES = ROOT / "tests" / "sample_functions"
SOURCES = sorted(
    path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py") if not path.is_relative_to(SAMPLES)
)
IDS = [str(path.relative_to(ROOT)) for path in SOURCES]
TEXTS = sorted(
    path
    for path in (
        *ROOT.glob("*.md"),
        *ROOT.glob("*.yaml"),
        *ROOT.glob("Makefile"),
        *(ROOT / "docs").rglob("*.md"),
        *SOURCES,
    )
    if path.is_file()
)


def is_test(name: str) -> bool:
    """Tell whether pytest collects a function of this name."""
    return name.startswith("test_")


def function_lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Count the lines of a function without its docstring and decorators."""
    docstring = node.body[0] if ast.get_docstring(node) is not None else None
    length = (node.end_lineno or node.lineno) - node.lineno + 1
    return length - ((docstring.end_lineno or 0) - docstring.lineno + 1 if docstring else 0)


@pytest.mark.parametrize("path", SOURCES, ids=IDS)
def test_source_keeps_house_rules(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    assert len(text.splitlines()) <= FILE_LINES_MAX, "split the file"
    assert not NAME_WORDS & set(path.stem.split("_")), "name the file after what it does"
    if text.strip():
        docstring = ast.get_docstring(tree)
        assert docstring, "say in the first line what the file is for"
        assert docstring.splitlines()[0].rstrip().endswith((".", ":", "?")), "the first line is a sentence"
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert function_lines(node) <= FUNCTION_LINES_MAX, f"{node.name} is too long"
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and not is_test(node.name):
            words = set(re.findall(r"[A-Z]?[a-z]+", node.name.replace("_", " ")))
            assert not NAME_WORDS & {word.lower() for word in words}, f"{node.name}: name what it does"


@pytest.mark.parametrize("path", TEXTS, ids=[str(path.relative_to(ROOT)) for path in TEXTS])
def test_nothing_says_that_it_is_unfinished(path: Path) -> None:
    found = [line for line in path.read_text(encoding="utf-8").splitlines() if UNFINISHED.search(line)]
    # The attribute of an HTML input is no note to ourselves.
    assert [line for line in found if "place" + 'holder="' not in line] == []


def test_lock_files_hold_hashes_and_no_hosts() -> None:
    for name in ("requirements-build.lock", "requirements.lock", "requirements-dev.lock"):
        lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
        assert not [line for line in lines if "://" in line or line.startswith("-")]
        packages = [number for number, line in enumerate(lines) if re.match(r"[a-z0-9]", line)]
        assert packages
        assert all("--hash=sha256:" in lines[number + 1] for number in packages)


def test_lock_holds_every_dependency_and_dev_extends_it() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    run, dev = (_locked(name) for name in ("requirements.lock", "requirements-dev.lock"))
    wanted = {re.split(r"[\[<>=; ]", line)[0] for line in project["project"]["dependencies"]}
    assert wanted <= set(run)
    assert run.items() <= dev.items()


def _locked(name: str) -> dict[str, str]:
    text = (ROOT / name).read_text(encoding="utf-8")
    return dict(re.findall(r"^([a-z0-9][a-z0-9._-]*)==(\S+)", text, re.MULTILINE))


def test_tests_have_the_folders_of_the_sources() -> None:
    apart = {"acceptance", "attack", "chaos", "clients", "docs", "nginx", "sample_functions"}
    folders = {path.parent.relative_to(ROOT / "tests") for path in (ROOT / "tests").rglob("test_*.py")}
    strangers = [
        str(folder)
        for folder in folders
        if folder.parts and folder.parts[0] not in apart and not (ROOT / folder).is_dir()
    ]
    assert sorted(strangers) == []


def test_ci_runs_what_developers_run() -> None:
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert "set -euo pipefail" in script
    assert "make test" in script


@pytest.mark.parametrize("folder", ["functions", "runtime", "jobs"])
def test_threads_and_greenlets_start_as_background_work(folder: str) -> None:
    found: dict[str, int] = {}
    for path in sorted((ROOT / folder).rglob("*.py")):
        calls = (
            node.func for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)
        )
        names = [one.attr if isinstance(one, ast.Attribute) else getattr(one, "id", "") for one in calls]
        starts = sum(name in STARTS for name in names)
        if starts:
            found[str(path.relative_to(ROOT))] = starts
    found.pop("runtime/background.py", None)
    assert found == {name: count for name, count in STARTED_ELSEWHERE.items() if name.startswith(f"{folder}/")}
