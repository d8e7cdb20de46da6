"""A real nginx over our configuration, and behind it an API that does what a test asks."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.nginx.stand_in import StandIn
from tests.waiting import wait_until

ROOT = Path(__file__).resolve().parents[2]
NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")

SMALLER = (
    ("nginx.conf", "proxy_read_timeout 20s;", "proxy_read_timeout 1s;"),
    ("nginx.conf", "burst=400 ", "burst=4 "),
    ("upstreams.conf", "max_conns=500;", "max_conns=2;"),
    ("clients.conf", "rate=200r/s", "rate=1r/s"),
)
Changes = tuple[tuple[str, str, str], ...]
"""File, text in it that stands there once, and what is put in its place."""

collect_ignore_glob = [] if NGINX else ["test_*.py"]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say so where these tests cannot run; nginx is no Python package that the set-up could bring along."""
    if NGINX is None:
        terminalreporter.write_line("tests/nginx was left out: there is no nginx here (apt-get install nginx-light)")


def free_port() -> int:
    """Return a port of loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def nobodys_port() -> Iterator[int]:
    """Hold a port of loopback on which every connection is refused: a port merely free may become nginx' own."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


def listens(port: int) -> bool:
    """Tell whether somebody listens on a port of loopback."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture(scope="module")
def stand_in() -> Iterator[StandIn]:
    """Run the API's stand-in."""
    with StandIn() as running:
        yield running


@contextmanager
def running_edge(
    folder: Path, api_ports: int | tuple[int, ...], changes: Changes = SMALLER, **variables: str
) -> Iterator[str]:
    """Run nginx in front of a port, or of several; its URL. Only what a test would have to wait for is made smaller.

    `variables` are what `nginx/render` finds in its environment.
    """
    port = free_port()
    ports = (api_ports,) if isinstance(api_ports, int) else api_ports
    apis = ",".join(f"127.0.0.1:{api_port}" for api_port in ports)
    render: list[str | Path] = [ROOT / "nginx" / "render", folder, f"127.0.0.1:{port}", apis]
    subprocess.run(render, check=True, env=os.environ | variables)
    for file, ours, changed in changes:
        text = (folder / file).read_text(encoding="utf-8")
        assert text.count(ours) == 1
        (folder / file).write_text(text.replace(ours, changed), encoding="utf-8")
    assert NGINX
    # As root it would serve as nobody, who may not look into the folders of tests.
    user = " user root;" if os.geteuid() == 0 else ""
    process = subprocess.Popen([NGINX, "-p", str(folder), "-c", "nginx.conf", "-g", f"daemon off;{user}"])
    try:
        wait_until(lambda: listens(port), what="nginx")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(10)
    log = (folder / "error.log").read_text(encoding="utf-8")
    assert "[emerg]" not in log
    assert "[crit]" not in log


@pytest.fixture(scope="module")
def edge(stand_in: StandIn, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run nginx in front of the stand-in; its URL."""
    with running_edge(tmp_path_factory.mktemp("edge"), stand_in.port) as url:
        yield url


@pytest.fixture
def client(edge: str) -> Iterator[httpx.Client]:
    """Return a client of the edge."""
    with httpx.Client(base_url=edge, timeout=10) as opened:
        yield opened
