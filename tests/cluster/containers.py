"""The containers of a cluster that runs on this machine, and its house as players and the auditor see it."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
from pathlib import Path

import httpx
import msgspec

from runtime.messaging import redis_keys
from runtime.messaging.connection import OUTAGES
from runtime.messaging.redis_values import WriterAlive
from tests.acceptance.system import System

FIRST, SECOND = "machine-1", "machine-2"
MEMBERS = ("postgres-1", "postgres-2")
REDIS = ("redis", "redis-2", "redis-3")


class Docker:
    """The containers of one project, by the names of their services."""

    def __init__(self, project: str) -> None:
        self.project = project

    def ask(self, *words: str) -> str:
        """Run the program `docker`; what it prints."""
        done = subprocess.run(["docker", *words], capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"docker {' '.join(words)}: {done.stderr.strip()}"
        return done.stdout.strip()

    def of(self, service: str) -> str:
        """Return the container of a service."""
        labels = ("project", self.project), ("service", service)
        filters = [word for key, value in labels for word in ("--filter", f"label=com.docker.compose.{key}={value}")]
        found = self.ask("ps", "--all", "--quiet", *filters).split()
        assert len(found) == 1, f"{len(found)} containers of {service} in the project {self.project}"
        return found[0]

    def seen(self, service: str, what: str) -> str:
        """Return something of what Docker knows of a container, by a template of Go's."""
        return self.ask("inspect", "--format", what, self.of(service))

    def crash(self, service: str) -> None:
        """End all that runs in a container, as if it had fallen over: Docker starts it again."""
        os.kill(int(self.seen(service, "{{.State.Pid}}")), signal.SIGKILL)

    def lose(self, *services: str) -> None:
        """End containers for good, all at once, as with their machine."""
        self.ask("kill", *map(self.of, services))

    def stop(self, service: str) -> None:
        """Stop a container in order."""
        self.ask("stop", "--time", "60", self.of(service))

    def start(self, *services: str) -> None:
        """Start what was lost or stopped."""
        self.ask("start", *map(self.of, services))

    def runs(self, service: str) -> bool:
        """Tell whether a container runs."""
        return self.seen(service, "{{.State.Running}}") == "true"

    def on(self, hostname: str) -> list[str]:
        """Return the services that run as one machine."""
        listed = self.ask("ps", "--quiet", "--filter", f"label=com.docker.compose.project={self.project}").split()
        form = '{{.Config.Hostname}} {{index .Config.Labels "com.docker.compose.service"}}'
        told = self.ask("inspect", "--format", form, *listed).splitlines()
        return [service for host, service in map(str.split, told) if host == hostname]

    def address(self, service: str) -> str:
        """Return an address at which a container is reached from this machine."""
        networks = self.seen(service, "{{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}").split()
        assert networks, f"{service} does not run"
        return networks[0]

    def variables(self, service: str) -> dict[str, str]:
        """Return what a container has in its environment."""
        lines: list[str] = msgspec.json.decode(self.seen(service, "{{json .Config.Env}}"), type=list[str])
        # A name alone stands for what was not set.
        return dict(line.split("=", 1) for line in lines if "=" in line)


class ClusterHouse(System):
    """A house whose processes are containers; players come through nginx."""

    def __init__(self, docker: Docker, url: str) -> None:
        self.docker = docker
        given = {key: value for key, value in docker.variables("api").items() if key.startswith("TAPTRADE_")}
        hosts = ",".join(docker.address(member) for member in MEMBERS)
        own = {key.removeprefix("TAPTRADE_").lower(): value for key, value in given.items()}
        own["database_url"] = f"postgresql://house@{hosts}/house?target_session_attrs=read-write&connect_timeout=2"
        for container_only in ("data", "host"):
            own.pop(container_only, "")
        super().__init__(Path(tempfile.gettempdir()) / "nothing-is-here", **own)
        self.url = url

    def is_well(self) -> bool:
        """Ask for the health of the whole, through nginx."""
        return self.says_it_is_well()

    def redis_primary(self) -> str:
        """Return the service whose Redis is the primary."""
        with self.redis() as client:
            client.ping()
            address = str(client.connection_pool.get_connection().host)
        [found] = [name for name in REDIS if self.docker.runs(name) and self.docker.address(name) == address]
        return found

    def primary(self) -> str:
        """Return the member that is the primary, empty if neither says so."""
        for member in MEMBERS:
            try:
                answer = httpx.get(f"http://{self.docker.address(member)}:8008/primary", timeout=1, trust_env=False)
            except (httpx.TransportError, AssertionError):
                continue
            if answer.status_code == httpx.codes.OK:
                return member
        return ""

    def is_whole(self) -> bool:
        """Tell whether the primary has a standby that has every commit before it is answered."""
        standby = {"postgres-1": "postgres-2", "postgres-2": "postgres-1"}.get(self.primary())
        if standby is None:
            return False
        try:
            url = f"http://{self.docker.address(standby)}:8008/synchronous"
            return httpx.get(url, timeout=1, trust_env=False).status_code == httpx.codes.OK
        except (httpx.TransportError, AssertionError):
            return False

    def writer(self) -> str:
        """Return the service whose writer is at work."""
        try:
            with self.redis() as client:
                sign = client.get(redis_keys.WRITER_ALIVE)
                spare = client.get(redis_keys.WRITER_SPARE)
        except OUTAGES:
            return ""
        if not sign or msgspec.json.decode(sign, type=WriterAlive).trouble:
            return ""
        return "writer" if spare and SECOND.encode() in spare else "writer-2"

    def machine_at_work(self) -> str:
        """Return the machine that holds the seat, empty if none does."""
        with self.redis() as client:
            held = client.get(redis_keys.MACHINE_AT_WORK)
        return held.decode().partition(":")[0] if held else ""
