"""The script of a deployment: in which order it replaces what, and that it begins nothing that cannot end well."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from runtime.systemd import ELSEWHERE
from tests.sources import ROOT

OLD, NEW = "v1.0.0-1+old", "v1.1.0-2+new"
LISTED = "list-units --plain --no-legend --state=active taptrade@writer-*.service"
SYSTEMCTL = """#!/bin/sh
echo "$*" >>{log}
case $1 in
    show) cat {log}.status 2>/dev/null || echo "at work" ;;
    list-units) cat {log}.units 2>/dev/null ;;
    reload) sed -n 's/^ *server \\([^ ]*\\) .*/edge to \\1/p' {edge}/upstreams.conf | sort -u >>{log} ;;
esac
"""


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """Two releases, of which the older one is current, an edge, and a `systemctl` that notes what it is asked."""
    for folder in ("bin", "edge"):
        (tmp_path / folder).mkdir()
    for release in (OLD, NEW):
        command = tmp_path / "opt" / "releases" / release / ".venv" / "bin" / "taptrade"
        command.parent.mkdir(parents=True)
        command.write_text(
            f"#!/bin/sh\ncat {tmp_path}/refusal 2>/dev/null && exit 2\necho taptrade\n", encoding="utf-8"
        )
        command.chmod(0o755)
        for name in ("nginx", "systemd"):
            (tmp_path / "opt" / "releases" / release / name).symlink_to(ROOT / name)
    (tmp_path / "opt" / "current").symlink_to(f"releases/{OLD}")
    systemctl = tmp_path / "bin" / "systemctl"
    systemctl.write_text(SYSTEMCTL.format(log=tmp_path / "log", edge=tmp_path / "edge"), encoding="utf-8")
    systemctl.chmod(0o755)
    return tmp_path


def deploy(machine: Path, release: str) -> subprocess.CompletedProcess[str]:
    """Let a release take over."""
    folder = machine / "opt" / "releases" / release
    variables = {"PATH": f"{machine}/bin:{os.environ['PATH']}", "EDGE": str(machine / "edge"), "DRAIN_S": "0"}
    return subprocess.run(
        [folder / "systemd" / "deploy", folder], env=variables, capture_output=True, text=True, check=False
    )


def handed_over(role: str, old: str, new: str) -> list[str]:
    """Return how one of which only one may be at work is replaced."""
    shown = f"show --property=StatusText --value {new}@{role}.service"
    return [f"start {new}@{role}.service", f"stop {old}@{role}.service", shown]


def test_each_is_replaced_by_a_stand_in_and_then_by_its_own(machine: Path) -> None:
    done = deploy(machine, NEW)
    assert done.returncode == 0, done.stderr
    restarted = [
        f"restart taptrade@{role}.service" for role in ("settler", "jobs", "scheduler", "functions", "dashboard")
    ]
    assert (machine / "log").read_text().splitlines() == [
        LISTED,
        *handed_over("writer", "taptrade", "taptrade-next"),
        *handed_over("feed", "taptrade", "taptrade-next"),
        "start taptrade-next@api.service",
        *("reload taptrade-edge.service", "edge to 127.0.0.1:8001"),
        *restarted,
        "try-restart taptrade@replica.service",
        *handed_over("writer", "taptrade-next", "taptrade"),
        *handed_over("feed", "taptrade-next", "taptrade"),
        "restart taptrade@api.service",
        *("reload taptrade-edge.service", "edge to 127.0.0.1:8000"),
        "stop taptrade-next@api.service",
    ]
    assert {(machine / "opt" / name).readlink() for name in ("current", "next")} == {Path("releases") / NEW}
    # The way back is the same.
    assert deploy(machine, OLD).returncode == 0
    assert (machine / "opt" / "current").readlink() == Path("releases") / OLD


def test_the_writers_of_other_shards_are_replaced_as_the_first_one_is(machine: Path) -> None:
    lines = [f"taptrade@writer-{shard}.service loaded active running taptrade: writer-{shard}\n" for shard in (2, 11)]
    (machine / "log.units").write_text("".join(lines))
    assert deploy(machine, NEW).returncode == 0
    said = (machine / "log").read_text().splitlines()
    for old, new in (("taptrade", "taptrade-next"), ("taptrade-next", "taptrade")):
        replaced = [
            line for role in ("writer", "writer-2", "writer-11", "feed") for line in handed_over(role, old, new)
        ]
        first = said.index(replaced[0])
        assert said[first : first + len(replaced)] == replaced


def test_a_stand_in_whose_like_is_at_work_on_another_machine_is_not_waited_for(machine: Path) -> None:
    said = f"stands by for the writer that is at work {ELSEWHERE}"
    (machine / "log.status").write_text(f"{said}\n")
    done = deploy(machine, NEW)
    assert done.returncode == 0, done.stderr
    assert f"deploy: writer: {said}" in done.stdout
    assert done.stdout.splitlines()[-1].startswith("deploy: done")


def test_a_release_that_does_not_know_the_schema_is_let_near_nothing(machine: Path) -> None:
    (machine / "refusal").write_text("taptrade: it has the migration 9999, which this version does not know\n")
    done = deploy(machine, NEW)
    assert done.returncode == 2
    assert "which this version does not know" in done.stdout
    assert not (machine / "log").exists()
    assert (machine / "opt" / "current").readlink() == Path("releases") / OLD


def test_what_is_no_release_is_told_so(machine: Path) -> None:
    (machine / "opt" / "releases" / NEW / ".venv" / "bin" / "taptrade").unlink()
    done = deploy(machine, NEW)
    assert (done.returncode, (machine / "log").exists()) == (2, False)
    assert "is no release that systemd/install put in place" in done.stderr
