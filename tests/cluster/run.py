"""Break a cluster of containers that runs on this machine, under load, and count: `make cluster-drill`.

It is one of compose.yaml with compose.cluster.yaml, in which players may ask and bet as often as they want to
(docs/deployment.md, "A cluster").
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from runtime.clock import SystemClock
from tests.chaos.count import SHOWN_MAX, Counting, count
from tests.chaos.crowd import Crowd
from tests.chaos.failover.timeline import Fault, measure
from tests.chaos.stage import audit_into, left_behind, record_with_events
from tests.cluster.containers import ClusterHouse, Docker
from tests.waiting import wait_until

WARM_UP_BETS = 30
BETS_S = 90
WHOLE_S = 120
LOST_S = 30
"""Longer than a lease of the primary's lasts."""
SETTLE_S = 120
BETWEEN_S = 3.0
CLOCK = SystemClock()


@dataclass(frozen=True, slots=True)
class Blow:
    """What is broken, and what brings it back; both are done at once where nothing is lost."""

    name: str
    strike: Callable[[ClusterHouse], Callable[[], None] | None]


def crash(choose: Callable[[ClusterHouse], str]) -> Callable[[ClusterHouse], None]:
    """Let a container fall over, which Docker starts again."""
    return lambda house: house.docker.crash(choose(house))


def lose(choose: Callable[[ClusterHouse], list[str]]) -> Callable[[ClusterHouse], Callable[[], None]]:
    """Lose containers until they are started again by hand."""

    def strike(house: ClusterHouse) -> Callable[[], None]:
        services = choose(house)
        house.docker.lose(*services)
        return lambda: house.docker.start(*services)

    return strike


def stop(choose: Callable[[ClusterHouse], str]) -> Callable[[ClusterHouse], Callable[[], None]]:
    """Stop a container in order, and start it again."""

    def strike(house: ClusterHouse) -> Callable[[], None]:
        service = choose(house)
        house.docker.stop(service)
        return lambda: house.docker.start(service)

    return strike


BLOWS = (
    Blow("the primary crashes", crash(ClusterHouse.primary)),
    Blow("the writer crashes", crash(ClusterHouse.writer)),
    Blow("an API crashes", crash(lambda _: "api-2")),
    Blow("Redis crashes", crash(ClusterHouse.redis_primary)),
    Blow("Redis is lost", lose(lambda house: [house.redis_primary()])),
    Blow("the feed crashes", crash(lambda house: "feed" if house.machine_at_work() == "machine-1" else "feed-2")),
    Blow("the primary is stopped", stop(ClusterHouse.primary)),
    Blow("the primary is lost", lose(lambda house: [house.primary()])),
    Blow("the writer is lost", lose(lambda house: [house.writer()])),
    Blow("an API is lost", lose(lambda _: ["api-3"])),
    Blow("a witness is lost", lose(lambda _: ["etcd-2"])),
    Blow("the machine at work is lost", lose(lambda house: house.docker.on(house.machine_at_work()))),
)


class Drill:
    """One run: its blows one after the other, and what they came to."""

    def __init__(self, house: ClusterHouse, crowd: Crowd) -> None:
        self.house = house
        self.crowd = crowd
        self.faults: list[Fault] = []
        self.wrong: list[str] = []

    def play(self, blows: list[Blow]) -> None:
        """Break and mend each."""
        for blow in blows:
            time.sleep(BETWEEN_S)
            self.crowd.fault = blow.name
            fault = Fault(blow.name, CLOCK.now_ms())
            self.faults.append(fault)
            mend = blow.strike(self.house)
            try:
                # Bets go on while it is lost, and not only once it is back.
                self.crowd.wait_for_bets(10, BETS_S)
                if mend is not None:
                    time.sleep(max(0.0, LOST_S - (CLOCK.now_ms() - fault.began_ms) / 1000))
                    self.crowd.wait_for_bets(10, BETS_S)
            except AssertionError as ex:
                self.wrong.append(f"{blow.name}: {ex}")
            fault.mended_ms = CLOCK.now_ms()
            if mend is not None:
                mend()
            self._rest(blow)
            fault.ended_ms = CLOCK.now_ms()
            measure([fault], self.answered_ms())
            tell(f"{blow.name}: the longest silence {fault.silence_s:.1f} s")

    def _rest(self, blow: Blow) -> None:
        try:
            self.crowd.wait_for_bets(10, BETS_S)
            wait_until(self.house.is_whole, WHOLE_S, every_s=0.3, what="a primary with its standby")
            wait_until(self.house.is_well, WHOLE_S, every_s=0.3, what="a house that is well")
        except AssertionError as ex:
            self.wrong.append(f"{blow.name}, mended: {ex}")

    def answered_ms(self) -> list[int]:
        """Return when each bet was answered 201, in order."""
        attempts = [attempt for player in self.crowd.players for attempt in list(player.attempts)]
        return sorted(attempt.acknowledged_ms for attempt in attempts if attempt.acknowledged_ms)

    def counted(self) -> Counting:
        """Hold what players were told against what is stored, and let the ledger be recounted."""
        left = left_behind(self.house)
        record = record_with_events(self.house, self.crowd)
        credit_cents = self.house.settings.demo_credit_cents
        counting = count(self.crowd.players, record, credit_cents=credit_cents, accounts="accounts")
        for sentence in (*left, *self.wrong):
            counting.say("drill", sentence)
        # What an API had taken when it was lost, nobody else answers.
        counting.sentences += [sentence for sentence in self.crowd.anomalies if ": 502 " not in sentence]
        audit_into(counting, self.house, "audit")
        return counting


def tell(line: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main(arguments: list[str]) -> int:
    """Play the blows; 0 only if bets went on each time and everything adds up."""
    given = _parser().parse_args(arguments)
    house = ClusterHouse(Docker(given.project), given.url)
    wait_until(house.is_well, WHOLE_S, every_s=0.3, what="a house that is well")
    blows = [blow for blow in BLOWS if not given.only or any(word in blow.name for word in given.only)]
    crowd = Crowd(house, players=given.players, bets_per_s=given.rate, seed=given.seed)
    drill = Drill(house, crowd)
    with crowd:
        crowd.wait_for_bets(WARM_UP_BETS)
        drill.play(Random(given.seed).sample(blows, len(blows)))
        tell("settling up")
        crowd.finish(SETTLE_S)
        counting = drill.counted()
    for (status, code), number in sorted(crowd.codes().items()):
        tell(f"{number:>7,} x {status} {code}")
    total = counting.total
    tell(f"acknowledged {total.acknowledged:,}, lost {total.lost}, doubled {total.duplicated}")
    tell(f"drift {total.drift_cents} cents")
    for sentence in counting.sentences[:SHOWN_MAX]:
        tell(f"WRONG: {sentence}")
    tell("everything adds up" if counting.adds_up else f"{len(counting.sentences)} things are wrong")
    return 0 if counting.adds_up else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make cluster-drill", description=__doc__)
    parser.add_argument("--project", default="taptrade", help="the name of the containers (default taptrade)")
    parser.add_argument("--url", default="http://127.0.0.1:8000", help="where nginx is (default http://127.0.0.1:8000)")
    parser.add_argument("--players", type=int, default=12, help="how many (default 12)")
    parser.add_argument("--rate", type=float, default=20, help="bets a second of all of them (default 20)")
    parser.add_argument("--seed", type=int, default=7, help="of all choices")
    parser.add_argument("--only", nargs="*", default=[], help="words of the blows that are wanted (default all)")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
