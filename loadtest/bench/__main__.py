"""`make bench`: the real system at fixed rates, its highest rate, the yardsticks, and the money counted at the end."""

from __future__ import annotations

import argparse
import shutil
import signal
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import msgspec
from rich.console import Console

from loadtest.bench import report
from loadtest.bench.children import BenchFailed
from loadtest.bench.display import Display
from loadtest.bench.edge import find_nginx
from loadtest.bench.results import Bench
from loadtest.bench.run import Run

ROOT = Path(__file__).parents[2]
BUILD = ROOT / "build"
DOCUMENT = ROOT / "docs" / "performance.md"
RATES = (500, 1_000, 2_000, 3_000, 4_000)


def main(arguments: Sequence[str]) -> int:
    """Run the bench; the exit code is 1 if the money does not add up, 2 if nothing could be measured."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument(
        "--rates", type=int, nargs="+", metavar="N", help="measure only these rates: no search, no yardsticks"
    )
    args = parser.parse_args(arguments)
    # Whatever tells us to stop, what we started is stopped on the way out.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("bench: told to stop"))
    display = Display(Console())
    BUILD.mkdir(exist_ok=True)
    nginx = find_nginx()
    if nginx is None:
        display.say("[bold red]nginx is not installed: the bench goes to the API directly[/] (apt-get install nginx)")
    # The folder is on the disk of the project, not in /tmp: a file system in memory would make every sync free.
    folder = Path(tempfile.mkdtemp(prefix="bench-", dir=BUILD))
    try:
        run = Run(folder, display, nginx)
        bench = run.some_rates(args.rates) if args.rates else run.whole(RATES)
    except BaseException:
        display.say(f"logs and data are left in {folder}")
        raise
    bench.seconds = round(display.elapsed_s(), 1)
    publish(bench, display, whole=args.rates is None)
    if not all(audit.adds_up for audit in bench.audits):
        display.say(f"[bold red]The money does not add up.[/] Logs and data are left in {folder}")
        return 1
    shutil.rmtree(folder)
    return 0


def publish(bench: Bench, display: Display, *, whole: bool) -> None:
    """Print the tables, write the JSON, and renew the document after a whole run."""
    (BUILD / "bench.json").write_bytes(msgspec.json.format(msgspec.json.encode(bench)) + b"\n")
    blocks = {report.WHOLE_PATH: report.whole_path(bench)}
    if whole:
        blocks[report.YARDSTICKS] = report.yardsticks_table(bench)
    display.say("\n" + "\n\n".join(blocks.values()))
    if whole:
        document = DOCUMENT.read_text(encoding="utf-8")
        for name, block in blocks.items():
            document = report.put_between(document, name, block)
        DOCUMENT.write_text(document, encoding="utf-8")
    display.say(f"\n{bench.seconds:.0f} s; figures in build/bench.json{', docs/performance.md renewed' * whole}")


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except BenchFailed as ex:
        sys.stderr.write(f"bench: {ex}\n")
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit("bench: stopped")
