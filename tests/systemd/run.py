"""Let releases take over while players play, forth and back, and count: `make deploy-drill`.

Every process is replaced twice a deployment, by the script and the unit files that operators use.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from tests.chaos.stage import Result, Scenario, Stage, run
from tests.systemd.house import NEW, OLD, UnitHouse

SEED = 7


def there_and_back(times: int) -> Scenario:
    """Return the scenario of a new release, and of the way back to the one before, so many times."""

    def inject(stage: Stage) -> None:
        house = stage.system
        assert isinstance(house, UnitHouse)
        for release in (NEW, OLD) * times:
            stage.crowd.fault = f"to {release}"
            stage.tell(stage.crowd.fault)
            began_s = time.monotonic()
            house.deploy(release)
            stage.tell(f"took {time.monotonic() - began_s:.0f} s")
            stage.expect(house.runs(release), f"not everything runs {release}")
            stage.crowd.wait_for_bets(10)

    # Columns of 5 s: a gap in the prices would show in their windows.
    return Scenario("deployment", inject, {"column_seconds": "5"})


@dataclass
class Seen:
    """What the house has seen by its end."""

    voids: int = 0
    failed: Counter[str] = field(default_factory=Counter)
    """Answers of 5xx by what was asked, while releases took over."""
    later: int = 0
    """Those at other times: a loaded machine may be slow to read, whatever release it runs."""


class Watched(UnitHouse):
    """A house that is looked at before it stops."""

    seen: Seen

    def stop(self) -> None:
        """Count, and stop."""
        with self.database() as database:
            [(self.seen.voids,)] = database.execute("SELECT count(*) FROM bets WHERE status = 'void'")
        for line in self.edge_log():
            at_s = datetime.fromisoformat(line["time"]).timestamp()
            if any(began_s - 1 <= at_s <= ended_s + 1 for began_s, ended_s in self.deployments):
                self.seen.failed[f"{line['request']} {line['status']}"] += 1
            else:
                self.seen.later += 1
        super().stop()


def report(result: Result, seen: Seen) -> str:
    """Tell what came of it."""
    total = result.counting.total
    answers = ", ".join(
        f"{number:,} {status} {code}".strip() for (status, code), number in sorted(result.codes.items())
    )
    return (
        f"{answers}\nacknowledged {total.acknowledged:,}, lost {total.lost}, doubled {total.duplicated},"
        f" drift {total.drift_cents} cents, open {total.pending_for_ever}, void {seen.voids},"
        f" events missing {total.events_missing}, repeated {total.events_repeated};"
        f" 5xx meanwhile {seen.failed.total()}, at other times {seen.later}\n"
    )


def tell(line: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def drill(times: int, say: Callable[[str], None]) -> tuple[Result, Seen]:
    """Run a house with players and let releases take over."""
    seen = Seen()

    def make(data: Path, **settings: str) -> Watched:
        house = Watched(data, **settings)
        house.seen = seen
        return house

    return run(there_and_back(times), SEED, say, make), seen


def main(arguments: list[str]) -> int:
    """Run the drill; fail where a bet was lost, a window void or an answer a 5xx."""
    parser = argparse.ArgumentParser(prog="make deploy-drill", description=main.__doc__)
    parser.add_argument("--times", type=int, default=2, help="how often there and back (default 2)")
    given = parser.parse_args(arguments)
    result, seen = drill(given.times, tell)
    sys.stdout.write(report(result, seen))
    wrong = [*result.counting.sentences, *(f"{number} times {what}" for what, number in seen.failed.items())]
    wrong += [f"{seen.voids} void bets"] if seen.voids else []
    sys.stdout.write("".join(f"WRONG: {sentence}\n" for sentence in wrong))
    if result.data:
        sys.stdout.write(f"the data are kept in {result.data}\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
