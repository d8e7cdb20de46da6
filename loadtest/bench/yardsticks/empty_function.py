"""An empty function through nginx: on our own server, and on gunicorn's own gevent worker."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from loadtest.bench.children import child, free_ports, wait_for
from loadtest.bench.edge import edge
from loadtest.bench.engine import Engine
from loadtest.bench.http import head_of, problem_code, without_body
from loadtest.bench.schedule import Figures, Plan
from loadtest.bench.system import System

PATH = "/api/time"
CONNECTIONS = 64
PLAN = Plan(rate=0, lead_s=1.0, measure_s=4.0)
START_S_MAX = 30


class Calls:
    """The traffic of one request over and over."""

    def __init__(self, domain: str) -> None:
        self._request = without_body(head_of("GET", PATH, domain))

    def request(self) -> tuple[bytes, int]:
        """Return the request."""
        return self._request, 0

    def answered(self, tag: int, status: int, body: bytes) -> str:
        """Anything but 200 is an error."""
        del tag
        return "" if status == 200 else problem_code(status, body)


def calls_per_s(port: int, domain: str) -> float:
    """Return how many calls a second the server behind `port` answers when the next follows at once."""
    engine = Engine(("127.0.0.1", port), CONNECTIONS)
    try:
        figures = engine.run(PLAN, Calls(domain), _quietly)
    finally:
        engine.close()
    return figures.good_in_window / PLAN.measure_s


def _quietly(figures: Figures) -> None:
    """Show nothing: this process is the generator."""
    del figures


@contextmanager
def gevent_worker(running: System, nginx: str | None, folder: Path) -> Iterator[int]:
    """Run the same functions on gunicorn's own gevent worker, with an nginx of its own; the port to call."""
    port, front_port = free_ports(2)
    command = [
        *(sys.executable, "-P", "-m", "gunicorn", "--config", "python:taptrade.gunicorn_settings"),
        *("--worker-class", "gevent", "--bind", f"127.0.0.1:{port}", "runtime.wiring:get_app()"),
    ]
    environment = {**running.environment, "TAPTRADE_REDIS_URL": running.redis_url}
    folder.mkdir()
    with child(command, environment, folder / "gunicorn.log") as process:
        wait_for(f"gunicorn ({folder / 'gunicorn.log'})", lambda: _answers(port), process, START_S_MAX)
        if nginx is None:
            yield port
            return
        with edge(nginx, folder / "nginx", front_port, port):
            yield front_port


def _answers(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}{PATH}", timeout=2, trust_env=False).is_success
    except httpx.TransportError:
        return False
