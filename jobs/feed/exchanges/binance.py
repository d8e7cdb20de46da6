"""Binance spot, BTC/USDT: frames of the raw and of the combined form.

It pings every 20 s, closes every connection after 24 hours, and tells of an end to come by `serverShutdown`.
Its best bid and ask carry no time of their own.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import msgspec

from jobs.feed.exchanges.frames import OTHER_SYMBOL, UNASKED, Exchange, Reconnect, Said, Trouble, quote, trade

SYMBOL = "BTCUSDT"


class _Error(msgspec.Struct):
    msg: str = ""


class _Frame(msgspec.Struct):
    data: msgspec.Raw = msgspec.Raw()
    event: str = msgspec.field(name="e", default="")
    symbol: str = msgspec.field(name="s", default="")
    update: int | None = msgspec.field(name="u", default=None)
    id: int | None = None
    error: _Error | None = None
    code: int | None = None
    msg: str = ""


class _Book(msgspec.Struct):
    u: int
    b: Decimal
    a: Decimal


class _Trade(msgspec.Struct):
    t: int
    p: Decimal
    traded_ms: int = msgspec.field(name="T")


_frame = msgspec.json.Decoder(_Frame)
_book = msgspec.json.Decoder(_Book)
_trade = msgspec.json.Decoder(_Trade)


def _understand(raw: bytes) -> Sequence[Said]:
    frame = _frame.decode(raw)
    body: bytes | msgspec.Raw = raw
    if bytes(frame.data):
        body = frame.data
        frame = _frame.decode(body)
    if frame.event == "serverShutdown":
        return (Reconnect("the server shuts down"),)
    if frame.error is not None or frame.code is not None:
        return (Trouble(frame.error.msg if frame.error else frame.msg),)
    if frame.symbol:
        return (_price(frame, body),)
    return () if frame.id is not None else (UNASKED,)


def _price(frame: _Frame, body: bytes | msgspec.Raw) -> Said:
    if frame.symbol != SYMBOL:
        return OTHER_SYMBOL
    if frame.event == "trade":
        paid = _trade.decode(body)
        return trade(paid.p, paid.t, paid.traded_ms)
    if not frame.event and frame.update is not None:
        best = _book.decode(body)
        return quote(best.b, best.a, best.u, None)
    return UNASKED


BINANCE = Exchange(
    "binance",
    "wss://stream.binance.com:9443/stream",
    ('{"method":"SUBSCRIBE","params":["btcusdt@bookTicker","btcusdt@trade"],"id":1}',),
    _understand,
)
