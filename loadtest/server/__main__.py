"""Compare our worker with gunicorn's own over a function that does nothing, and print a table."""

from __future__ import annotations

import argparse
import multiprocessing
import os
import signal
import statistics
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

import httpx

from loadtest.bench.children import child, free_ports, wait_for
from loadtest.bench.engine import Engine
from loadtest.bench.http import head_of, problem_code, with_body, without_body
from loadtest.bench.proc import cpu_seconds
from loadtest.bench.schedule import Figures, Plan

WORKERS = {"ours": "runtime.server.TapWorker", "gunicorn's": "gevent"}
CONNECTIONS = (64, 256)
PATH = "/empty"
TAP = (
    b'{"cell_id":"1790000010_6000000_6000500","amount":500,"min_rate_bp":18500,"nonce":"0123456789abcdef",'
    b'"timestamp":1790000000,"signature":"0x%b"}' % (b"ab" * 65)
)
LEAD_S = 1.0
START_S_MAX = 20


@dataclass(frozen=True, slots=True)
class Case:
    """What is measured."""

    worker: str
    method: str
    connections: int
    rate: int
    """Requests a second on schedule; 0: the next follows at once."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What came of it."""

    per_s: float
    cpu_us: float
    p50_ms: float
    p99_ms: float
    errors: int


class Calls:
    """The same request over and over."""

    def __init__(self, method: str) -> None:
        head = head_of(method, PATH, "127.0.0.1", "0123456789abcdef0123456789abcdef0123456789a")
        self._request = with_body(head, TAP) if method == "POST" else without_body(head)

    def request(self) -> tuple[bytes, int]:
        """Return the request."""
        return self._request, 0

    def answered(self, tag: int, status: int, body: bytes) -> str:
        """Anything but success is an error."""
        del tag
        return "" if status < 300 else problem_code(status, body)


@contextmanager
def running(worker: str, folder: Path) -> Iterator[tuple[int, int]]:
    """Run a server; its port and process id."""
    (port,) = free_ports(1)
    command = [
        *(sys.executable, "-m", "gunicorn", "loadtest.server.app:app", "--worker-class", WORKERS[worker]),
        *("--bind", f"127.0.0.1:{port}", "--keep-alive", "75", "--worker-connections", "10000", "--no-control-socket"),
    ]
    log = folder / "gunicorn.log"
    with child(command, os.environ, log) as process:
        wait_for(f"gunicorn ({log})", lambda: _answers(port), process, START_S_MAX)
        yield port, process.pid


def _answers(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}{PATH}", timeout=2, trust_env=False).is_success
    except httpx.TransportError:
        return False


def measure(case: Case, seconds: float, folder: Path) -> Cost:
    """Measure one case; the generator is a process of its own."""
    with running(case.worker, folder) as (port, pid):
        here, there = multiprocessing.Pipe()
        generator = multiprocessing.Process(target=_generate, args=(case, seconds, port, pid, there))
        generator.start()
        cost: Cost = here.recv()
        generator.join()
    return cost


def _generate(case: Case, seconds: float, port: int, pid: int, pipe: Connection) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    engine = Engine(("127.0.0.1", port), case.connections)
    calls = Calls(case.method)
    engine.run(Plan(case.rate, 0.0, LEAD_S), calls, _quietly)
    before_s = cpu_seconds({"server": pid})["server"]
    figures = engine.run(Plan(case.rate, 0.0, seconds), calls, _quietly)
    used_s = cpu_seconds({"server": pid})["server"] - before_s
    engine.close()
    latencies = figures.latencies
    pipe.send(
        Cost(
            per_s=figures.good_in_window / seconds,
            cpu_us=used_s * 1e6 / max(1, figures.good),
            p50_ms=latencies.percentile_ms(50),
            p99_ms=latencies.percentile_ms(99),
            errors=figures.errors.total(),
        )
    )


def _quietly(figures: Figures) -> None:
    """Show nothing while it runs."""
    del figures


def row(case: Case, costs: Sequence[Cost]) -> str:
    """Write a line of the table: the median of each figure."""

    per_s, cpu_us, p50_ms, p99_ms = (
        statistics.median(figures)
        for figures in zip(*((cost.per_s, cost.cpu_us, cost.p50_ms, cost.p99_ms) for cost in costs), strict=True)
    )
    schedule = f"{case.rate:,}/s" if case.rate else "at once"
    errors = max(cost.errors for cost in costs)
    return (
        f"| {case.method} | {case.connections} | {schedule} | {case.worker} | {per_s:,.0f} "
        f"| {cpu_us:.0f} us | {p50_ms:.1f} ms | {p99_ms:.1f} ms | {errors} |\n"
    )


def main(argv: Sequence[str]) -> int:
    """Measure all cases in turns, so that a busy moment of the machine meets both workers."""
    parser = argparse.ArgumentParser(prog="python -m loadtest.server", description=__doc__)
    parser.add_argument("--seconds", type=float, default=4.0, help="length of one measurement")
    parser.add_argument("--rounds", type=int, default=3, help="measurements of each case; the median is shown")
    parser.add_argument("--rate", type=int, default=2_000, help="requests a second of the measurements on schedule")
    asked = parser.parse_args(argv)
    cases = [
        Case(worker, method, connections, rate)
        for rate in (0, asked.rate)
        for method in ("GET", "POST")
        for connections in CONNECTIONS
        for worker in WORKERS
    ]
    costs: dict[Case, list[Cost]] = {case: [] for case in cases}
    with tempfile.TemporaryDirectory() as folder:
        for number in range(asked.rounds):
            for place, case in enumerate(cases):
                sys.stderr.write(f"\rround {number + 1} of {asked.rounds}, case {place + 1} of {len(cases)} ")
                costs[case].append(measure(case, asked.seconds, Path(folder)))
    sys.stderr.write("\n")
    sys.stdout.write("| | connections | requests | worker | answers/s | CPU of one | p50 | p99 | errors |\n")
    sys.stdout.write("|---|---|---|---|---|---|---|---|---|\n")
    sys.stdout.writelines(row(case, costs[case]) for case in cases)
    return 1 if any(cost.errors for measured in costs.values() for cost in measured) else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
