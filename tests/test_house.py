"""House rules that no linter knows: sizes, docstrings, words, and what is shipped."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
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


def broken_rules(path: Path) -> Iterator[str]:
    """Yield which house rules a source breaks."""
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    if len(text.splitlines()) > FILE_LINES_MAX:
        yield "split the file"
    if NAME_WORDS & set(path.stem.split("_")):
        yield "name the file after what it does"
    docstring = ast.get_docstring(tree) or ""
    if text.strip() and not docstring:
        yield "say in the first line what the file is for"
    elif docstring and not docstring.splitlines()[0].rstrip().endswith((".", ":", "?")):
        yield "the first line is a sentence"
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and function_lines(node) > FUNCTION_LINES_MAX:
            yield f"{node.name} is too long"
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and not is_test(node.name):
            words = set(re.findall(r"[A-Z]?[a-z]+", node.name.replace("_", " ")))
            if NAME_WORDS & {word.lower() for word in words}:
                yield f"{node.name}: name what it does"


def test_sources_keep_house_rules() -> None:
    assert len(SOURCES) > 1000
    assert [f"{path.relative_to(ROOT)}: {broken}" for path in SOURCES for broken in broken_rules(path)] == []


@pytest.mark.parametrize(
    ("name", "text", "broken"),
    [
        pytest.param("good.py", '"""Does one thing."""\n', [], id="none"),
        pytest.param("empty.py", "", [], id="nothing in it"),
        pytest.param("long.py", '"""Long."""\n' + "A = 1\n" * 300, ["split the file"], id="file"),
        pytest.param("row_utils.py", '"""Rows."""\n', ["name the file after what it does"], id="file's name"),
        pytest.param("bare.py", "A = 1\n", ["say in the first line what the file is for"], id="no docstring"),
        pytest.param("half.py", '"""Does one\n\nthing."""\n', ["the first line is a sentence"], id="no sentence"),
        pytest.param("big.py", '"""Big."""\ndef go():\n' + "    a = 1\n" * 50, ["go is too long"], id="function"),
        pytest.param(
            "named.py", '"""Named."""\nclass RowHelper: ...\n', ["RowHelper: name what it does"], id="class's name"
        ),
    ],
)
def test_a_broken_rule_is_seen(tmp_path: Path, name: str, text: str, broken: list[str]) -> None:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    assert list(broken_rules(path)) == broken


def test_nothing_says_that_it_is_unfinished() -> None:
    found = [
        f"{path.relative_to(ROOT)}: {line}"
        for path in TEXTS
        for line in path.read_text(encoding="utf-8").splitlines()
        # The attribute of an HTML input is no note to ourselves.
        if UNFINISHED.search(line) and "place" + 'holder="' not in line
    ]
    assert found == []


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
