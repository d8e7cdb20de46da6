"""The stage of a measurement: the system, nginx in front of it, and a generator whose players have signed in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event

from loadtest.bench.children import BenchFailed, free_ports
from loadtest.bench.display import Display
from loadtest.bench.edge import edge
from loadtest.bench.generator import Brief, Generator, generator
from loadtest.bench.rates import Meter
from loadtest.bench.results import Audit
from loadtest.bench.system import System, system
from loadtest.bench.vitals import Vitals

PLAYERS = 6_000
CONNECTIONS = 400
"""Enough for 3,000 a second as long as answers take less than 133 ms. Past that the generator waits itself, and the
waiting counts as latency; what the system does with more at once, `make spike` shows."""
SIGN_INS_PER_S = 250
START_S = 20 + PLAYERS / SIGN_INS_PER_S
SETTLE_S_MAX = 90


@dataclass(frozen=True, slots=True)
class Stage:
    """A running system, the port that players know, and what measures it."""

    running: System
    port: int
    meter: Meter
    vitals: Vitals

    def count_money(self) -> Audit:
        """Wait until every bet is settled, then let the audit recount it all."""
        pause = Event()
        for _ in range(SETTLE_S_MAX):
            if not self.vitals.bets_are_open():
                return self.running.audit()
            pause.wait(1)
        raise BenchFailed(f"bets are still open {SETTLE_S_MAX} s after the last")


@contextmanager
def stage(
    folder: Path,
    nginx: str | None,
    display: Display,
    *,
    signed: bool,
    connections: int = CONNECTIONS,
    overrides: Mapping[str, str] | None = None,
) -> Iterator[Stage]:
    """Build the stage for the length of the block, with some settings; everything is stopped at its end."""
    name = "signed" if signed else "unsigned"
    with ExitStack() as stack:
        with display.step(f"starting ({name} bets)", START_S) as show:
            unsigned = {} if signed else {"TAPTRADE_BET_SIGNATURES": "off"}
            running = stack.enter_context(system(folder / name, {**unsigned, **(overrides or {})}))
            settings, port, roots = running.settings, running.settings.port, {"supervisor": running.pid}
            if nginx is not None:
                (port,) = free_ports(1)
                front = stack.enter_context(edge(nginx, folder / f"{name}-nginx", port, settings.port))
                roots["nginx"] = front.pid
            brief = Brief(port, settings.domain, settings.chain_id, PLAYERS, connections, signed, SIGN_INS_PER_S)
            sender = stack.enter_context(generator(brief))
            vitals = Vitals(running)
            stack.callback(vitals.close)
            show("players sign in")
            _await_sign_ins(sender)
        yield Stage(running, port, Meter(sender, {**roots, "generator": sender.pid}, vitals), vitals)


def _await_sign_ins(sender: Generator) -> None:
    errors = sender.figures(lambda _progress: None).errors
    if errors:
        raise BenchFailed(f"players could not sign in: {dict(errors)}")
