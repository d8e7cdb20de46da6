"""What taps returned per unit staked, with intervals by a bootstrap over blocks of ten minutes.

Neighbouring taps share their windows, so single taps are no sample; whole blocks are drawn anew (Kuensch 1989).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from runtime.game.money import BASIS_POINTS
from taptrade.calibration.days import Flags, Floats, Whole

BLOCK_MS = 600_000
DRAWS = 4_000
CONFIDENCE = 0.99
SEED = 20260106


@dataclass(frozen=True, slots=True)
class Estimate:
    """A realised return and its 99 % interval; without a bet all are None."""

    bets: int
    value: float | None
    low: float | None
    high: float | None
    blocks: int
    """Blocks with a bet in them: too few are no sample."""

    def as_json(self) -> dict[str, float | int | None]:
        """Return it with the names of the report."""
        return {"bets": self.bets, "return": self.value, "low": self.low, "high": self.high}


def fair_of(house_edge_bp: int) -> float:
    """Return what a tap should return: 1 less the house's edge."""
    return 1 - house_edge_bp / BASIS_POINTS


class Tally:
    """Stakes of one and what they returned, by block."""

    def __init__(self) -> None:
        self._bets: dict[int, float] = {}
        self._paid: dict[int, float] = {}

    def add(self, now_ms: Whole, taps: Floats | Flags | Whole, paid: Floats) -> None:
        """Add, for each moment, how many taps there were and what they were paid in all."""
        blocks, index = np.unique(now_ms // BLOCK_MS, return_inverse=True)
        bets, returned = np.bincount(index, taps), np.bincount(index, paid)
        for block, count, sum_paid in zip(blocks.tolist(), bets.tolist(), returned.tolist(), strict=True):
            self._bets[block] = self._bets.get(block, 0.0) + count
            self._paid[block] = self._paid.get(block, 0.0) + sum_paid

    def estimate(self) -> Estimate:
        """Return the realised return with its interval."""
        bets = np.array(list(self._bets.values()))
        total = float(bets.sum())
        if not total:
            return Estimate(0, None, None, None, 0)
        paid = np.array([self._paid[block] for block in self._bets])
        value = float(paid.sum()) / total
        drawn = _draws(len(bets))
        staked = drawn @ bets
        returns = (drawn @ paid)[staked > 0] / staked[staked > 0]
        tail = 50 * (1 - CONFIDENCE)
        low, high = np.percentile(returns, [tail, 100 - tail])
        blocks = int(np.count_nonzero(bets))
        return Estimate(round(total), round(value, 4), round(float(low), 4), round(float(high), 4), blocks)


@lru_cache(maxsize=8)
def _draws(count: int) -> Floats:
    """Return how often each of the blocks is in each draw."""
    return np.random.default_rng(SEED).multinomial(count, np.full(count, 1 / count), DRAWS).astype(float)
