"""The generator's process: it makes players, signs them in, and follows plans that come through a pipe."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection

import httpx

from loadtest.bench.engine import Engine, Errand
from loadtest.bench.http import head_of, without_body
from loadtest.bench.piped import Piped, piped
from loadtest.bench.players import SignIns, new_players
from loadtest.bench.schedule import Figures, Plan
from loadtest.bench.taps import Taps
from runtime.clock import SystemClock

GRID_EVERY_S = 0.25
SILENCE_S_MAX = 30.0


@dataclass(frozen=True, slots=True)
class Brief:
    """What a generator needs to know before its first plan."""

    port: int
    domain: str
    chain_id: int
    players: int
    connections: int
    signed: bool
    sign_ins_per_s: int


@dataclass(frozen=True, slots=True)
class Progress:
    """Once a second: what has been answered so far."""

    good: int
    errors: int


class Generator:
    """The bench's end of the pipe."""

    def __init__(self, process: Piped) -> None:
        self._process = process
        self.pid = process.pid

    def start(self, plan: Plan) -> None:
        """Let a plan begin at once."""
        self._process.send(plan)

    def receive(self, timeout_s: float) -> Progress | Figures | None:
        """Return the next message, None if there is none in time: progress once a second, at last the figures."""
        message: Progress | Figures | None = self._process.receive(timeout_s)
        return message

    def figures(self, on_progress: Callable[[Progress], None]) -> Figures:
        """Wait until the plan under way has ended."""
        while not isinstance(message := self._process.await_message(SILENCE_S_MAX), Figures):
            on_progress(message)
        return message


@contextmanager
def generator(brief: Brief) -> Iterator[Generator]:
    """Run a generator's process for the length of the block."""
    with piped("the generator", serve, brief) as process:
        yield Generator(process)


def serve(pipe: Connection, brief: Brief) -> None:
    """Sign the players in, then follow plans until the pipe closes. Runs in the generator's process."""
    clock = SystemClock()
    players = new_players(brief.players)
    taps = Taps(players, brief.chain_id, clock, signed=brief.signed)
    url = f"http://127.0.0.1:{brief.port}/api/grid"
    errand = Errand(without_body(head_of("GET", "/api/grid", brief.domain)), GRID_EVERY_S, taps.see_grid)
    engine = Engine(("127.0.0.1", brief.port), brief.connections, errand)

    def tell(figures: Figures) -> None:
        pipe.send(Progress(figures.good, figures.errors.total()))

    sign_ins = Plan(brief.sign_ins_per_s, 0.0, brief.players / brief.sign_ins_per_s)
    pipe.send(engine.run(sign_ins, SignIns(players, brief.domain, brief.chain_id, clock), tell))
    # Nothing here makes cycles, and a pause of the collector would be taken for the server's.
    gc.collect()
    gc.freeze()
    gc.disable()
    while True:
        plan: Plan = pipe.recv()
        grid = httpx.get(url, timeout=5, trust_env=False)
        taps.see_grid(grid.status_code, grid.content)
        pipe.send(engine.run(plan, taps, tell))
