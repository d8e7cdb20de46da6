"""What of the running column's window the price has touched so far: told by the feed, passed on by the stream."""

from __future__ import annotations

import msgspec


class Touched(msgspec.Struct, frozen=True):
    """The column's lowest and highest price so far; a band that meets [low, high] is touched (provisional)."""

    column_start_s: int
    low_cents: int
    high_cents: int
    tick_id: int
