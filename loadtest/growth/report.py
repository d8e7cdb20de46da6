"""What the growth run found, and its table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import median

from msgspec import Struct

from loadtest.bench.report import table
from loadtest.growth.commits import Round

RATIO_MAX = 1.3


class Size(Struct, kw_only=True):
    """One size of the tables: the first start, medians over the rounds, and every round's p99."""

    bets: int
    bets_at_end: int
    database_mb: float
    fill_s: float
    open_s: float
    p50_ms: float
    p99_ms: float
    max_ms: float
    p99_of_rounds: list[float]


class Growth(Struct, kw_only=True):
    """A whole run."""

    commits: int
    rounds: int
    per_s: float
    sizes: list[Size]
    machine: str

    @property
    def ratio(self) -> float:
        """Return p99 at the greatest size divided by that at the least."""
        return round(self.sizes[-1].p99_ms / self.sizes[0].p99_ms, 2)


def size_of(bets: int, bets_at_end: int, database_mb: float, fill_s: float, rounds: Sequence[Round]) -> Size:
    """Put the rounds of one size together."""

    def middle(value: Callable[[Round], float]) -> float:
        return float(median(value(one) for one in rounds))

    return Size(
        bets=bets,
        bets_at_end=bets_at_end,
        database_mb=round(database_mb, 1),
        fill_s=round(fill_s, 1),
        # Later rounds find the bets of the earlier ones open.
        open_s=rounds[0].open_s,
        p50_ms=middle(lambda one: one.p50_ms),
        p99_ms=middle(lambda one: one.p99_ms),
        max_ms=max(one.max_ms for one in rounds),
        p99_of_rounds=[one.p99_ms for one in rounds],
    )


def section(growth: Growth) -> str:
    """Write the section of docs/performance.md."""
    least, most = growth.sizes[0], growth.sizes[-1]
    head = ["bets before", "and after", "database MB", "start s", "p50 ms", "p99 ms", "max ms", "p99 of each round"]
    return "\n\n".join(
        [
            f"    make bench-growth ROWS={most.bets}",
            growth.machine,
            (
                f"{growth.rounds} rounds of {growth.commits} commits for each size, in turns, {growth.per_s:g} commits "
                "of 100 bets a second, the checkpoint thread beside them, after 100 commits that warm the cache. "
                "The rows were made in bulk with every index in place; each bet has its entries and its share of a "
                "commit's record. Small tables are put back before each round, since its bets would be most of them. "
                "`start` is how long the writer reads before its first commit, with no bet open. The other figures are "
                "medians of the rounds, but max, which is the greatest of all."
            ),
            table(head, [_row(size) for size in growth.sizes]),
            (
                f"p99 at {most.bets:,} bets is **{growth.ratio:.2f}** times that at {least.bets:,} "
                f"(the aim is at most {RATIO_MAX})."
            ),
        ]
    )


def _row(size: Size) -> list[str]:
    latencies = [f"{ms:,.1f}" for ms in (size.p50_ms, size.p99_ms, size.max_ms)]
    rounds = ", ".join(f"{ms:,.1f}" for ms in size.p99_of_rounds)
    numbers = [f"{size.bets:,}", f"{size.bets_at_end:,}", f"{size.database_mb:,.0f}", f"{size.open_s:,.3f}"]
    return [*numbers, *latencies, rounds]
