"""The player who sees prices before the house does: what is left of the advantage after a wait and under a floor.

At a moment the house shows its rates; this player already knows the tick that the house will have 300 ms later, asks
the model what it says of the cells on that tick, and taps where the rate shown times that probability is large.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from runtime.game.money import BASIS_POINTS
from taptrade.calibration.cells import Cells
from taptrade.calibration.days import Flags, Floats, Progress, Whole
from taptrade.calibration.moments import FILL_AGE_MS_MAX, Moments, Pricer
from taptrade.calibration.network import Network
from taptrade.calibration.returns import Estimate, Tally

if TYPE_CHECKING:
    from taptrade.calibration.report import Part

AHEAD_MS = 300
FILL_DELAYS_MS = (0, 250, 500, 1_000)
FLOOR = 0.97
ESTIMATES = (1.1, 1.3, 2.0)
TAPS = 10_000
CHUNK = 2_000


@dataclass(frozen=True, slots=True)
class HeadStart:
    """What the taps of one such player returned, as far as they were filled."""

    fill_delay_ms: int
    floor: float | None
    """The least rate taken, as a share of the one that was seen."""
    estimate: float
    """What a tap had to return by the player's own reckoning to be made."""
    taps: int
    filled: Estimate

    @property
    def told(self) -> str:
        """Say which player this is."""
        floor = f"a floor of {self.floor:.0%}" if self.floor else "no floor"
        return (
            f"the player who sees prices {AHEAD_MS} ms ahead, at a fill delay of {self.fill_delay_ms} ms with {floor}, "
            f"tapping from {self.estimate:g} on,"
        )

    def as_json(self) -> dict[str, Any]:
        """Return it with the names of the report."""
        return {
            "ahead_ms": AHEAD_MS,
            "fill_delay_ms": self.fill_delay_ms,
            "floor": self.floor,
            "estimate": self.estimate,
            "taps": self.taps,
            **self.filled.as_json(),
        }


@dataclass(frozen=True, slots=True)
class Chosen:
    """Cells that were tapped at some moment for the rate shown."""

    cells: Cells
    seen_bp: Whole


def head_starts(
    parts: Sequence[Part], fair: float, fill_delay_ms: int, progress: Progress, seed: int
) -> tuple[HeadStart, ...]:
    """Play this player at each delay, with the floor and without, for each estimate."""
    delays_ms = sorted({*FILL_DELAYS_MS, fill_delay_ms})
    players = {
        (delay, floor, estimate): (Tally(), [0])
        for delay in delays_ms
        for floor in (FLOOR, None)
        for estimate in ESTIMATES
    }
    most = TAPS // max(1, len(parts))
    random = np.random.default_rng(seed)
    for number, (moments, pricer, network) in enumerate(parts):
        worth = _Choice(moments, pricer, network, fair)
        choices = worth.choose(lambda share, n=number: progress("a head start", (n + share) / len(parts)))
        for estimate, chosen in choices.items():
            some = _sample(chosen, most, random)
            for delay_ms in delays_ms:
                rates_bp, least_bp = _fills(some, pricer, delay_ms)
                for floor in (FLOOR, None):
                    tally, made = players[delay_ms, floor, estimate]
                    made[0] += len(some.cells)
                    _settle(some, rates_bp, least_bp, floor, tally)
    return tuple(HeadStart(*player, made[0], tally.estimate()) for player, (tally, made) in players.items())


