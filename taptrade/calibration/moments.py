"""Moments of a day at which every shown cell is tapped: what the house knew then, and what came of each cell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from runtime.game.grid import FIRST_PLACEABLE, Cell, GridRules
from runtime.game.rewards import HISTORY_MS_MIN, RewardModel
from taptrade.calibration.cells import Cells
from taptrade.calibration.days import Day, Flags, Floats, Whole
from taptrade.calibration.network import Network

FILL_AGE_MS_MAX = 1_500
CHECKED = 40
"""Moments of a day at which each rate of the arrays is compared with the model's own."""


@dataclass(frozen=True, slots=True)
class Moments:
    """Moments (m of them), the columns ahead (c) and the rows shown (r)."""

    day: Day
    rules: GridRules
    now_ms: Whole
    ticks: Whole
    """Index of the newest tick."""

    def __len__(self) -> int:
        return len(self.now_ms)

    def part(self, first: int, last: int) -> Moments:
        """Return a stretch of the moments."""
        return Moments(self.day, self.rules, self.now_ms[first:last], self.ticks[first:last])

    def only(self, mask: Flags) -> Moments:
        """Return those that the mask keeps."""
        return Moments(self.day, self.rules, self.now_ms[mask], self.ticks[mask])

    @property
    def distances(self) -> Whole:
        """Columns from the current one to those that take bets (c)."""
        return np.arange(FIRST_PLACEABLE, self.rules.horizon_columns + 1)

    @property
    def starts_s(self) -> Whole:
        """When the columns start (m, c)."""
        width = self.rules.column_seconds
        current = self.now_ms // 1000 // width * width
        found: Whole = current[:, None] + width * self.distances[None]
        return found

    @property
    def opens_s(self) -> Floats:
        """How long until the columns start (m, c)."""
        found: Floats = self.starts_s - self.now_ms[:, None] / 1000
        return found

    @property
    def close(self) -> Whole:
        """The price (m)."""
        return self.day.close[self.ticks]

    @property
    def lows(self) -> Whole:
        """Lows of the rows shown (m, r), as runtime.game.grid.shown_rows has them."""
        step, rows = self.rules.row_step_cents, self.rules.rows
        first = np.maximum(0, (2 * self.close - rows * step + step) // (2 * step))
        found: Whole = (first[:, None] + np.arange(rows)[None]) * step
        return found

    def outcomes(self) -> tuple[Flags, Flags]:
        """Return whether each cell was touched (m, c, r) and whether its window was covered (m, c)."""
        windows = self.day.windows
        index = windows.index(self.starts_s)
        lows = self.lows[:, None, :]
        touched = (lows <= windows.high[index][:, :, None]) & (
            lows + self.rules.row_step_cents >= windows.low[index][:, :, None]
        )
        return touched, windows.covered[index]


def moments_of(day: Day, rules: GridRules, every_ms: int, seed: int) -> Moments:
    """Choose a moment in each stretch of `every_ms`, at random in it; those without a fresh tick take no bets."""
    first_ms, last_ms = int(day.ids[0]), int(day.ids[-1])
    grid_ms = np.arange(first_ms, last_ms, every_ms)
    now_ms = grid_ms + np.random.default_rng(seed).integers(0, every_ms, len(grid_ms))
    return moments_at(day, rules, now_ms)


def moments_at(day: Day, rules: GridRules, now_ms: Whole) -> Moments:
    """Return the given moments, as far as bets are filled at them."""
    ticks = np.searchsorted(day.ids, now_ms, side="right") - 1
    is_fresh = (ticks >= 0) & (now_ms - day.ids[ticks] <= FILL_AGE_MS_MAX)
    taken = is_fresh & (day.history_ms[ticks] >= HISTORY_MS_MIN)
    return Moments(day, rules, now_ms[taken], ticks[taken])


class Pricer:
    """Price whole moments: by arrays where the model is a mixture, else cell by cell by the model itself."""

    def __init__(self, model: RewardModel, network: Network | None) -> None:
        self._model = model
        self._network = network

    @property
    def is_fast(self) -> bool:
        """Tell whether a day can be priced second by second."""
        return self._network is not None

    def rates_bp(self, moments: Moments) -> Whole:
        """Return the rates (m, c, r) in basis points, 0 where a cell is not offered."""
        if self._network is not None:
            return self._network.rates_bp(moments)
        return self.own_rates_bp(moments)

    def own_rates_bp(self, moments: Moments) -> Whole:
        """Return the same, each asked of the model."""
        step = moments.rules.row_step_cents
        starts_s, lows = moments.starts_s, moments.lows
        rates = np.zeros((len(moments), starts_s.shape[1], lows.shape[1]), dtype=np.int64)
        for row in range(len(moments)):
            tick, now_ms = moments.day.tick(int(moments.ticks[row])), int(moments.now_ms[row])
            for column, start_s in enumerate(starts_s[row].tolist()):
                for position, low in enumerate(lows[row].tolist()):
                    rates[row, column, position] = (
                        self._model.rate_bp(Cell(start_s, low, low + step), tick, now_ms) or 0
                    )
        return rates

    def cell_rates_bp(self, cells: Cells) -> Whole:
        """Return the rate of each of the cells in basis points, 0 where it is not offered."""
        if self._network is not None:
            return self._network.cell_rates_bp(cells)
        rates = np.zeros(len(cells), dtype=np.int64)
        for row in np.nonzero(cells.are_ahead)[0].tolist():
            low = int(cells.low_cents[row])
            cell = Cell(int(cells.start_s[row]), low, low + cells.rules.row_step_cents)
            tick, now_ms = cells.day.tick(int(cells.ticks[row])), int(cells.now_ms[row])
            rates[row] = self._model.rate_bp(cell, tick, now_ms) or 0
        return rates

    def check(self, moments: Moments) -> None:
        """Raise ValueError where the arrays' rates are not the model's own; a point of rounding is left to floats."""
        if self._network is None or not len(moments):
            return
        some = moments.only(np.isin(np.arange(len(moments)), np.linspace(0, len(moments) - 1, CHECKED).astype(int)))
        own, fast = self.own_rates_bp(some), self.rates_bp(some)
        apart: Any = np.abs(own - fast) > 1
        if apart.mean() > 0.001:
            where = tuple(int(each[0]) for each in np.nonzero(apart))
            raise ValueError(f"the model gives {own[where]} where the arrays give {fast[where]}")
