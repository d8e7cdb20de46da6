"""What a column is settled on, case by case, from prices through the feed's own code to stored ticks and evidence."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from jobs.feed.buckets import INTERVAL_MS, Buckets
from jobs.feed.feed import LATE_MS, Feed
from jobs.feed.quotes import Quote
from runtime.clock import ManualClock
from runtime.game.settlement import SILENCE_MS_MAX, evidence, result
from runtime.game.volatility import Volatility
from runtime.settings import Settings
from runtime.storage import ticks_store
from runtime.storage.database import Database, open_writer

START = 1_790_000_000_000
WIDTH = 5_000
VOID = None
Extremes = tuple[int, int, int] | None
"""Low, high and number of ticks of a column's path; None where its bets are void."""


@dataclass
class Case:
    """What happens, in milliseconds from the first column's start, and what each column from there on comes to."""

    prices: list[tuple[int, ...]]
    """When a price arrives and how much it is; and when it is handed over, if that is later."""
    columns: list[Extremes]
    restarts: list[int] = field(default_factory=list)
    steps: dict[int, int] = field(default_factory=dict)
    """By how much the clock is set, and when; all other times are those of a clock that nobody sets."""


CASES = {
    "plain": Case([(-400, 1000), (100, 1010), (4_900, 990), (5_200, 1000)], [(990, 1010, 3)]),
    "the price carried in is an extreme": Case([(-400, 1000), (100, 1010), (200, 1005), (5_100, 1)], [(1000, 1010, 3)]),
    "the price before the one carried in is not": Case([(-800, 5), (-400, 1000), (5_100, 1)], [(1000, 1000, 1)]),
    "one tick": Case([(-400, 1000), (2_500, 1020), (5_100, 1)], [(1000, 1020, 2)]),
    "no tick in the window": Case([(-400, 1000), (5_100, 1)], [(1000, 1000, 1)]),
    "no tick at all": Case([], [VOID]),
    "no tick before": Case([(1, 1000), (4_000, 1000), (5_100, 1)], [VOID]),
    "no tick after": Case([(-400, 1000), (4_000, 1000)], [VOID]),
    "a tick at the very start replaces the price carried in": Case(
        [(-400, 900), (0, 1000), (5_100, 1)], [(1000, 1000, 1)]
    ),
    "a tick at the very start with nothing before": Case([(0, 1000), (5_100, 1)], [(1000, 1000, 1)]),
    "a tick at the very end is the next column's": Case(
        [(-400, 1000), (5_000, 2000), (10_100, 1)], [(1000, 1000, 1), (2000, 2000, 1)]
    ),
    "a tick a millisecond before the end": Case(
        [(-400, 1000), (4_999, 2000), (10_100, 1)], [(1000, 2000, 2), (2000, 2000, 1)]
    ),
    "a jump across": Case([(-400, 1000), (2_000, 3000), (5_100, 1)], [(1000, 3000, 2)]),
    "a wick within one interval": Case(
        [(-400, 1000), (110, 1100), (150, 900), (190, 1000), (5_100, 1)], [(900, 1100, 2)]
    ),
    "10 s without a tick": Case([(-5_000, 1000), (5_000, 1000), (10_000, 1)], [(1000, 1000, 1), (1000, 1000, 1)]),
    "a millisecond more": Case([(-5_001, 1000), (5_000, 1000), (10_000, 1)], [VOID, (1000, 1000, 1)]),
    "a gap that ends in the window": Case([(-9_000, 1000), (1_001, 1000), (5_100, 1)], [VOID]),
    "a gap that begins in the window": Case(
        [(-400, 1000), (4_000, 1000), (14_001, 1000), (15_100, 1)], [VOID, VOID, VOID]
    ),
    "a price that is handed over after its interval": Case(
        [(-400, 1000), (1_000, 1010), (1_050, 5000, 1_250), (5_100, 1)], [(1000, 1010, 2)]
    ),
    "a price that is handed over far too late": Case(
        [(-400, 1000), (1_000, 5000, 1_000 + LATE_MS + INTERVAL_MS), (5_100, 1)], [(1000, 1000, 1)]
    ),
    "a restart in mid-column": Case(
        [(-400, 1000), (1_000, 1010), (3_000, 990), (5_100, 1)], [(990, 1010, 3)], restarts=[2_000]
    ),
    "a restart takes the running interval with it": Case(
        [(-400, 1000), (1_950, 5000), (3_000, 990), (5_100, 1)], [(990, 1000, 2)], restarts=[2_000]
    ),
    "a restart in the interval of the last tick": Case(
        [(-400, 1000), (1_010, 1010), (5_100, 1)], [(1000, 1010, 2)], restarts=[1_200, 1_300]
    ),
    "a feed that is dead across columns": Case(
        [(-400, 1000), (17_000, 1000), (19_000, 1100), (21_000, 1200), (25_100, 1)],
        [VOID, VOID, VOID, VOID, (1100, 1200, 2)],
        restarts=[17_000],
    ),
    "a clock that is set back brings nothing until it has caught up": Case(
        [(-400, 1000), (1_900, 1010), (2_100, 5000), (3_800, 5000), (4_100, 1020), (7_200, 1)],
        [(1000, 1020, 3)],
        steps={2_000: -2_000},
    ),
    "a clock that is set back over a column's edge reopens nothing": Case(
        [(-400, 1000), (4_900, 1010), (5_900, 2000), (6_100, 5000), (8_100, 2100), (12_200, 1)],
        [(1000, 1010, 2), (1010, 2100, 3)],
        steps={6_000: -2_000},
    ),
    "a clock that is set forward": Case(
        [(-400, 1000), (900, 1010), (1_100, 1020), (2_100, 1)], [(1000, 1020, 3)], steps={1_000: 3_000}
    ),
    "a clock that is set forward by more than a gap": Case(
        [(-400, 1000), (900, 1010), (1_100, 1020)], [VOID], steps={1_000: 30_000}
    ),
}


