"""The promise of the test: a fair bucket is hardly ever refuted, whatever players choose and however bets depend.

The worlds here pay exactly 1 per 1 staked at every fill, the boundary of what is tested. All players share the same
windows, neighbouring columns share most of their moves, and players choose by all that they have seen.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator

import pytest

from runtime.game.copier import FRACTIONS, Copier

LIVES, COLUMNS, DISTANCE = 300, 150, 6
WIDTH_S = 5
LEVELS = (4.0, 10.0, 40.0)
SURE = 4.0
"""Standard deviations that a count may lie above its bound by chance: one test in thirty thousand."""

Bets = list[tuple[int, int]]
"""The stake and the payout of bets on one column, in the order of their fills."""


def touches(needed: float, left: float) -> float:
    """Return the chance of a normal move of variance `left` to be above `needed`."""
    return 0.5 * math.erfc(needed / math.sqrt(2.0 * left))


def diluting(randomness: random.Random) -> Iterator[Bets]:
    """Tap a little, look how the window goes on, and tap much more if it goes badly: the average stake looks lucky."""
    halves = [randomness.gauss(0.0, 1.0) for _ in range(2 * (COLUMNS + DISTANCE))]
    barrier = 1.2 * math.sqrt(2.0 * DISTANCE)
    for column in range(COLUMNS):
        first, *later = halves[2 * column : 2 * (column + DISTANCE)]
        hit = first + sum(later) > barrier
        bets = [(10_000, touches(barrier, 2.0 * DISTANCE))]
        if first < 0.0:
            bets += [(10_000, touches(barrier - first, 2.0 * DISTANCE - 1.0))] * 20
        yield [(stake, round(stake / chance) if hit else 0) for stake, chance in bets]


def chasing(randomness: random.Random) -> Iterator[Bets]:
    """Tap more where open bets stand well, many on the same window: outcomes come in clusters, and so do stakes."""
    moves = [randomness.gauss(0.0, 1.0) for _ in range(COLUMNS + DISTANCE)]
    barrier = 1.5 * math.sqrt(DISTANCE)
    chance = touches(barrier, DISTANCE)
    for column in range(COLUMNS):
        hit = sum(moves[column : column + DISTANCE]) > barrier
        stands_well = sum(moves[max(0, column - DISTANCE + 1) : column]) > 0.0
        yield [(10_000, round(10_000 / chance) if hit else 0)] * (12 if stands_well else 1)


def copied_wealth(columns: Iterator[Bets]) -> float:
    """Return the most that the copier ever holds."""
    copier, most = Copier(), 0.0
    for window, bets in enumerate(columns):
        copied = copier.opened()
        for bet in bets:
            copied.add(*bet)
        part = copied.part(window + DISTANCE)
        copier.remember(copied.staked_cents)
        if part is not None:
            copier.wait(window, part)
            copier.copy_upto(window, WIDTH_S)
        most = max(most, copier.wealth)
    return most


def naive_wealth(columns: Iterator[Bets]) -> float:
    """Return the most of the plain product of the columns' average returns, as if each came after the one before."""
    held, most = [1 / len(FRACTIONS)] * len(FRACTIONS), 0.0
    for bets in columns:
        gain = sum(paid for _, paid in bets) / sum(stake for stake, _ in bets) - 1.0
        held = [one * (1.0 + fraction * gain) for one, fraction in zip(held, FRACTIONS, strict=True)]
        most = max(most, sum(held))
    return most


def reached(wealth: Callable[[Iterator[Bets]], float], world: Callable[[random.Random], Iterator[Bets]]) -> list[int]:
    """Return how many lives ever hold each of LEVELS."""
    most = [wealth(world(random.Random(seed))) for seed in range(LIVES)]
    return [sum(one >= level for one in most) for level in LEVELS]


def allowed(level: float) -> float:
    """Return how many lives may reach a level, by the promise and by chance."""
    chance = 1.0 / level
    return LIVES * chance + SURE * math.sqrt(LIVES * chance * (1.0 - chance))


@pytest.mark.parametrize("world", [diluting, chasing])
def test_a_fair_bucket_makes_nobody_rich(world: Callable[[random.Random], Iterator[Bets]]) -> None:
    for level, lives in zip(LEVELS, reached(copied_wealth, world), strict=True):
        assert lives <= allowed(level), f"{lives} of {LIVES} made {level} of 1"


@pytest.mark.parametrize("world", [diluting, chasing])
def test_the_plain_product_of_returns_would_break_the_promise(
    world: Callable[[random.Random], Iterator[Bets]],
) -> None:
    assert any(lives > allowed(level) for level, lives in zip(LEVELS, reached(naive_wealth, world), strict=True)), (
        "or these worlds test nothing"
    )
