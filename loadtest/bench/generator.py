"""The load generator's process: it makes players, signs them in, and follows plans that come through a pipe."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection

import httpx

from loadtest.bench.http import head_of, without_body
from loadtest.bench.open_loop import Errand, OpenLoop
from loadtest.bench.processes import BenchFailed, Piped, piped
from loadtest.bench.schedule import Figures, Plan
from loadtest.bench.traffic import SignIns, Taps, new_players
from runtime.clock import SystemClock
from runtime.settings import Settings

PLAYERS = 6_000
SIGN_INS_PER_S = 250
GRID_EVERY_S = 0.25
SILENCE_S_MAX = 30.0


@dataclass(frozen=True, slots=True)
class Progress:
    """Once a second: what has been answered so far."""

    good: int
    errors: int


OnProgress = Callable[[Progress], None]


def _ignore(_progress: Progress) -> None:
    """Nobody looks."""


class Generator:
    """Our end of the pipe."""

    def __init__(self, process: Piped) -> None:
        self._process = process
        self.pid = process.pid

    def start(self, plan: Plan) -> None:
        """Let a plan begin at once."""
        self._process.send(plan)

    def listen(self, until_s: float, on_progress: OnProgress) -> Figures | None:
        """Hear of the plan under way until then (by `time.monotonic`); its figures if it ends before."""
        while (left_s := until_s - time.monotonic()) > 0:
            message: Progress | Figures | None = self._process.receive(left_s)
            if isinstance(message, Figures):
                return message
            if message is not None:
                on_progress(message)
        return None

    def figures(self, on_progress: OnProgress = _ignore) -> Figures:
        """Wait until the plan under way has ended."""
        while not isinstance(message := self._process.await_message(SILENCE_S_MAX), Figures):
            on_progress(message)
        return message

    def follow(self, plan: Plan, on_progress: OnProgress = _ignore) -> Figures:
        """Follow one plan from its start to its end."""
        self.start(plan)
        return self.figures(on_progress)


@contextmanager
def generator(port: int, settings: Settings, connections: int, *, signed: bool) -> Iterator[Generator]:
    """Run a generator's process for the length of the block, once its players have signed in."""
    with piped("the generator", serve, port, settings.domain, settings.chain_id, connections, signed) as process:
        sender = Generator(process)
        if errors := sender.figures().errors:
            raise BenchFailed(f"players could not sign in: {dict(errors)}")
        yield sender


def serve(pipe: Connection, port: int, domain: str, chain_id: int, connections: int, signed: bool) -> None:
    """Sign the players in, then follow plans until the pipe closes. Runs in the generator's process."""
    clock = SystemClock()
    players = new_players(PLAYERS)
    taps = Taps(players, chain_id, clock, signed=signed)
    errand = Errand(without_body(head_of("GET", "/api/grid", domain)), GRID_EVERY_S, taps.see_grid)
    loop = OpenLoop(("127.0.0.1", port), connections, errand)

    def tell(figures: Figures) -> None:
        pipe.send(Progress(figures.good, figures.errors.total()))

    sign_ins = Plan(SIGN_INS_PER_S, 0.0, PLAYERS / SIGN_INS_PER_S)
    pipe.send(loop.run(sign_ins, SignIns(players, domain, chain_id, clock), tell))
    # Nothing here makes cycles, and a pause of the collector would be taken for the server's.
    gc.collect()
    gc.freeze()
    gc.disable()
    while True:
        plan: Plan = pipe.recv()
        grid = httpx.get(f"http://127.0.0.1:{port}/api/grid", timeout=5, trust_env=False)
        taps.see_grid(grid.status_code, grid.content)
        pipe.send(loop.run(plan, taps, tell))
