"""A house of units: every process by its unit file, the edge in front, and releases that lie side by side."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from shlex import quote

from taptrade.client import TapClient
from tests.acceptance.system import START_S_MAX, System, free_port
from tests.nginx.conftest import ROOT, running_edge
from tests.systemd.units import Units
from tests.waiting import wait_until

ROLES = ("writer", "feed", "settler", "jobs", "scheduler", "functions", "dashboard", "api")
OLD, NEW = "v1.0.0-1+old", "v1.1.0-2+new"
DRAIN_S = "3"
"""No fill delay: an answer takes 2 s at most."""


class UnitHouse(System):
    """A system whose processes are units; players come through the edge."""

    def __init__(self, data: Path, **settings: str) -> None:
        super().__init__(data, feed="sim", **settings)
        # The next release's API has a port of its own, and players sign for the same domain all along.
        self.environment["TAPTRADE_DOMAIN"] = self.settings.domain
        self._folder = data.parent / "machine"
        self._prefix = self._folder / "opt"
        self._stack = ExitStack()
        self.deployments: list[tuple[float, float]] = []
        """When each began and ended."""
        self.units: Units

    def start(self, **variables: str) -> None:
        """Install two releases, start the units of the old one and wait until all is well."""
        try:
            self._start(variables)
        except BaseException:
            self.end()
            raise

    def _start(self, variables: dict[str, str]) -> None:
        self._folder.mkdir()
        (self._folder / "project").mkdir()
        shutil.copytree(ROOT / "systemd", self._folder / "project" / "systemd")
        for release in (NEW, OLD):
            self._put(release)
        self.next_port = str(free_port())
        etc = self._folder / "etc" / "taptrade"
        etc.mkdir(parents=True)
        (etc / "next.env").write_text(f"TAPTRADE_PORT={self.next_port}\n")
        self._run(self._folder / "project" / "systemd" / "install", self._prefix, DESTDIR=str(self._folder))
        self._run(self._prefix / "current" / ".venv" / "bin" / "taptrade", "migrate")
        self.url = self._stack.enter_context(running_edge(self._folder / "edge", self.settings.port, ()))
        self.units = Units(self._folder, self._folder, self.variables | variables, self._reload_edge)
        self._stack.enter_context(self.units.at_work())
        for unit in ("taptrade-redis", *(f"taptrade@{role}" for role in ROLES)):
            self.units.start(unit)
        wait_until(self.is_well, START_S_MAX, every_s=0.1, what=f"a healthy house; see {self.units.log}")

    def deploy(self, release: str) -> None:
        """Let a release take over, by the script that operators use."""
        given = {
            "EDGE": str(self._folder / "edge"),
            "TAPTRADE_PORT": str(self.settings.port),
            "NEXT_PORT": self.next_port,
            "DRAIN_S": DRAIN_S,
            "PATH": f"{self.units.bin}:{os.environ['PATH']}",
        }
        began_s = time.time()
        self._run(self.release(release) / "systemd" / "deploy", self.release(release), **given)
        self.deployments.append((began_s, time.time()))

    def release(self, name: str) -> Path:
        """Return where a release lies."""
        return self._prefix / "releases" / name

    def runs(self, release: str) -> bool:
        """Tell whether every process was started from a release, and none beside."""
        pids = [self.units.pid(f"taptrade@{role}") for role in ROLES]
        found = {Path(f"/proc/{pid}/environ").read_bytes().count(f"RELEASE={release}".encode()) for pid in pids}
        return found == {1} and not any(self.units.is_active(f"taptrade-next@{role}") for role in ROLES)

    def is_well(self) -> bool:
        """Ask for the health of the whole."""
        return self.says_it_is_well()

    def client(self) -> TapClient:
        """Return a client that is not signed in."""
        return TapClient(self.url)

    def edge_log(self) -> list[dict[str, str]]:
        """Return what the edge has logged: answers that failed."""
        lines = (self._folder / "edge" / "access.log").read_text(encoding="utf-8").splitlines()
        return [json.loads(line) for line in lines]

    def stop(self) -> None:
        """Stop everything in order."""
        for role in reversed(ROLES):
            self.units.stop(f"taptrade@{role}")
        self.units.stop("taptrade-redis")
        self.end()

    def end(self) -> None:
        """End by force what still runs."""
        self._stack.close()

    def _put(self, release: str) -> None:
        """Put a release in place whose processes say in their environment which they are of."""
        folder = self.release(release)
        (folder / ".venv" / "bin").mkdir(parents=True)
        (folder / ".venv" / ".run").touch()
        for name in ("nginx", "page", "systemd"):
            (folder / name).symlink_to(ROOT / name)
        named = {
            folder
            / ".venv"
            / "bin"
            / "taptrade": f'exec env RELEASE={release} {quote(sys.executable)} -m taptrade "$@"'
        }
        named[self._folder / "project" / ".venv" / "bin" / "python"] = f"echo {release}"
        for path, line in named.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"#!/bin/sh\n{line}\n", encoding="utf-8")
            path.chmod(0o755)

    def _run(self, *words: str | Path, **variables: str) -> None:
        done = subprocess.run(
            [str(word) for word in words],
            env=self.variables | variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{words[0]}: {done.stdout[-2_000:]}"

    def _reload_edge(self) -> None:
        os.kill(int((self._folder / "edge" / "nginx.pid").read_text()), signal.SIGHUP)
