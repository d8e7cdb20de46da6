"""Which rows the running column's window has touched so far: provisional, settled later from the stored ticks."""

from __future__ import annotations

from runtime.game.grid import GridRules, column_of
from runtime.game.ticks import Tick
from runtime.market.touched import Touched


class Touches:
    """Follow the ticks through the columns, by the rule that settles them."""

    def __init__(self, rules: GridRules) -> None:
        self._rules = rules
        self._last: Tick | None = None
        self._start_s = -1
        self._low = self._high = 0

    def add(self, tick: Tick) -> Touched | None:
        """Take in the next tick; return the column's range if it has reached another row."""
        start_s = column_of(tick.id, self._rules)
        before = self._rows() if start_s == self._start_s else None
        if before is None:
            self._begin(start_s, tick)
        self._low, self._high = min(self._low, tick.low), max(self._high, tick.high)
        self._last = tick
        if self._rows() == before:
            return None
        return Touched(start_s, self._low, self._high, tick.id)

    def _begin(self, start_s: int, tick: Tick) -> None:
        self._start_s = start_s
        self._low, self._high = tick.low, tick.high
        # The price carried in counts until the column's first tick, so not if that comes at its very start.
        if self._last is not None and tick.id > start_s * 1000:
            self._low, self._high = min(self._low, self._last.close), max(self._high, self._last.close)

    def _rows(self) -> tuple[int, int]:
        """Return the lowest and highest row whose band, bounds included, meets the range."""
        step = self._rules.row_step_cents
        return -(-self._low // step) - 1, self._high // step
