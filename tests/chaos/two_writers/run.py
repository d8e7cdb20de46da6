"""`make chaos-writers`: break a house on two PostgreSQLs under load and count; leaves build/chaos-writers.json.

Both servers, both writers, Redis and whoever bets are processes of one machine. The test itself promotes the standby,
as Patroni or an operator would. The API is left out: bets go to the writers' queue, and answers come from there.
"""

from __future__ import annotations

import argparse
import secrets
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from random import Random
from statistics import median
from typing import Any, NamedTuple, Self

import msgspec
from rich.console import Console

from loadtest.bets import column_ends
from loadtest.lone_writer import SETTINGS, own_redis
from runtime.audit import audit
from runtime.clock import SystemClock
from runtime.market.models import rules_of
from runtime.messaging.connection import connect
from runtime.messaging.queues import send_commands
from runtime.postgresql import schema
from runtime.postgresql.connection import PostgresDatabase
from runtime.settings import load
from runtime.storage.database import DatabaseError
from tests.chaos.two_writers.count import Count, Seen, counted
from tests.chaos.two_writers.faults import Fault, Scene, chosen, name_of
from tests.chaos.two_writers.servers import Pair
from tests.chaos.two_writers.traffic import ORIGIN, Traffic
from tests.chaos.two_writers.writers import DOUBT, Writers
from tests.waiting import wait_until

say = Console(soft_wrap=True, highlight=False).print
REPORT = Path("build") / "chaos-writers.json"
BETWEEN_S = (0.5, 2.0)
RECOVERED_S_MAX = 60
LOOK_EVERY_S = 0.1
END_S_MAX = 120
TOUCHED_ROWS = 1
SHOWN_MAX = 20
STATE = """
SELECT coalesce((SELECT max(number) FROM commits), 0),
    coalesce((SELECT hash FROM commits ORDER BY number DESC LIMIT 1), ''),
    (SELECT coalesce(sum(balance), 0)::bigint FROM users),
    (SELECT coalesce(sum(amount), 0)::bigint FROM transaction_ledger)
"""


