"""Single cells, each on a tick and at a time of its own: taps that are filled later than they were chosen."""

from __future__ import annotations

from dataclasses import dataclass

from runtime.game.grid import GridRules
from runtime.game.rewards import HISTORY_MS_MIN
from taptrade.calibration.days import Day, Flags, Floats, Whole


@dataclass(frozen=True, slots=True)
class Cells:
    """Cells of a day, one a row, and the ticks and times at which they are priced."""

    day: Day
    rules: GridRules
    ticks: Whole
    now_ms: Whole
    start_s: Whole
    low_cents: Whole

    def __len__(self) -> int:
        return len(self.start_s)

    @property
    def close(self) -> Whole:
        """The price."""
        return self.day.close[self.ticks]

    @property
    def signals(self) -> Floats:
        """The ticks' signals, a row each."""
        return self.day.signals[self.ticks]

    @property
    def opens_s(self) -> Floats:
        """How long until the window opens; negative once it has."""
        found: Floats = self.start_s - self.now_ms / 1000
        return found

    @property
    def distances(self) -> Whole:
        """Columns from the one that runs to the cell's."""
        width = self.rules.column_seconds
        return (self.start_s - self.now_ms // 1000 // width * width) // width

    @property
    def are_ahead(self) -> Flags:
        """Whether the window has yet to open, and there is enough history to price it."""
        found: Flags = (self.opens_s > 0) & (self.day.history_ms[self.ticks] >= HISTORY_MS_MIN)
        return found

    def outcomes(self) -> tuple[Flags, Flags]:
        """Return whether each cell was touched, and whether its window was covered."""
        windows = self.day.windows
        index = windows.index(self.start_s)
        high_cents = self.low_cents + self.rules.row_step_cents
        touched = (self.low_cents <= windows.high[index]) & (high_cents >= windows.low[index])
        return touched, windows.covered[index]