class _Choice:
    """Choose cells by what the model says of them on the tick that is still to come."""

    def __init__(self, moments: Moments, pricer: Pricer, network: Network | None, fair: float) -> None:
        ids = moments.day.ids
        later = np.searchsorted(ids, moments.now_ms + AHEAD_MS, side="right") - 1
        # Without a newer tick the player knows no more than the house.
        moved = later > moments.ticks
        self._moments, self._later = moments.only(moved), later[moved]
        self._pricer, self._network, self._fair = pricer, network, fair

    def choose(self, told: Any) -> dict[float, Chosen]:
        """Return the cells that are worth each of the estimates."""
        found: dict[float, list[tuple[Whole, ...]]] = {estimate: [] for estimate in ESTIMATES}
        for moments, later in self._chunks(told):
            rates = self._pricer.rates_bp(moments)
            worth = rates / BASIS_POINTS * self._probabilities(moments, later, rates)
            for estimate, rows in found.items():
                m, c, r = np.nonzero(worth >= estimate)
                rows.append(
                    (moments.ticks[m], moments.now_ms[m], moments.starts_s[m, c], moments.lows[m, r], rates[m, c, r])
                )
        return {estimate: self._gathered(rows) for estimate, rows in found.items()}

    def _chunks(self, told: Any) -> Iterator[tuple[Moments, Whole]]:
        for first in range(0, len(self._moments), CHUNK):
            yield self._moments.part(first, first + CHUNK), self._later[first : first + CHUNK]
            told(min(1.0, (first + CHUNK) / len(self._moments)))

    def _gathered(self, rows: list[tuple[Whole, ...]]) -> Chosen:
        day, rules = self._moments.day, self._moments.rules
        none = (np.zeros(0, dtype=np.int64),) * 5
        ticks, now_ms, start_s, low_cents, seen_bp = map(np.concatenate, zip(none, *rows, strict=True))
        return Chosen(Cells(day, rules, ticks, now_ms, start_s, low_cents), seen_bp)

    def _probabilities(self, moments: Moments, later: Whole, rates: Whole) -> Floats:
        """Return what the model says of the moments' cells on the later ticks (m, c, r)."""
        now_ms = moments.now_ms + AHEAD_MS
        m, c, r = rates.shape
        if self._network is not None:
            opens_s = np.maximum(moments.starts_s - now_ms[:, None] / 1000, 0.0).reshape(-1)
            low = np.repeat((moments.lows - moments.day.close[later][:, None]).astype(float), c, axis=0)
            signals = np.repeat(moments.day.signals[later], c, axis=0)
            found = self._network.probabilities(signals, opens_s, low, low + moments.rules.row_step_cents)
            return found.reshape(m, c, r)
        at = np.nonzero(rates)
        cells = Cells(
            moments.day, moments.rules, later[at[0]], now_ms[at[0]], moments.starts_s[at[:2]], moments.lows[at[::2]]
        )
        later_bp = self._pricer.cell_rates_bp(cells)
        probabilities = np.zeros(rates.shape)
        probabilities[at] = np.where(later_bp > 0, self._fair * BASIS_POINTS / np.maximum(later_bp, 1), 0.0)
        return probabilities


def _sample(chosen: Chosen, most: int, random: np.random.Generator) -> Chosen:
    count = len(chosen.cells)
    if count <= most:
        return chosen
    some = np.sort(random.choice(count, most, replace=False))
    cells = chosen.cells
    return Chosen(
        Cells(
            cells.day, cells.rules, cells.ticks[some], cells.now_ms[some], cells.start_s[some], cells.low_cents[some]
        ),
        chosen.seen_bp[some],
    )


def _fills(chosen: Chosen, pricer: Pricer, delay_ms: int) -> tuple[Whole, Whole]:
    """Return the rates that the taps are filled at, and the least on any tick since their receipt.

    They are filled on the first tick after the wait; the rate is 0 where there is none in time.
    """
    if not delay_ms:
        return chosen.seen_bp, chosen.seen_bp
    cells, ids = chosen.cells, chosen.cells.day.ids
    due_ms = cells.now_ms + delay_ms
    ticks = np.searchsorted(ids, due_ms, side="right")
    in_time: Flags = ticks < len(ids)
    ticks = np.minimum(ticks, len(ids) - 1)
    in_time &= ids[ticks] <= due_ms + FILL_AGE_MS_MAX
    rates_bp = np.where(in_time, _rates_on(cells, ticks, pricer), 0)
    least_bp = rates_bp
    between = cells.ticks + 1
    while (between < ticks).any():
        on_the_way = _rates_on(cells, np.minimum(between, ticks), pricer)
        least_bp = np.where(between < ticks, np.minimum(least_bp, on_the_way), least_bp)
        between = between + 1
    return rates_bp, least_bp


def _rates_on(cells: Cells, ticks: Whole, pricer: Pricer) -> Whole:
    now_ms = np.maximum(cells.day.ids[ticks], cells.now_ms)
    return pricer.cell_rates_bp(Cells(cells.day, cells.rules, ticks, now_ms, cells.start_s, cells.low_cents))


def _settle(chosen: Chosen, rates_bp: Whole, least_bp: Whole, floor: float | None, tally: Tally) -> None:
    touched, covered = chosen.cells.outcomes()
    # Whole numbers, as a client signs them.
    floor_bp = (chosen.seen_bp * floor).astype(np.int64) if floor else np.zeros_like(chosen.seen_bp)
    filled = (rates_bp > 0) & (least_bp >= floor_bp) & covered
    paid = np.where(touched, rates_bp / BASIS_POINTS, 0.0)
    tally.add(chosen.cells.now_ms[filled], np.ones(int(filled.sum())), paid[filled])