def main(arguments: Sequence[str]) -> int:
    """Run the faults one after the other; 0 only if everything adds up."""
    parser = argparse.ArgumentParser(prog="make chaos-writers", description=main.__doc__)
    parser.add_argument("--faults", type=int, default=33, help="how many (default: %(default)s)")
    parser.add_argument("--rate", type=int, default=100, help="bets a second (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=None, help="which faults in which order")
    given = parser.parse_args(arguments)
    seed = secrets.randbelow(1_000_000) if given.seed is None else given.seed
    say(f"chaos-writers: seed {seed}; the same seed chooses the same faults")
    with tempfile.TemporaryDirectory(prefix="tap-cluster-") as folder, stage(Path(folder), given.rate) as on:
        scene, traffic, reader = on
        healings = _break(scene, traffic, chosen(Random(seed), given.faults))
        count, doubts = _end(scene, traffic, reader), scene.writers.count(DOUBT)
    _report(given, seed, healings, count, doubts)
    return 0 if count.adds_up else 1


@contextmanager
def stage(folder: Path, rate: int) -> Iterator[tuple[Scene, Traffic, Reader]]:
    """Run servers, writers, Redis, bets and a reader for the length of the block."""
    folder.chmod(0o711)
    with own_redis(folder) as redis_url, connect(redis_url) as client, Pair(folder / "postgres") as pair:
        schema.migrate(pair.url, SystemClock())
        named = {**SETTINGS, "TAPTRADE_DATABASE_URL": pair.url, "TAPTRADE_REDIS_URL": redis_url}
        settings = load({**named, "TAPTRADE_DATA": str(folder / "bets")})
        traffic = Traffic(client, rules_of(settings), rate)
        with Writers(folder, client, named) as writers, Reader(pair.url) as reader:
            wait_until(lambda: writers.at_work, 30, what="a writer")
            traffic.open_accounts()
            traffic.start()
            yield Scene(pair, writers, Random()), traffic, reader


class Healing(NamedTuple):
    """From a fault's begin, and from its end, to the answer of a bet that was sent after that end."""

    s: float
    after_mending_s: float


class Reader:
    """Reads the ledger again and again, on whichever server is the primary by then."""

    def __init__(self, url: str) -> None:
        self.seen: list[Seen] = []
        self._url = url
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._read, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join(20)

    def _read(self) -> None:
        while not self._stopping.wait(LOOK_EVERY_S):
            with suppress(DatabaseError):
                database = PostgresDatabase(self._url, patience_s=5)
                while not self._stopping.wait(LOOK_EVERY_S):
                    self.seen.append(Seen(*database.execute(STATE)[0]))


def _break(scene: Scene, traffic: Traffic, faults: Sequence[Fault]) -> dict[str, list[Healing]]:
    """Do one fault after the other; return how long each took to be over."""
    found: defaultdict[str, list[Healing]] = defaultdict(list)
    wait_until(lambda: traffic.acknowledged_after(0), RECOVERED_S_MAX, what="the first bet")
    for number, fault in enumerate(faults, 1):
        scene.wait(*BETWEEN_S)
        begun_s = time.monotonic()
        fault(scene)
        mended_s = time.monotonic()
        wait_until(lambda at=mended_s: traffic.acknowledged_after(at), RECOVERED_S_MAX, what="bets again")  # type: ignore[misc]
        again_s = time.monotonic()
        healing = Healing(round(again_s - begun_s, 2), round(again_s - mended_s, 2))
        found[name_of(fault)].append(healing)
        say(
            f"{number:3d} {name_of(fault)}: bets again after {healing.s:.1f} s, {healing.after_mending_s:.1f} behind it"
        )
    return found


def _end(scene: Scene, traffic: Traffic, reader: Reader) -> Count:
    """Let what waits be done, end every bet, and count."""
    traffic.stop()
    client: Any = traffic.client
    wait_until(lambda: client.zcard("rq:wip:bets") + client.llen("rq:queue:bets") == 0, END_S_MAX, what="all bets")
    database = PostgresDatabase(scene.pair.url, patience_s=30)
    last_s = max(traffic.columns) + traffic.rules.column_seconds
    wait_until(lambda: SystemClock().now_ms() > last_s * 1000, END_S_MAX, what="the end of the last column")
    width_s = traffic.rules.column_seconds
    ends = [column_ends(one, width_s, SystemClock().now_ms(), TOUCHED_ROWS) for one in sorted(traffic.columns)]
    send_commands(client, ends, ORIGIN, SystemClock().now_ms())
    still_open = "SELECT count(*) FROM bets WHERE status = 'confirmed' AND refusal_code IS NULL"
    with suppress(AssertionError):
        wait_until(lambda: database.execute(still_open) == [(0,)], END_S_MAX, what="the end of every bet")
    traffic.end()
    stored: dict[str, str] = dict(database.execute("SELECT id, status FROM bets"))
    hashes: dict[int, str] = dict(database.execute("SELECT number, hash FROM commits"))
    answers = {bet: one.code for bet, one in traffic.sent.items() if one.answered_s is not None}
    found = counted(answers, traffic.sent.keys() - answers.keys(), stored, reader.seen, hashes)
    found.faults.extend(map(str, audit(database).faults))
    database.close()
    return found


def _report(
    given: argparse.Namespace, seed: int, healings: dict[str, list[Healing]], count: Count, doubts: int
) -> None:
    options = {"faults": given.faults, "rate": given.rate, "seed": seed}
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_bytes(msgspec.json.encode({**options, "doubts": doubts, "healings": healings, "count": count}))
    say("\n| fault | times | bets again after, s: median | most | after it was over, s: median | most |")
    say("| --- | ---: | ---: | ---: | ---: | ---: |")
    for name, some in sorted(healings.items()):
        figures = (*_of(one.s for one in some), *_of(one.after_mending_s for one in some))
        say(f"| {name} | {len(some)} | {' | '.join(f'{figure:.1f}' for figure in figures)} |")
    say(
        f"\nsent {count.sent:,}, placed {count.acknowledged:,}, refused {count.refused:,},"
        f" unanswered {count.unanswered:,} (placed all the same: {count.stored_unanswered:,}),"
        f" commits in doubt {doubts}, seen and gone {count.seen_and_gone},"
        f" lost {len(count.lost)}, contradicted {len(count.contradicted)}, open {count.open}"
    )
    for fault in count.faults[:SHOWN_MAX]:
        say(fault)
    say("everything adds up" if count.adds_up else "IT DOES NOT ADD UP")


def _of(seconds: Iterable[float]) -> tuple[float, float]:
    found = [*seconds]
    return median(found), max(found)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
