"""Bitstamp, BTC/USD.

Numbers come as text beside older fields with the noise of floats, so the text is read. Before it restarts a server it
asks every client for a new connection.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import msgspec

from jobs.feed.exchanges.frames import (
    OTHER_SYMBOL,
    UNASKED,
    Dropped,
    Exchange,
    Reconnect,
    Said,
    Trouble,
    quote,
    trade,
)

SYMBOL = "btcusd"
ACKNOWLEDGED = ("bts:subscription_succeeded", "bts:heartbeat")


class _Frame(msgspec.Struct):
    event: str
    channel: str = ""
    data: msgspec.Raw = msgspec.Raw()


class _Error(msgspec.Struct):
    message: str = ""


class _Book(msgspec.Struct):
    microtimestamp: int
    bids: list[tuple[Decimal, str]]
    asks: list[tuple[Decimal, str]]


class _Trade(msgspec.Struct):
    id: int
    price_str: Decimal
    microtimestamp: int


_frame = msgspec.json.Decoder(_Frame)
_error = msgspec.json.Decoder(_Error)
# Not strict: their whole numbers are text.
_book = msgspec.json.Decoder(_Book, strict=False)
_trade = msgspec.json.Decoder(_Trade, strict=False)


def _understand(raw: bytes) -> Sequence[Said]:
    frame = _frame.decode(raw)
    if frame.event in ACKNOWLEDGED:
        return ()
    if frame.event == "bts:request_reconnect":
        return (Reconnect("it asked for a new connection"),)
    if frame.event == "bts:error":
        return (Trouble(_error.decode(frame.data).message),)
    if not frame.channel.endswith(f"_{SYMBOL}"):
        return (OTHER_SYMBOL if frame.channel else UNASKED,)
    if frame.channel == f"order_book_{SYMBOL}" and frame.event == "data":
        book = _book.decode(frame.data)
        if not book.bids or not book.asks:
            return (Dropped("one_sided"),)
        return (quote(book.bids[0][0], book.asks[0][0], book.microtimestamp, book.microtimestamp // 1000),)
    if frame.channel == f"live_trades_{SYMBOL}" and frame.event == "trade":
        paid = _trade.decode(frame.data)
        return (trade(paid.price_str, paid.id, paid.microtimestamp // 1000),)
    return (UNASKED,)


BITSTAMP = Exchange(
    "bitstamp",
    "wss://ws.bitstamp.net",
    tuple(
        f'{{"event":"bts:subscribe","data":{{"channel":"{channel}_{SYMBOL}"}}}}'
        for channel in ("order_book", "live_trades")
    ),
    _understand,
)
