"""The units of systemd: they are sound and confined, and those of the next release differ in where they lie alone."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.sources import ROOT

UNITS = ROOT / "systemd"
ANALYZE = shutil.which("systemd-analyze")
SCORES = {"taptrade@writer": 1.3, "taptrade-redis": 0.3, "taptrade-migrate": 0.3, "taptrade-edge": 1.4}
"""The most exposed that each may be, of 10; docs/deployment.md says so too."""
INSIDE = (".venv/.run", ".venv/bin/taptrade", "nginx/render")
"""Of a release that is in place."""
ROLES = ("replica", "writer", "feed", "settler", "jobs", "scheduler", "functions", "dashboard", "api")


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Put the units in place below a folder, for a release that is there already."""
    folder = tmp_path_factory.mktemp("systemd")
    project, prefix = folder / "project", folder / "opt"
    commands = [project / ".venv" / "bin" / "python", *(prefix / "releases" / "v1.2.3-4+abc" / one for one in INSIDE)]
    for command in commands:
        command.parent.mkdir(parents=True, exist_ok=True)
        command.write_text("#!/bin/sh\necho v1.2.3-4+abc\n", encoding="ascii")
        command.chmod(0o755)
    shutil.copytree(UNITS, project / "systemd")
    for _ in range(2):
        subprocess.run(
            [project / "systemd" / "install", prefix], env=os.environ | {"DESTDIR": str(folder / "dest")}, check=True
        )
    (prefix / "next").symlink_to("current")
    return folder / "dest"


def analyze(installed: Path, *arguments: str) -> str:
    """Ask systemd-analyze about the units."""
    assert ANALYZE
    variables = os.environ | {"SYSTEMD_UNIT_PATH": f"{installed}/etc/systemd/system:", "SYSTEMD_COLORS": "0"}
    done = subprocess.run(
        [ANALYZE, *arguments], env=variables, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.mark.skipif(ANALYZE is None, reason="there is no systemd-analyze here (apt-get install systemd)")
def test_the_units_are_sound(installed: Path) -> None:
    instances = [f"{unit}@{role}.service" for unit in ("taptrade", "taptrade-next") for role in ROLES]
    whole = ["taptrade-redis.service", "taptrade-migrate.service", "taptrade.target"]
    edge = ["taptrade-edge.service"] if Path("/usr/sbin/nginx").exists() else []
    assert analyze(installed, "verify", "--man=no", *instances, *whole, *edge) == ""


@pytest.mark.skipif(ANALYZE is None, reason="there is no systemd-analyze here (apt-get install systemd)")
@pytest.mark.parametrize("unit", sorted(SCORES))
def test_the_units_are_confined(installed: Path, unit: str, tmp_path: Path) -> None:
    source = f"{unit.partition('@')[0]}@.service" if "@" in unit else f"{unit}.service"
    shutil.copy(installed / "etc" / "systemd" / "system" / source, tmp_path / f"{unit}.service")
    told = analyze(installed, "security", "--offline=true", "--no-pager", str(tmp_path / f"{unit}.service"))
    [score] = re.findall(r"Overall exposure level for \S+: ([0-9.]+) ", told)
    assert float(score) <= SCORES[unit]


def test_the_next_release_differs_in_where_it_lies_and_listens(installed: Path) -> None:
    folder = installed / "etc" / "systemd" / "system"
    ours = (folder / "taptrade@.service").read_text()
    next_one = (folder / "taptrade-next@.service").read_text()
    back = next_one.replace("/opt/next", "/opt/current").replace(" of the next release", "")
    assert (
        back.replace("EnvironmentFile=/etc/taptrade/next.env\n", "") + "[Install]\nWantedBy=taptrade.target\n" == ours
    )
    assert (installed / "etc/taptrade/next.env").read_text() == "TAPTRADE_PORT=8001\n"
    assert "/opt/taptrade/" not in ours.replace(str(installed.parent), "")


def test_every_unit_may_do_as_little_as_the_others() -> None:
    """What all are forbidden is written four times; none is to be left out of one."""
    forbidden = re.compile(r"^(?:Protect|Restrict[NRS]|Private(?:Tmp|Dev)|NoNew|Lock|SystemCall)\w*=.*$", re.MULTILINE)
    units = [path.read_text() for path in sorted(UNITS.glob("*.service"))]
    assert len(units) == len(SCORES)
    assert len({frozenset(forbidden.findall(unit)) - {"ProcSubset=pid"} for unit in units}) == 1


def test_the_release_is_taken_as_a_whole() -> None:
    """What the image holds, the release holds too, and what makes its environment."""
    install = (UNITS / "install").read_text()
    [packed] = re.findall(r"tar -c ((?:.|\\\n)+?)\) \|", install)
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    from_image = {source.split("/")[0] for line in copied for source in line.split()}
    assert from_image <= {*packed.replace("\\\n", " ").split()}
