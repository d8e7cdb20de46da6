"""What a request costs in the server alone: our worker and gunicorn's own over a function that does nothing."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from statistics import median
from typing import Annotated

from msgspec import Struct

from loadtest import machine
from loadtest.measurement import Found, Measurement, Trial
from loadtest.open_loop import OpenLoop, head_of, request_of
from loadtest.processes import apart, child, free_port, wait_for
from loadtest.schedule import Figures, Plan
from loadtest.stage import Stage
from loadtest.system import answers, nginx
from loadtest.traffic import Repeated
from taptrade.embedded_redis import redis_url

WORKERS = {"ours": "runtime.server.TapWorker", "gunicorn's": "gevent"}
CONNECTIONS = (64, 256)
PATH = "/empty"
OPTIONS = ("--keep-alive", "75", "--worker-connections", "10000", "--no-control-socket")
TAP = (
    b'{"cell_id":"1790000010_6000000_6000500","amount":500,"min_rate_bp":18500,"nonce":"0123456789abcdef",'
    b'"timestamp":1790000000,"signature":"0x%b"}' % (b"ab" * 65)
)
WARM_UP_S = 1.0
TIME_PATH = "/api/time"
TIME_CONNECTIONS = 64
TIME_S = 4.0
START_S_MAX = 30


class Case(Struct, frozen=True):
    """What is measured."""

    worker: str
    method: str
    connections: int
    rate: int
    """Requests a second on schedule; 0: the next follows at once."""


def complaints(found: Found) -> Iterator[str]:
    """No request may fail."""
    if errors := sum(cost["errors"] for _, cost in found["costs"]):
        yield f"{errors} requests failed"


def compared(
    trial: Trial,
    seconds: Annotated[float, "length of one measurement"] = 4.0,
    rounds: Annotated[int, "measurements of each case; the median is shown"] = 3,
    rate: Annotated[int, "requests a second of the measurements on schedule"] = 2_000,
) -> Found:
    """Tell what a request costs in the server alone: all cases in turns, so that a busy moment meets both workers."""
    cases = [
        Case(worker, method, connections, per_s)
        for per_s in (0, rate)
        for method in ("GET", "POST")
        for connections in CONNECTIONS
        for worker in WORKERS
    ]
    costs: dict[Case, list[Found]] = {case: [] for case in cases}
    with trial.display.step("requests to an empty function", rounds * len(cases) * (seconds + 3)) as show:
        for number in range(rounds):
            for place, case in enumerate(cases):
                show(f"round {number + 1} of {rounds}, case {place + 1} of {len(cases)}")
                costs[case].append(_measure(trial, case, seconds))
    return {"costs": [(case, _middle(found)) for case, found in costs.items()]}


def _measure(trial: Trial, case: Case, seconds: float) -> Found:
    options = ("--worker-class", WORKERS[case.worker], *OPTIONS)
    with gunicorn("loadtest.empty:app", PATH, os.environ, trial.folder / "gunicorn.log", *options) as (port, pid):
        return apart(_generate, case, seconds, port, pid)


def _generate(case: Case, seconds: float, port: int, pid: int) -> Found:
    head = head_of(case.method, PATH, "127.0.0.1", "0123456789abcdef0123456789abcdef0123456789a")
    request = request_of(head, TAP if case.method == "POST" else b"")
    figures, used_s = _calls(port, request, case.connections, Plan(case.rate, 0.0, seconds), {"server": pid})
    return {
        "per_s": figures.good_in_window / seconds,
        "cpu_us": used_s * 1e6 / max(1, figures.good),
        **figures.latencies.ms(50, 99),
        "errors": figures.errors.total(),
    }


def _calls(port: int, request: bytes, connections: int, plan: Plan, roots: Mapping[str, int]) -> tuple[Figures, float]:
    """Follow a plan after a second of the same; return its figures, and the CPU seconds that the server took."""
    calls = Repeated(request)
    with closing(OpenLoop(("127.0.0.1", port), connections)) as loop:
        loop.run(Plan(plan.rate, 0.0, WARM_UP_S), calls)
        before = machine.usage(roots)
        figures = loop.run(plan, calls)
    return figures, sum(machine.cpu_s_between(before, machine.usage(roots)).values())


def calls_per_s(port: int, domain: str) -> float:
    """Return how many calls a second the server behind `port` answers when the next follows at once."""
    request = request_of(head_of("GET", TIME_PATH, domain))
    figures, _ = _calls(port, request, TIME_CONNECTIONS, Plan(0, 0.0, TIME_S), {})
    return figures.good_in_window / TIME_S


def _middle(rounds: Sequence[Found]) -> Found:
    """Return each figure's median over several rounds, and the most errors."""
    medians = {name: median(one[name] for one in rounds) for name in ("per_s", "cpu_us", "p50_ms", "p99_ms")}
    return {**medians, "errors": max(one["errors"] for one in rounds)}


@contextmanager
def gunicorn(
    app: str, path: str, environment: Mapping[str, str], log: Path, *options: str
) -> Iterator[tuple[int, int]]:
    """Run a server for the length of the block, which answers at `path`; its port and process id."""
    port = free_port()
    command = [sys.executable, "-m", "gunicorn", *options, "--bind", f"127.0.0.1:{port}", app]
    with child(command, environment, log) as process:
        wait_for(f"gunicorn ({log})", lambda: answers(f"http://127.0.0.1:{port}{path}"), process, START_S_MAX)
        yield port, process.pid


@contextmanager
def gevent_worker(on: Stage, folder: Path) -> Iterator[int]:
    """Run the system's functions on gunicorn's own gevent worker, with an nginx of its own; the port to call."""
    environment = {**on.running.environment, "TAPTRADE_REDIS_URL": redis_url(on.running.settings)}
    options = ("--config", "python:taptrade.gunicorn_settings", "--worker-class", "gevent")
    folder.mkdir()
    with ExitStack() as stack:
        port, _ = stack.enter_context(
            gunicorn("runtime.wiring:get_app()", TIME_PATH, environment, folder / "gunicorn.log", *options)
        )
        if on.trial.nginx is not None:
            api_port, port = port, free_port()
            stack.enter_context(nginx(on.trial.nginx, folder / "nginx", port, api_port))
        yield port


MEASUREMENT = Measurement(
    "server",
    compared,
    complaints,
    # It is put into the document by hand, with what it is compared with.
    renews=lambda _found: False,
    nginx="unused",
)
