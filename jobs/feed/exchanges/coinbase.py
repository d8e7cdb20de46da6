"""Coinbase Exchange, BTC/USD.

Its answer to a subscription lists every channel that is subscribed to by now: what is missing there was not granted.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import msgspec

from jobs.feed.exchanges.frames import (
    OTHER_SYMBOL,
    UNASKED,
    Exchange,
    Moment,
    Said,
    Trouble,
    microseconds,
    quote,
    trade,
)

SYMBOL = "BTC-USD"
CHANNELS = ("ticker", "matches")


class _Channel(msgspec.Struct):
    name: str
    product_ids: list[str] = []


class _Frame(msgspec.Struct):
    type: str
    product_id: str = ""
    channels: list[_Channel] = []
    message: str = ""
    reason: str = ""


class _Ticker(msgspec.Struct):
    sequence: int
    best_bid: Decimal
    best_ask: Decimal
    time: Moment


class _Match(msgspec.Struct):
    trade_id: int
    price: Decimal
    time: Moment


_frame = msgspec.json.Decoder(_Frame)
_ticker = msgspec.json.Decoder(_Ticker)
_match = msgspec.json.Decoder(_Match)


def _understand(raw: bytes) -> Sequence[Said]:
    frame = _frame.decode(raw)
    if frame.type == "subscriptions":
        granted = {channel.name for channel in frame.channels if SYMBOL in channel.product_ids}
        missing = [name for name in CHANNELS if name not in granted]
        return (Trouble(f"not subscribed to {', '.join(missing)}"),) if missing else ()
    if frame.type == "error":
        return (Trouble(f"{frame.message}: {frame.reason}"),)
    if frame.product_id and frame.product_id != SYMBOL:
        return (OTHER_SYMBOL,)
    if frame.type == "ticker":
        best = _ticker.decode(raw)
        return (quote(best.best_bid, best.best_ask, best.sequence, microseconds(best.time) // 1000),)
    if frame.type in ("match", "last_match"):
        paid = _match.decode(raw)
        return (trade(paid.price, paid.trade_id, microseconds(paid.time) // 1000),)
    return () if frame.type == "heartbeat" else (UNASKED,)


COINBASE = Exchange(
    "coinbase",
    "wss://ws-feed.exchange.coinbase.com",
    ('{"type":"subscribe","product_ids":["BTC-USD"],"channels":["ticker","matches"]}',),
    _understand,
)
