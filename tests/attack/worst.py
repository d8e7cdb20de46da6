"""Send every route its worst, beside an honest player: `python -m tests.attack.worst --seconds 60`.

The limits are the default ones, so most of it is refused. With --unlimited none of it is, and the column `cpu` tells
what one request costs all processes together: docs/limits.md has these figures.
"""

from __future__ import annotations

import argparse
import shutil
import socket
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from http.client import HTTPConnection
from itertools import cycle
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console
from rich.table import Table

from loadtest.machine import usage
from loadtest.system import NO_RATES
from runtime.settings_table import TABLE
from tests.acceptance.system import STEADY, System
from tests.attack.honest import Honest
from tests.attack.worst_requests import NO_REQUEST, WORST, Ask, Attacker
from tests.waiting import wait_until

ADDRESSES = ("203.0.113.1", "203.0.113.2")
SECRET = {"processor_secret": "k" * 32}
LIMITED = SECRET | {row.field: row.default for row in TABLE if row.variable in NO_RATES}
UNLIMITED = SECRET | {"withdrawals_pending_max": "1000000", "withdrawal_min_cents": "1"}
GoOn = Callable[[int], bool]
"""Whether another request is sent after so many."""
NOTHING = "no request"
QUIET_S = 5.0
HISTORY = 500
WIDTH = 130


@dataclass(frozen=True, slots=True)
class Stand:
    """How much of everything there is at a moment, and the CPU time that was used until then."""

    rows: Counter[str]
    redis_bytes: int
    log_bytes: int
    cpu_s: float


@dataclass(slots=True)
class Phase:
    """What became of the worst requests to one route."""

    route: str
    codes: Counter[str] = field(default_factory=Counter)
    cpu_s: float = 0.0
    seconds: float = 0.0
    honest_s: Sequence[float] = ()
    """How long each answer to the honest player took meanwhile."""


