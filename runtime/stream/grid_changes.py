"""The change from each grid to the next, as an event for those readers who have the grid before."""

from __future__ import annotations

from dataclasses import replace

import msgspec

from runtime.market.grid import Grid, decode_grid
from runtime.market.grid_change import change_between
from runtime.messaging.bus import PublicEvent
from runtime.stream import sse
from runtime.stream.subscriber import Item


class GridChanges:
    """Used under the hub's lock, for each grid in turn."""

    def __init__(self, last: PublicEvent | None = None) -> None:
        """`last` is the grid that readers who come now are told of."""
        self._last = last
        self._grid: Grid | None = None
        """What `_last` says, once it was read."""

    def skip(self, event: PublicEvent) -> None:
        """Go on to a grid that nobody is told of: the next change is from it."""
        self._last, self._grid = event, None

    def next(self, grid: Item, event: PublicEvent, cursor: sse.Cursor) -> Item | None:
        """Return what leads from the grid before to this one, None if only the whole grid says it."""
        last, base = self._last, self._grid
        if last is not None and base is None:
            base = decode_grid(last.data)
        self._last, self._grid = event, decode_grid(event.data)
        change = None if not last or not base or not self._grid else change_between(base, self._grid, last.id)
        if change is None:
            return None
        data = sse.with_event_id(msgspec.json.encode(change), event.id)
        return replace(grid, kind=sse.CHANGE, data=data, frame=sse.frame(sse.CHANGE, cursor, data))
