"""nginx in front of the API, natively and with the project's own configuration."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from loadtest.bench.children import BenchFailed, child, wait_for

RENDER = Path(__file__).parents[2] / "nginx" / "render"
START_S_MAX = 10


@dataclass(frozen=True, slots=True)
class Edge:
    """A running nginx."""

    port: int
    pid: int


def find_nginx() -> str | None:
    """Return nginx's path; as root on a Debian without it, install it first."""
    found = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if found or os.geteuid() or not shutil.which("apt-get"):
        return found
    install = ["apt-get", "install", "-y", "-q", "nginx-light"]
    subprocess.run(install, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    return shutil.which("nginx", path="/usr/sbin:/usr/bin")


@contextmanager
def edge(binary: str, folder: Path, port: int, api_port: int) -> Iterator[Edge]:
    """Run nginx on `port` for the length of the block, in front of the API on `api_port`."""
    folder.mkdir()
    render = ["sh", str(RENDER), str(folder), f"127.0.0.1:{port}", f"127.0.0.1:{api_port}"]
    done = subprocess.run(render, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BenchFailed(f"nginx/render: {done.stderr.strip()}")
    command = [binary, "-p", str(folder), "-c", "nginx.conf", "-g", "daemon off;"]
    with child(command, os.environ, folder / "output.log") as process:
        wait_for(f"nginx ({folder / 'output.log'})", lambda: _answers(port), process, START_S_MAX)
        yield Edge(port, process.pid)


def _answers(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/_edge", timeout=2, trust_env=False).status_code == 204
    except httpx.TransportError:
        return False
