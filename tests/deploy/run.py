"""Let releases take over while players play, forth and back, and count: `make deploy-drill`.

Every process is replaced twice a deployment, by the script and the unit files that operators use.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from pathlib import Path

from tests.chaos.stage import Result, Scenario, Stage, run
from tests.deploy.house import NEW, OLD, UnitHouse

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


def wrong_of(result: Result) -> list[str]:
    """Say what no player should have been answered while releases take over."""
    failed = {code: number for code, number in result.codes.items() if code[0] >= 500 or code[0] == 0}
    return [f"{number} answers {status} {code}" for (status, code), number in failed.items()]


def report(result: Result, voids: int) -> str:
    """Tell what came of it in a line."""
    total = result.counting.total
    codes = Counter(dict(sorted(result.codes.items())))
    answers = ", ".join(f"{number} {status} {code}".strip() for (status, code), number in codes.items())
    return (
        f"{answers}\nacknowledged {total.acknowledged}, lost {total.lost}, doubled {total.duplicated},"
        f" drift {total.drift_cents} cents, open {total.pending_for_ever}, void {voids},"
        f" events missing {total.events_missing}, repeated {total.events_repeated}\n"
    )


def main(arguments: list[str]) -> int:
    """Run the drill; fail where a bet was lost, a window void or an answer a 5xx."""
    parser = argparse.ArgumentParser(prog="make deploy-drill", description=main.__doc__)
    parser.add_argument("--times", type=int, default=2, help="how often there and back (default 2)")
    given = parser.parse_args(arguments)
    voids: list[int] = []

    class Counted(UnitHouse):
        def stop(self) -> None:
            with self.database() as database:
                voids.extend(number for (number,) in database.execute("SELECT count(*) FROM bets WHERE status = 'void'"))
            super().stop()

    def make(data: Path, **settings: str) -> UnitHouse:
        return Counted(data, **settings)

    result = run(there_and_back(given.times), SEED, lambda line: print(line, flush=True), make)
    sys.stdout.write(report(result, sum(voids)))
    wrong = [*result.counting.sentences, *wrong_of(result), *([f"{voids[0]} void bets"] if voids[0] else [])]
    sys.stdout.write("".join(f"WRONG: {sentence}\n" for sentence in wrong))
    if result.data:
        sys.stdout.write(f"the data are kept in {result.data}\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
