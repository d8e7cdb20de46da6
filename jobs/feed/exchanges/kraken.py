"""Kraken, version 2 of its interface, BTC/USD.

Prices are JSON numbers. It says at the start of a connection, and whenever it changes, whether the market is open: in
maintenance, and while orders are only cancelled or only posted, what stands in the book is no price.
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
    Trading,
    Trouble,
    microseconds,
    quote,
    trade,
)

SYMBOL = "BTC/USD"


class _Frame(msgspec.Struct):
    channel: str = ""
    type: str = ""
    method: str = ""
    data: msgspec.Raw = msgspec.Raw()
    error: str | None = None


class _Status(msgspec.Struct):
    system: str


class _Row(msgspec.Struct):
    symbol: str


class _Ticker(msgspec.Struct):
    bid: Decimal
    ask: Decimal
    timestamp: Moment | None = None


class _Trade(msgspec.Struct):
    trade_id: int
    price: Decimal
    timestamp: Moment


_frame = msgspec.json.Decoder(_Frame)
_statuses = msgspec.json.Decoder(list[_Status])
_rows = msgspec.json.Decoder(list[msgspec.Raw])
_row = msgspec.json.Decoder(_Row)
_ticker = msgspec.json.Decoder(_Ticker)
_trade = msgspec.json.Decoder(_Trade)


def _understand(raw: bytes) -> Sequence[Said]:
    frame = _frame.decode(raw)
    if frame.error is not None:
        return (Trouble(frame.error),)
    if frame.method or frame.channel == "heartbeat":
        return ()
    if frame.channel == "status":
        return [Trading(status.system == "online", status.system) for status in _statuses.decode(frame.data)]
    if frame.channel == "ticker":
        return [_quote(row) for row in _rows.decode(frame.data)]
    if frame.channel == "trade":
        # A snapshot holds what was traded before.
        return () if frame.type == "snapshot" else [_paid(row) for row in _rows.decode(frame.data)]
    return (UNASKED,)


def _quote(row: msgspec.Raw) -> Said:
    if _row.decode(row).symbol != SYMBOL:
        return OTHER_SYMBOL
    best = _ticker.decode(row)
    time_us = None if best.timestamp is None else microseconds(best.timestamp)
    return quote(best.bid, best.ask, time_us, None if time_us is None else time_us // 1000)


def _paid(row: msgspec.Raw) -> Said:
    if _row.decode(row).symbol != SYMBOL:
        return OTHER_SYMBOL
    paid = _trade.decode(row)
    return trade(paid.price, paid.trade_id, microseconds(paid.timestamp) // 1000)


KRAKEN = Exchange(
    "kraken",
    "wss://ws.kraken.com/v2",
    (
        '{"method":"subscribe","params":{"channel":"ticker","symbol":["BTC/USD"],"event_trigger":"bbo"}}',
        '{"method":"subscribe","params":{"channel":"trade","symbol":["BTC/USD"],"snapshot":false}}',
    ),
    _understand,
)
