"""`make bench`: start the real system, measure it, count the money. `--rates 3000` measures one rate only."""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import msgspec
from rich.console import Console

from loadtest.bench.children import BenchFailed, free_ports
from loadtest.bench.edge import edge, find_nginx
from loadtest.bench.generator import Brief, generator
from loadtest.bench.rates import Stage
from loadtest.bench.schedule import Figures, Plan
from loadtest.bench.system import system
from loadtest.bench.vitals import Vitals

BUILD = Path(__file__).parents[2] / "build"
PLAYERS = 4_000
CONNECTIONS = 400
SIGN_INS_PER_S = 250


def main(arguments: Sequence[str]) -> int:
    """Run the bench; the exit code is 1 if money does not add up."""
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("--rates", type=int, nargs="*", default=[500, 1000, 2000, 3000, 4000])
    parser.add_argument("--lead", type=float, default=20)
    parser.add_argument("--measure", type=float, default=25)
    args = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    console = Console()
    BUILD.mkdir(exist_ok=True)
    nginx = find_nginx()
    with tempfile.TemporaryDirectory(prefix="bench-", dir=BUILD) as name, ExitStack() as stack:
        folder = Path(name)
        console.print("starting")
        running = stack.enter_context(system(folder / "data", {}))
        port = running.settings.port
        roots = {"supervisor": running.pid}
        if nginx:
            (port,) = free_ports(1)
            front = stack.enter_context(edge(nginx, folder / "nginx", port, running.settings.port))
            roots["nginx"] = front.pid
        brief = Brief(port, running.domain, running.settings.chain_id, PLAYERS, CONNECTIONS, True, SIGN_INS_PER_S)
        sender = stack.enter_context(generator(brief))
        roots["generator"] = sender.pid
        while not isinstance(message := sender.receive(30), Figures):
            if message is None:
                raise BenchFailed("no sign-ins")
        console.print(
            f"signed in: {message.good}, errors {dict(message.errors)}, p99 {message.latencies.percentile_ms(99)} ms"
        )
        vitals = Vitals(running)
        stage = Stage(sender, roots, vitals, lambda text: console.print(text, end="\r"))
        found = []
        for rate in args.rates:
            found.append(stage.measure(Plan(rate, args.lead, args.measure)))
            console.print(msgspec.json.format(msgspec.json.encode(found[-1])).decode())
        while vitals.bets_are_open():
            time.sleep(0.5)
        vitals.close()
        ok, line = running.audit()
        console.print(line)
        (BUILD / "bench.json").write_bytes(msgspec.json.format(msgspec.json.encode({"rates": found})))
    return 0 if ok else 1


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except BenchFailed as ex:
        sys.exit(f"bench: {ex}")
