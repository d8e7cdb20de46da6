"""An office of one address plays through the edge, then beside a flood: `python -m tests.attack.office --players 50`.

Each player opens the page with all its files, keeps a stream, signs in and taps once a second, all from one public
address. The flood comes from another one, as fast as it can. The limits are the default ones.
"""

from __future__ import annotations

import argparse
import re
import shutil
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from random import Random
from urllib.parse import urlsplit

import httpx

from runtime.clock import SystemClock
from taptrade.choice import Chooser
from taptrade.client import TapClient
from taptrade.views import GridView
from taptrade.wallet import Audience, new_wallet, sign_bet, sign_login
from tests.acceptance.system import STEADY, System
from tests.attack.honest import outcome
from tests.attack.worst import LIMITED
from tests.nginx.conftest import ROOT, running_edge

OFFICE = {"X-Forwarded-For": "203.0.113.1"}
FLOOD = {"X-Forwarded-For": "198.51.100.1"}
FILES = [
    "/",
    *re.findall(r'(?:href|src)="(/page/[^"]+)"', (ROOT / "page" / "index.html").read_text(encoding="utf-8")),
]
FLOODERS = 8
CLOCK = SystemClock()


@dataclass(slots=True)
class Counts:
    """What was answered, and how soon."""

    codes: Counter[str] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)

    def note(self, call: Callable[[], object]) -> None:
        """Call and count."""
        code, seconds = outcome(call)
        self.seconds.append(seconds)
        self.codes[code] += 1

    def line(self, what: str) -> str:
        """Tell of it."""
        answers = ", ".join(f"{count:,} {code}" for code, count in self.codes.most_common())
        p95_ms = sorted(self.seconds)[len(self.seconds) * 95 // 100] * 1000 if self.seconds else 0
        return f"{what:<28}{answers}; p95 {p95_ms:.0f} ms\n"


class FromOffice(httpx.HTTPTransport):
    """A transport of a client whose proxy says that it comes from the office."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request of the office."""
        request.headers.update(OFFICE)
        return super().handle_request(request)


class Desk:
    """One player of the office."""

    def __init__(self, number: int, url: str, audience: Audience, stack: ExitStack) -> None:
        self._http = stack.enter_context(httpx.Client(base_url=url, headers=OFFICE, timeout=30))
        self._client = stack.enter_context(TapClient(url, transport=FromOffice()))
        self._audience, self._stack = audience, stack
        self._wallet, self._key = new_wallet(), new_wallet()
        self._chooser = Chooser(Random(number))

    def open_page(self, counts: Counts) -> None:
        """Get the page with all its files, and its stream."""
        for file in FILES:
            counts.codes[str(self._http.get(file).status_code)] += 1
        answer = self._stack.enter_context(self._http.stream("GET", "/api/stream"))
        counts.codes[f"stream {answer.status_code}"] += 1

    def sign_in(self) -> None:
        """Log in."""
        self._client.login(sign_login(self._wallet, self._key.address, self._audience, CLOCK.now_ms()))

    def tap(self, grid: GridView) -> None:
        """Tap a cell that is offered."""
        offer = self._chooser.choose(grid, CLOCK.now_ms())
        if offer is not None:
            rate = {"min_rate_bp": offer.min_rate_bp, "chain_id": self._audience.chain_id, "now_ms": CLOCK.now_ms()}
            self._client.place_bet(sign_bet(self._key, offer.cell_id, amount_cents=100, **rate))


def tap_for(desks: list[Desk], system: System, seconds: int, pool: ThreadPoolExecutor) -> Counts:
    """Let every player tap once a second."""
    counts = Counts()
    with system.client() as inside:
        for _ in range(seconds):
            began_s = time.monotonic()
            grid = inside.grid()
            list(pool.map(lambda desk, shown=grid: counts.note(lambda: desk.tap(shown)), desks))
            time.sleep(max(0.0, 1 - time.monotonic() + began_s))
    return counts


def flood(url: str, stopping: threading.Event, codes: Counter[str]) -> None:
    """Ask as fast as one connection lets."""
    connection = HTTPConnection(urlsplit(url).netloc, timeout=30)
    while not stopping.is_set():
        connection.request("GET", "/api/grid", headers=FLOOD)
        answer = connection.getresponse()
        answer.read()
        codes[str(answer.status)] += 1
    connection.close()


def main(arguments: list[str]) -> int:
    """Run a house with an edge of its own; fail where the office could not play."""
    parser = argparse.ArgumentParser(prog="python -m tests.attack.office", description=main.__doc__)
    parser.add_argument("--players", type=int, default=50)
    parser.add_argument("--seconds", type=int, default=10, help="how long they tap, before the flood and beside it")
    given = parser.parse_args(arguments)
    folder = Path(tempfile.mkdtemp(prefix="taptrade-office-"))
    opened, signed_in, flooded, stopping = Counts(), Counts(), Counts(), threading.Event()
    with System(folder / "data", **STEADY, **LIMITED) as system, ExitStack() as stack:
        url = stack.enter_context(running_edge(folder / "edge", system.settings.port, ()))
        pool = stack.enter_context(ThreadPoolExecutor(given.players + FLOODERS))
        desks = [Desk(number, url, system.audience, stack) for number in range(given.players)]
        began_s = time.monotonic()
        list(pool.map(lambda desk: desk.open_page(opened), desks))
        seconds = time.monotonic() - began_s
        list(pool.map(lambda desk: signed_in.note(desk.sign_in), desks))
        before = tap_for(desks, system, given.seconds, pool)
        floods = [pool.submit(flood, url, stopping, flooded.codes) for _ in range(FLOODERS)]
        beside = tap_for(desks, system, given.seconds, pool)
        stopping.set()
        for one in floods:
            one.result()
    shutil.rmtree(folder)
    sys.stdout.write(f"{given.players} pages of {len(FILES)} files within {seconds:.1f} s\n")
    for what, counts in {
        "pages and streams": opened,
        "sign-ins": signed_in,
        "taps": before,
        "taps beside the flood": beside,
        "the flood": flooded,
    }.items():
        sys.stdout.write(counts.line(what))
    refused = sum(counts.codes[code] for counts in (opened, before, beside) for code in ("429", "RATE_LIMITED"))
    return 1 if refused else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