def stand(system: System) -> Stand:
    """Look at everything that grows."""
    with system.database() as database:
        names = database.execute("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
        rows = Counter({name: database.execute(f"SELECT count(*) FROM {name}")[0][0] for (name,) in names})
    with closing(system.redis()) as client:
        memory: Any = client.info("memory")
    logs = [*(system.data / "logs").iterdir(), system.log]
    cpu_s = sum(one.cpu_s for one in usage({"up": system.launcher_pid}).values())
    return Stand(rows, memory["used_memory"], sum(path.stat().st_size for path in logs), cpu_s)


class Line:
    """A kept-alive connection of one attacker."""

    def __init__(self, attacker: Attacker) -> None:
        self.attacker = attacker
        self._address = ("127.0.0.1", attacker.target.settings.port)
        self._connection = HTTPConnection(*self._address, timeout=20)

    def close(self) -> None:
        """Hang up."""
        self._connection.close()

    def ask(self, method: str, ask: Ask) -> tuple[int, bytes]:
        """Send one request; return the status and the body of its answer, of a stream what comes first."""
        if not ask.is_stream:
            return self._ask(self._connection, method, ask)
        with closing(HTTPConnection(*self._address, timeout=20)) as connection:
            return self._ask(connection, method, ask)

    def _ask(self, connection: HTTPConnection, method: str, ask: Ask) -> tuple[int, bytes]:
        headers = self.attacker.headers | ({"Content-Type": "application/json"} if ask.body else {}) | ask.headers
        connection.request(method, ask.path, ask.body or None, headers)
        answer = connection.getresponse()
        first_only = ask.is_stream and answer.status == 200
        return answer.status, answer.read1() if first_only else answer.read()

    def ask_nonsense(self) -> str:
        """Send what is no request; return the status of the answer."""
        with socket.create_connection(self._address, timeout=20) as client:
            client.sendall(NO_REQUEST)
            return client.recv(4_096)[9:12].decode()


def code_of(status: int, body: bytes) -> str:
    """Return the code of a refusal, the status of anything else."""
    return str(msgspec.json.decode(body).get("code", status)) if status >= 400 else str(status)


def attack(system: System, lines: list[Line], honest: Honest, route: str, go_on: GoOn) -> Phase:
    """Send one route its worst from all lines at once, each until `go_on` of the number sent says no."""
    method, _, _ = route.partition(" ")
    phase, before, heard = Phase(route), stand(system).cpu_s, len(honest.seconds)
    began_s = time.monotonic()

    def send(line: Line) -> Counter[str]:
        codes: Counter[str] = Counter()
        makers = cycle(WORST.get(route, (None,)))
        while go_on(codes.total()):
            make = next(makers)
            codes[line.ask_nonsense() if make is None else code_of(*line.ask(method, make(line.attacker)))] += 1
        return codes

    with ThreadPoolExecutor(len(lines)) as pool:
        for codes in pool.map(send, lines):
            phase.codes += codes
    phase.seconds = time.monotonic() - began_s
    phase.cpu_s = stand(system).cpu_s - before
    phase.honest_s = honest.seconds[heard:]
    return phase


def sign_in(system: System) -> list[Line]:
    """Let the attackers log in, each from an address of its own."""
    lines = [Line(Attacker(system, address)) for address in ADDRESSES]
    for line in lines:

        def logged_in(line: Line = line) -> bool:
            attacker = line.attacker
            body = attacker.login(attacker.wallet, attacker.key.address)
            status, answer = line.ask("POST", Ask("/api/auth/login", body))
            attacker.token = msgspec.json.decode(answer).get("token", "")
            return status == 200

        wait_until(logged_in, what=f"a login of {line.attacker.address}")
        # So that deposits find something to fill up.
        line.ask("POST", WORST["POST /api/withdrawals"][0](line.attacker))
    return lines


def make_history(system: System, line: Line) -> None:
    """Give an attacker long lists, and a bet that is settled, of which everything can be checked."""
    attacker = line.attacker
    for route in ("POST /api/withdrawals", "POST /api/deposits", "POST /api/bets"):
        make = WORST[route][1 if route == "POST /api/bets" else 0]
        for _ in range(HISTORY):
            line.ask("POST", make(attacker))
    player = Honest(system, attacker.token)
    placed = wait_until(lambda: player.tap(attacker.key), what="a tap")
    assert placed is not None
    attacker.bet_id, attacker.column_s = placed.bet.id, int(placed.bet.cell_id.partition("_")[0])
    wait_until(lambda: player.client.bet(placed.bet.id).bet.status != "confirmed", 30, what="a settled bet")


def for_seconds(seconds: float) -> GoOn:
    """Go on so long, from now on."""
    began_s: list[float] = []

    def go_on(_sent: int) -> bool:
        began_s.append(time.monotonic())
        return began_s[-1] - began_s[0] < seconds

    return go_on


def p95_ms(seconds: Sequence[float]) -> str:
    """Return the time within which 95 of 100 answers came."""
    return f"{sorted(seconds)[len(seconds) * 95 // 100] * 1000:.0f}" if seconds else ""


def show(phases: list[Phase], quiet: Sequence[float], idle_share: float, before: Stand, after: Stand) -> None:
    """Print what came of it."""
    console = Console(width=None if Console().is_terminal else WIDTH)
    table = Table("route", "sent", "cpu, ms", "honest p95, ms", "answers")
    for phase in phases:
        sent = phase.codes.total()
        cpu_ms = max(0.0, phase.cpu_s - idle_share * phase.seconds) * 1000 / sent
        answers = ", ".join(f"{count} {code}" for code, count in phase.codes.most_common())
        table.add_row(phase.route, str(sent), f"{cpu_ms:.2f}", p95_ms(phase.honest_s), answers)
    console.print(table)
    console.print(f"the honest player before: p95 {p95_ms(quiet)} ms; the idle system uses {idle_share:.2f} processors")
    rows = ", ".join(f"{count} {name}" for name, count in sorted((after.rows - before.rows).items()))
    console.print(f"rows: {rows}")
    console.print(
        f"Redis: {(after.redis_bytes - before.redis_bytes) / 1e6:.1f} MB;"
        f" logs: {(after.log_bytes - before.log_bytes) / 1e3:.0f} KB"
    )


def main(arguments: list[str]) -> int:
    """Run a system of its own, and the attack on it."""
    parser = argparse.ArgumentParser(prog="python -m tests.attack.worst", description=main.__doc__)
    parser.add_argument("--seconds", type=float, default=60.0, help="how long, in all (60)")
    parser.add_argument("--unlimited", action="store_true", help="without limits, to see what a request costs")
    parser.add_argument("--only", default="", metavar="TEXT", help="routes with this text")
    given = parser.parse_args(arguments)
    routes = [route for route in (*WORST, NOTHING) if given.only in route]
    more = UNLIMITED if given.unlimited else LIMITED
    folder = tempfile.mkdtemp(prefix="taptrade-worst-")
    with ExitStack() as stack:
        system = stack.enter_context(System(Path(folder) / "data", **STEADY, **more))
        honest = stack.enter_context(Honest(system).at_play())
        lines = [stack.enter_context(closing(line)) for line in sign_in(system)]
        if given.unlimited:
            for line in lines:
                make_history(system, line)
        idle, heard = stand(system), len(honest.seconds)
        time.sleep(QUIET_S)
        before = stand(system)
        quiet, idle_share = honest.seconds[heard:], (before.cpu_s - idle.cpu_s) / QUIET_S
        phases = [attack(system, lines, honest, route, for_seconds(given.seconds / len(routes))) for route in routes]
        show(phases, quiet, idle_share, before, stand(system))
        report = system.audit()
    # Only after an orderly stop: a Redis whose folder is gone cannot save, and would not end.
    shutil.rmtree(folder)
    sys.stdout.write(f"honest player: {dict(honest.codes)}; audit: {'ok' if report.ok else report.faults}\n")
    return 0 if report.ok else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
