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
        self._grid: Grid | None = None if last is None else decode_grid(last.data)
        self._event_id = "" if last is None else last.id

    def next(self, grid: Item, event: PublicEvent, cursor: sse.Cursor) -> Item | None:
        """Return what leads from the grid before to this one, None if only the whole grid says it."""
        base, base_id = self._grid, self._event_id
        self._grid, self._event_id = decode_grid(event.data), event.id
        change = None if base is None or self._grid is None else change_between(base, self._grid, base_id)
        if change is None:
            return None
        data = sse.with_event_id(msgspec.json.encode(change), event.id)
        return replace(grid, kind=sse.CHANGE, data=data, frame=sse.frame(sse.CHANGE, cursor, data))