class Script:
    """A source that hands over what it is given."""

    name = "script"

    def __init__(self) -> None:
        self.due: list[Quote] = []

    def poll(self, now_ms: int) -> list[Quote]:  # noqa: ARG002
        due, self.due = self.due, []
        return due


@pytest.fixture
def database(settings: Settings, clock: ManualClock) -> Iterator[Database]:
    ticks_store.prepare(settings.ticks_database, clock)
    opened = open_writer(settings.ticks_database)
    yield opened
    opened.close()


def play(case: Case, database: Database) -> None:
    """Let everything happen, a step for each interval."""
    source = Script()
    feed = opened(source, database)
    set_by = 0
    times = [*(price[0] for price in case.prices), *case.restarts, *case.steps, 0]
    first, last = min(times) // INTERVAL_MS * INTERVAL_MS, max(times) + 2 * LATE_MS
    waiting = [(price[-1] if len(price) > 2 else price[0], price[0], price[1]) for price in case.prices]
    for at_ms in range(first, last, INTERVAL_MS):
        due = sorted(each for each in waiting if each[0] <= at_ms)
        waiting = [each for each in waiting if each[0] > at_ms]
        source.due += [Quote(START + at + set_by, START + at, cents) for _, at, cents in due]
        if at_ms in case.restarts:
            feed = opened(source, database)
        set_by += case.steps.get(at_ms, 0)
        feed.run_once(START + at_ms + set_by)


def opened(source: Script, database: Database) -> Feed:
    """Open a feed as its process does: it goes on from the newest stored tick."""
    source.due = []
    latest = ticks_store.latest(database)
    return Feed(source, Buckets(latest.id if latest else 0), Volatility(), database, lambda _: None)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_a_column_comes_to_this(case: Case, database: Database) -> None:
    play(case, database)
    for number, expected in enumerate(case.columns):
        start_ms = START + number * WIDTH
        end_ms = start_ms + WIDTH
        path = ticks_store.window(database, start_ms, end_ms)
        found = evidence(*path, start_ms, end_ms, end_ms + SILENCE_MS_MAX)
        assert found is not None
        again = evidence(*path, start_ms, end_ms, end_ms + 86_400_000)
        assert again == found, "later it is decided alike"
        bands = {"all": (0, 9_999)}
        if expected is not VOID:
            low, high, count = expected
            assert (found.low, found.high, found.tick_count) == (low, high, count)
            middle = (low + high) // 2
            bands |= {"under": (low - 9, low - 1), "low": (low - 9, low), "in between": (middle, middle)}
            bands |= {"high": (high, high + 9), "over": (high + 1, high + 9)}
        won = {name for name, band in bands.items() if result(*band, found.covered, found.low, found.high) == "won"}
        assert won == (set() if expected is VOID else {"all", "low", "in between", "high"})
        assert found.covered is (expected is not VOID), found.reason
