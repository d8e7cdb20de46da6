"""Random taps on a recorded market, priced by a model and settled by the rules, and the house's own count of them."""

from __future__ import annotations

import random
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, cast

from jobs.feed.buckets import Buckets
from jobs.feed.quotes import Quote
from jobs.feed.recording import Recording
from jobs.writer.standings import Standings
from runtime.game.bets import Bet
from runtime.game.buckets import Bucket, closed_of, distance_of, rate_from_bp
from runtime.game.copier import Copied
from runtime.game.grid import Cell, GridRules, placeable_columns, shown_rows
from runtime.game.money import payout_cents
from runtime.game.rewards import HISTORY_MS_MIN, RewardModel
from runtime.game.settlement import GAP_MS_MAX
from runtime.game.ticks import Tick
from runtime.game.volatility import Volatility

RULES = GridRules(column_seconds=5, horizon_columns=12, row_step_cents=500, rows=20)
FILL_AGE_MS_MAX = 1_500
WIDTH_MS = RULES.column_seconds * 1000


@dataclass(slots=True)
class Tapped:
    """The fields of a bet that the count looks at."""

    column_start_s: int
    model_now_ms: int
    model_id: str
    model_version: str
    amount: int
    reward_rate: int
    low_cents: int
    high_cents: int
    status: str = "confirmed"
    payout_amount: int = 0


class NoLedger:
    """Stands for the database and the commits of a count that nobody keeps."""

    number = now_ms = 0

    def execute(self, *_: Any, **__: Any) -> list[tuple[Any, ...]]:
        """Find nothing."""
        return []

    def execute_many(self, *_: Any, **__: Any) -> None:
        """Write nothing."""

    def write(self, *_: Any) -> list[tuple[Any, ...]]:
        """Write nothing, and find nothing."""
        return []

    def record(self, *_: Any) -> int:
        """Record nothing."""
        return 0


@dataclass
class House:
    """The writer's own count of buckets, and what the house has lost to each range of rates so far."""

    model: RewardModel
    closed_at_s: dict[Bucket, int] = field(default_factory=dict)
    lost_cents: dict[int, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.ledger = NoLedger()
        self.standings = Standings(self.ledger, RULES, self.model)

    def takes(self, start_s: int, rate_bp: int, now_ms: int) -> bool:
        """Tell whether a bet at a rate is taken."""
        distance = distance_of(start_s, now_ms, RULES.column_seconds)
        bucket = Bucket(self.model.id, self.model.version, rate_from_bp(rate_bp), distance)
        return closed_of(self.standings.closed, bucket) is None

    def settle(self, start_s: int, bets: Sequence[Tapped], *, covered: bool) -> None:
        """Count a column's ended bets, in the order of their fills."""
        copied: dict[Bucket, Copied] = {}
        for bet in bets:
            self.standings.add(copied, cast("Bet", bet))
            if covered:
                rates = rate_from_bp(bet.reward_rate)
                self.lost_cents[rates] = self.lost_cents.get(rates, 0) + bet.payout_amount - bet.amount
        before = self.standings.closed
        commit: Any = self.ledger
        self.standings.count(commit, start_s, copied, start_s + 1, covered=covered)
        for bucket in self.standings.closed - before:
            self.closed_at_s[bucket] = start_s + RULES.column_seconds


def ticks_of(recording: Recording) -> list[Tick]:
    """Return the ticks that the feed would publish of a recording."""
    buckets, volatility, found = Buckets(0), Volatility(), []
    for ms, cents in zip(recording.times_ms, recording.cents, strict=True):
        bar = buckets.add(Quote(ms, ms, cents))
        if bar is not None:
            volatility.add(bar.id, bar.close)
            found.append(Tick(bar.id, bar.exchange_ms, bar.close, bar.low, bar.high, "replay", volatility.features()))
    return found


def play(ticks: Sequence[Tick], house: House, per_s: float, seed: int, stakes: Sequence[int] = (100,)) -> None:
    """Tap shown cells at random, and settle every column a second after its end."""
    ids = [tick.id for tick in ticks]
    open_bets: dict[int, list[Tapped]] = {}
    for now_ms, tick, randomness in _moments(ticks, ids, per_s, seed):
        for start_s in [one for one in open_bets if one * 1000 + WIDTH_MS + 1000 <= now_ms]:
            bets = open_bets.pop(start_s)
            house.settle(start_s, bets, covered=_decide(ticks, ids, start_s, bets))
        start_s = randomness.choice(placeable_columns(now_ms, RULES))
        low_cents = randomness.choice(shown_rows(tick.close, RULES))
        cell = Cell(start_s, low_cents, low_cents + RULES.row_step_cents)
        rate_bp = house.model.rate_bp(cell, tick, now_ms)
        if rate_bp is not None and house.takes(start_s, rate_bp, now_ms):
            stake_cents = randomness.choice(stakes)
            model = (house.model.id, house.model.version)
            bet = Tapped(start_s, now_ms, *model, stake_cents, rate_bp, cell.low_cents, cell.high_cents)
            open_bets.setdefault(start_s, []).append(bet)
            open_bets = dict(sorted(open_bets.items()))


def _moments(
    ticks: Sequence[Tick], ids: Sequence[int], per_s: float, seed: int
) -> Iterator[tuple[int, Tick, random.Random]]:
    """Yield when taps come and find a fresh tick, as long as their columns' ends are recorded."""
    randomness = random.Random(seed)
    now = ids[0] + HISTORY_MS_MIN * 1.0
    last = ids[-1] - (RULES.horizon_columns + 2) * WIDTH_MS
    while now < last:
        now += randomness.expovariate(per_s / 1000)
        tick = ticks[bisect_right(ids, int(now)) - 1]
        if int(now) - tick.id <= FILL_AGE_MS_MAX:
            yield int(now), tick, randomness


def _decide(ticks: Sequence[Tick], ids: Sequence[int], start_s: int, bets: Sequence[Tapped]) -> bool:
    """End the bets of a column by its ticks; return whether its window was covered."""
    first = bisect_right(ids, start_s * 1000) - 1
    after = bisect_left(ids, start_s * 1000 + WIDTH_MS)
    path = ids[first : after + 1]
    covered = all(later - earlier <= GAP_MS_MAX for earlier, later in pairwise(path))
    own = ticks[first + 1 : after]
    low = min([ticks[first].close, *(tick.low for tick in own)])
    high = max([ticks[first].close, *(tick.high for tick in own)])
    for bet in bets:
        hit = bet.low_cents <= high and bet.high_cents >= low
        bet.status = "void" if not covered else "won" if hit else "lost"
        bet.payout_amount = payout_cents(bet.amount, bet.reward_rate) if bet.status == "won" else 0
    return covered
