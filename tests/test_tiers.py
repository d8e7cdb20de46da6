"""The tiers: each test has one, by what it reaches, and a unit test that leaves its process is found out."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.acceptance.system import System
from tests.tiers import ENGINES, PROCESSES, TIERS, tier_of, within_the_process

ROOT = Path(__file__).parents[1]
NOTHING: frozenset[str] = frozenset()


def counts() -> int:
    return sum(range(3))


def starts() -> int:
    return subprocess.run([sys.executable, "-c", ""], check=False).returncode


def starts_through_others() -> int:
    return Starter().start()


class Starter:
    def start(self) -> int:
        return starts()


def starts_within() -> list[int]:
    def later() -> int:
        return starts()

    return [later() for _ in range(2)]


def connects() -> None:
    with socket.socket() as client:
        client.connect_ex(("127.0.0.1", 1))


def forks() -> int:
    return os.fork()


def runs_the_system() -> None:
    with System(Path("data")):
        pass


def is_given_the_system(house: System) -> str:
    return house.url


# It names the system, but does not run it.
@pytest.mark.unit
@pytest.mark.parametrize(
    ("function", "fixtures", "marks", "tier"),
    [
        pytest.param(counts, NOTHING, NOTHING, "unit", id="nothing"),
        pytest.param(counts, {"tmp_path", "clock"}, {"parametrize", "timeout"}, "unit", id="fixtures in the process"),
        pytest.param(counts, {"settings", "redis_server"}, NOTHING, "integration", id="a fixture with a process"),
        pytest.param(starts, NOTHING, NOTHING, "integration", id="a process"),
        pytest.param(starts_through_others, NOTHING, NOTHING, "integration", id="a process through a class"),
        pytest.param(starts_within, NOTHING, NOTHING, "integration", id="a process in a function within"),
        pytest.param(connects, NOTHING, NOTHING, "integration", id="a connection"),
        pytest.param(forks, NOTHING, NOTHING, "integration", id="a fork"),
        pytest.param(runs_the_system, {"redis_server"}, NOTHING, "acceptance", id="the whole system"),
        pytest.param(is_given_the_system, NOTHING, NOTHING, "acceptance", id="a system that a fixture runs"),
        pytest.param(counts, NOTHING, {"integration"}, "integration", id="its own mark"),
        pytest.param(runs_the_system, NOTHING, {"acceptance"}, "acceptance", id="its own mark, the same"),
    ],
)
def test_a_tier_follows_from_what_a_test_reaches(
    function: Callable[..., object], fixtures: set[str], marks: set[str], tier: str
) -> None:
    assert tier_of(function, frozenset(fixtures), frozenset(marks)) == tier


def test_every_test_that_was_found_has_one_tier(request: pytest.FixtureRequest) -> None:
    for item in request.session.items:
        assert len({mark.name for mark in item.iter_markers()} & TIERS) == 1, item.nodeid


def test_pytest_knows_the_tiers() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    marks = [line.partition(":")[0] for line in project["tool"]["pytest"]["ini_options"]["markers"]]
    assert set(marks) == TIERS | ENGINES


def test_every_fixture_with_a_process_is_there() -> None:
    sources = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("*.py"))
    assert [name for name in PROCESSES if f"def {name}(" not in sources] == []


@pytest.mark.integration
@pytest.mark.parametrize(
    "leave",
    [
        pytest.param(lambda: subprocess.run(["true"], check=True), id="process"),
        pytest.param(connects, id="connection"),
        pytest.param(lambda: os.system("true"), id="shell"),  # noqa: S605
    ],
)
def test_a_unit_test_that_leaves_its_process_is_found_out(leave: Callable[[], object]) -> None:
    with pytest.raises(AssertionError, match="mark it integration"), within_the_process():
        leave()


def test_a_unit_test_that_stays_within_passes(tmp_path: Path) -> None:
    with within_the_process():
        (tmp_path / "file").write_text("text")
    assert (tmp_path / "file").exists()
