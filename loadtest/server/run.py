"""What a request costs in the server alone: our worker and gunicorn's own over a function that does nothing."""

from __future__ import annotations

import os
import statistics
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Annotated

from msgspec import Struct

from loadtest.bench.http import head_of, with_body, without_body
from loadtest.bench.machine import cpu_seconds
from loadtest.bench.open_loop import OpenLoop
from loadtest.bench.processes import apart, child, free_ports, wait_for
from loadtest.bench.schedule import Plan
from loadtest.bench.stage import Stage
from loadtest.bench.system import answers, nginx
from loadtest.bench.traffic import Repeated
from loadtest.measurement import Findings, Measurement, Trial

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
TIME_PLAN = Plan(rate=0, warm_up_s=1.0, measure_s=4.0)
START_S_MAX = 30


class Case(Struct, frozen=True):
    """What is measured."""

    worker: str
    method: str
    connections: int
    rate: int
    """Requests a second on schedule; 0: the next follows at once."""

    @property
    def request(self) -> bytes:
        """Its request."""
        head = head_of(self.method, PATH, "127.0.0.1", "0123456789abcdef0123456789abcdef0123456789a")
        return with_body(head, TAP) if self.method == "POST" else without_body(head)


class Cost(Struct):
    """What came of it; of several rounds each figure's median, and the most errors."""

    per_s: float
    cpu_us: float
    p50_ms: float
    p99_ms: float
    errors: int


class Server(Findings):
    """A whole run."""

    costs: list[tuple[Case, Cost]]

    @property
    def renews(self) -> bool:
        """It is put into the document by hand, with what it is compared with."""
        return False

    def complaints(self) -> list[str]:
        """No request may fail."""
        errors = sum(cost.errors for _, cost in self.costs)
        return [f"{errors} requests failed"] if errors else []


def compared(
    trial: Trial,
    seconds: Annotated[float, "length of one measurement"] = 4.0,
    rounds: Annotated[int, "measurements of each case; the median is shown"] = 3,
    rate: Annotated[int, "requests a second of the measurements on schedule"] = 2_000,
) -> Server:
    """Tell what a request costs in the server alone: all cases in turns, so that a busy moment meets both workers."""
    cases = [
        Case(worker, method, connections, per_s)
        for per_s in (0, rate)
        for method in ("GET", "POST")
        for connections in CONNECTIONS
        for worker in WORKERS
    ]
    costs: dict[Case, list[Cost]] = {case: [] for case in cases}
    with trial.display.step("requests to an empty function", rounds * len(cases) * (seconds + 3)) as show:
        for number in range(rounds):
            for place, case in enumerate(cases):
                show(f"round {number + 1} of {rounds}, case {place + 1} of {len(cases)}")
                costs[case].append(_measure(trial, case, seconds))
    return Server([(case, _middle(found)) for case, found in costs.items()])


def _measure(trial: Trial, case: Case, seconds: float) -> Cost:
    options = ("--worker-class", WORKERS[case.worker], *OPTIONS)
    log = trial.folder / "gunicorn.log"
    with gunicorn("loadtest.server.app:app", PATH, os.environ, log, *options) as (port, pid):
        return apart(_generate, case, seconds, port, pid)


def _generate(case: Case, seconds: float, port: int, pid: int) -> Cost:
    loop, calls = OpenLoop(("127.0.0.1", port), case.connections), Repeated(case.request)
    loop.run(Plan(case.rate, 0.0, WARM_UP_S), calls)
    before_s = cpu_seconds({"server": pid})["server"]
    figures = loop.run(Plan(case.rate, 0.0, seconds), calls)
    used_s = cpu_seconds({"server": pid})["server"] - before_s
    loop.close()
    return Cost(
        per_s=figures.good_in_window / seconds,
        cpu_us=used_s * 1e6 / max(1, figures.good),
        p50_ms=figures.latencies.percentile_ms(50),
        p99_ms=figures.latencies.percentile_ms(99),
        errors=figures.errors.total(),
    )


def _middle(rounds: list[Cost]) -> Cost:
    def middle(value: Callable[[Cost], float]) -> float:
        return statistics.median(map(value, rounds))

    return Cost(
        middle(lambda one: one.per_s),
        middle(lambda one: one.cpu_us),
        middle(lambda one: one.p50_ms),
        middle(lambda one: one.p99_ms),
        max(one.errors for one in rounds),
    )


@contextmanager
def gunicorn(
    app: str, path: str, environment: Mapping[str, str], log: Path, *options: str
) -> Iterator[tuple[int, int]]:
    """Run a server for the length of the block, which answers at `path`; its port and process id."""
    (port,) = free_ports(1)
    command = [sys.executable, "-m", "gunicorn", *options, "--bind", f"127.0.0.1:{port}", app]
    with child(command, environment, log) as process:
        wait_for(f"gunicorn ({log})", lambda: answers(f"http://127.0.0.1:{port}{path}"), process, START_S_MAX)
        yield port, process.pid


def calls_per_s(port: int, domain: str) -> float:
    """Return how many calls a second the server behind `port` answers when the next follows at once."""
    loop = OpenLoop(("127.0.0.1", port), TIME_CONNECTIONS)
    try:
        figures = loop.run(TIME_PLAN, Repeated(without_body(head_of("GET", TIME_PATH, domain))))
    finally:
        loop.close()
    return figures.good_in_window / TIME_PLAN.measure_s


@contextmanager
def gevent_worker(on: Stage, folder: Path) -> Iterator[int]:
    """Run the system's functions on gunicorn's own gevent worker, with an nginx of its own; the port to call."""
    environment = {**on.running.environment, "TAPTRADE_REDIS_URL": on.running.redis_url}
    options = ("--config", "python:taptrade.gunicorn_settings", "--worker-class", "gevent")
    folder.mkdir()
    with ExitStack() as stack:
        port, _ = stack.enter_context(
            gunicorn("runtime.wiring:get_app()", TIME_PATH, environment, folder / "gunicorn.log", *options)
        )
        if on.trial.nginx is not None:
            api_port, (port,) = port, free_ports(1)
            stack.enter_context(nginx(on.trial.nginx, folder / "nginx", port, api_port))
        yield port


MEASUREMENT = Measurement("server", compared, nginx="unused")
