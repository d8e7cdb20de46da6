"""`make chaos`: kill, break, count; a table, build/chaos.json, and a failure when a cent or an answer is wrong."""

from __future__ import annotations

import argparse
import secrets
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console
from rich.table import Table

from tests.chaos.count import SHOWN_MAX, Counting, Tally
from tests.chaos.scenarios import aimed_deaths, left_out, outages, random_kills
from tests.chaos.stage import Scenario, run

REPORT = Path("build") / "chaos.json"
COLUMNS: dict[str, Callable[[Tally], int]] = {
    "kills": lambda tally: tally.kills,
    "aimed": lambda tally: tally.aimed_kills,
    "201": lambda tally: tally.acknowledged,
    "P-256": lambda tally: tally.by_browsers,
    "202": lambda tally: tally.pending,
    "no answer": lambda tally: tally.unanswered,
    "not placed": lambda tally: tally.refused,
    "lost": lambda tally: tally.lost,
    "doubled": lambda tally: tally.duplicated,
    "drift": lambda tally: tally.drift_cents,
    "open": lambda tally: tally.pending_for_ever,
    "events": lambda tally: tally.events_missing + tally.events_repeated + tally.events_disordered,
}
LEGEND = (
    "201, 202, no answer: bets that were answered so. P-256: those of the 201 by a browser's key. lost: answers that"
    " the database does not bear out. drift: cents that are not where they belong. open: pending for ever. events:"
    " missing, repeated or out of order in a stream. p99: of the answers 201."
)
PIPE_WIDTH = 140
Tell = Callable[[str], None]


def main(arguments: list[str]) -> int:
    """Run the scenarios one after the other; 0 only if everything adds up."""
    parser = _parser()
    args = parser.parse_args(arguments)
    console = Console()
    if not console.is_terminal:
        console = Console(width=PIPE_WIDTH)
    scenarios = [random_kills(args.kills), *aimed_deaths(args.deaths), *outages()]
    scenarios = [replace(one, settings={"api_workers": str(args.workers), **one.settings}) for one in scenarios]
    chosen = [scenario for scenario in scenarios if args.only.lower() in scenario.name.lower()]
    if not chosen:
        parser.error(f"no scenario is called so; there are {', '.join(sorted(each.name for each in scenarios))}")
    omitted = left_out()
    console.print(f"chaos: seed {args.seed}; the same seed chooses the same kills")
    for sentence in omitted:
        console.print(f"not done here: {sentence}", style="yellow")
    started = time.monotonic()
    counting = Counting()
    finished: list[str] = []
    try:
        for scenario in chosen:
            counting.merge(_play(console, scenario, args.seed))
            finished.append(scenario.name)
    except KeyboardInterrupt:
        counting.say("chaos", "it was interrupted")
    console.print(_table(counting))
    for sentence in counting.sentences[:SHOWN_MAX]:
        console.print(sentence, style="red", markup=False)
    report = _report(counting) | {
        "seed": args.seed,
        "seconds": round(time.monotonic() - started),
        "scenarios": finished,
        "not_done": omitted,
    }
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_bytes(msgspec.json.format(msgspec.json.encode(report)) + b"\n")
    verdict = "everything adds up" if counting.adds_up else f"{len(counting.sentences)} things are wrong"
    console.print(f"{verdict}; figures in {REPORT}", style="bold green" if counting.adds_up else "bold red")
    return 0 if counting.adds_up else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make chaos", description=__doc__)
    parser.add_argument("--kills", type=int, default=200, help="kills at random moments (default 200)")
    parser.add_argument("--deaths", type=int, default=100, help="writers that die before they publish (default 100)")
    parser.add_argument("--workers", type=int, default=1, help="processes of the API (default 1)")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**6), help="seed of all choices")
    parser.add_argument("--only", default="", help="only scenarios whose name contains this")
    return parser


def _play(console: Console, scenario: Scenario, seed: int) -> Counting:
    with _telling(console, scenario.name) as tell:
        try:
            result = run(scenario, seed, tell)
        except Exception as ex:  # noqa: BLE001  one scenario that cannot end must not hide what the others find
            counting = Counting()
            counting.say(scenario.name, f"it did not come to its end: {type(ex).__name__}: {ex}")
            return counting
    if result.data is not None:
        console.print(f"{scenario.name}: the data are kept in {result.data}")
    return result.counting


@contextmanager
def _telling(console: Console, name: str) -> Iterator[Tell]:
    """Show what goes on: a line that changes on a terminal, and one line a scenario elsewhere."""
    started = time.monotonic()
    with console.status(name) as status:

        def tell(sentence: str) -> None:
            status.update(f"{name}, {time.monotonic() - started:.0f} s: {sentence}")

        yield tell
    console.print(f"{name}: {time.monotonic() - started:.0f} s")


def _table(counting: Counting) -> Table:
    table = Table(title="every bet, by the newest fault when it was answered", caption=LEGEND)
    table.add_column("fault", no_wrap=True)
    for heading in (*COLUMNS, "p99 ms"):
        table.add_column(heading, justify="right")
    for name, tally in sorted(counting.by_fault.items()):
        table.add_row(name, *_cells(tally), str(counting.p99_ms(name) or ""))
    table.add_section()
    table.add_row("all", *_cells(counting.total), style="bold")
    return table


def _cells(tally: Tally) -> list[str]:
    return [str(number(tally)) for number in COLUMNS.values()]


def _report(counting: Counting) -> dict[str, Any]:
    return asdict(counting.total) | {
        "adds_up": counting.adds_up,
        "streams_reset": counting.resets,
        "wrong": counting.sentences,
        "by_fault": {
            name: asdict(tally) | {"p99_ms": counting.p99_ms(name)} for name, tally in sorted(counting.by_fault.items())
        },
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
