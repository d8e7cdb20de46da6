"""Prices in brief, for readers who do without what a price was made from: that is most of its bytes."""

from __future__ import annotations

from dataclasses import replace

import msgspec

from runtime.messaging.bus import PublicEvent
from runtime.stream import sse
from runtime.stream.subscriber import Item


class BriefPrice(msgspec.Struct, frozen=True):
    """A tick without its sources and features."""

    id: int
    exchange_ms: int
    close: int
    low: int
    high: int


_price = msgspec.json.Decoder(BriefPrice)


def brief_price(price: Item, event: PublicEvent, cursor: sse.Cursor) -> Item:
    """Return what tells a price in brief."""
    data = sse.with_event_id(msgspec.json.encode(_price.decode(event.data)), event.id)
    return replace(price, kind=sse.BRIEF, data=data, frame=sse.frame(sse.BRIEF, cursor, data))
