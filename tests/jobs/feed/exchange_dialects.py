"""How each exchange speaks, from the side of its server: greetings, answers to subscriptions, prices, farewells."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

Kinds = frozenset[str]
"""Of `quote` and `trade`."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Dialect:
    """One exchange's frames; every number in them is written as it is given."""

    path: str
    greeting: tuple[str, ...]
    messages: int
    """How many of a client's messages ask for all of it."""
    channels: dict[str, str]
    """What each channel brings."""
    asked: Callable[[Any], Iterable[str]]
    """The channels that a message subscribes to."""
    granted: Callable[[Any, list[str]], list[str]]
    """The answers to that message when these channels of it are granted."""
    quote: Callable[[str, str, int, int], str]
    """Bid, ask, a rising number, Unix microseconds."""
    trade: Callable[[str, int, int], str]
    heartbeat: str
    error: str
    farewell: str = ""
    closed: str = ""
    """The market closes for maintenance."""
    opened: str = ""

    def answers(self, text: str, refused: Kinds) -> tuple[Kinds, list[str]]:
        """Return the kinds that a client's message brings it, and what it is told."""
        message = json.loads(text)
        names = [name for name in self.asked(message) if self.channels.get(name, "") not in {"", *refused}]
        return frozenset(self.channels[name] for name in names), self.granted(message, names)


def _rfc3339(time_us: int) -> str:
    return (EPOCH + timedelta(microseconds=time_us)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _text(message: object) -> str:
    return json.dumps(message, separators=(",", ":"))


def _binance_granted(message: Any, names: list[str]) -> list[str]:
    # An unknown stream is accepted like any other, and stays silent.
    return [_text({"result": None, "id": message["id"]})]


BINANCE = Dialect(
    path="/stream",
    greeting=(),
    messages=1,
    channels={"btcusdt@bookTicker": "quote", "btcusdt@trade": "trade"},
    asked=lambda message: message["params"],
    granted=_binance_granted,
    quote=lambda bid, ask, number, _time_us: (
        f'{{"stream":"btcusdt@bookTicker","data":{{"u":{number},"s":"BTCUSDT","b":"{bid}","B":"2.19538000",'
        f'"a":"{ask}","A":"2.27890000"}}}}'
    ),
    trade=lambda price, number, time_us: (
        f'{{"stream":"btcusdt@trade","data":{{"e":"trade","E":{time_us // 1000},"s":"BTCUSDT","t":{number},'
        f'"p":"{price}","q":"0.00016000","T":{time_us // 1000},"m":true,"M":true}}}}'
    ),
    heartbeat='{"result":["btcusdt@bookTicker"],"id":2}',
    error='{"error":{"code":2,"msg":"Invalid request: invalid stream"}}',
    farewell='{"stream":"!serverShutdown","data":{"e":"serverShutdown","E":1770123456789}}',
)


def _coinbase_granted(_message: Any, names: list[str]) -> list[str]:
    channels = [{"name": name, "product_ids": ["BTC-USD"], "account_ids": None} for name in names]
    return [_text({"type": "subscriptions", "channels": channels})]


COINBASE = Dialect(
    path="",
    greeting=(),
    messages=1,
    channels={"ticker": "quote", "matches": "trade"},
    asked=lambda message: message["channels"],
    granted=_coinbase_granted,
    quote=lambda bid, ask, number, time_us: (
        f'{{"type":"ticker","sequence":{number},"product_id":"BTC-USD","price":"{bid}","open_24h":"78609.92",'
        f'"best_bid":"{bid}","best_bid_size":"0.00009686","best_ask":"{ask}","best_ask_size":"0.04350000",'
        f'"side":"sell","time":"{_rfc3339(time_us)}","trade_id":{number},"last_size":"0.00000009"}}'
    ),
    trade=lambda price, number, time_us: (
        f'{{"type":"match","trade_id":{number},"side":"buy","size":"0.00000009","price":"{price}",'
        f'"product_id":"BTC-USD","sequence":{number},"time":"{_rfc3339(time_us)}"}}'
    ),
    heartbeat='{"type":"heartbeat","last_trade_id":1,"product_id":"BTC-USD","sequence":1,"time":"2026-09-15T11:01:54.000000Z"}',
    error='{"type":"error","message":"Failed to subscribe","reason":"BTC-USD is not a valid product"}',
)


def _kraken_granted(message: Any, names: list[str]) -> list[str]:
    asked = message["params"]["channel"]
    if asked in names:
        result = {"channel": asked, "snapshot": True, "symbol": "BTC/USD"}
        return [_text({"method": "subscribe", "result": result, "success": True})]
    error = {"error": "Currency pair not supported BTC/USD", "method": "subscribe", "success": False}
    return [_text({**error, "symbol": "BTC/USD"})]


def _kraken_status(system: str) -> str:
    status = {"version": "2.0.10", "system": system, "api_version": "v2", "connection_id": 9471984923908980762}
    return _text({"channel": "status", "type": "update", "data": [status]})


KRAKEN = Dialect(
    path="/v2",
    greeting=(_kraken_status("online"),),
    messages=2,
    channels={"ticker": "quote", "trade": "trade"},
    asked=lambda message: [message["params"]["channel"]],
    granted=_kraken_granted,
    quote=lambda bid, ask, number, time_us: (
        f'{{"channel":"ticker","type":"update","data":[{{"symbol":"BTC/USD","bid":{bid},"bid_qty":0.58905885,'
        f'"ask":{ask},"ask_qty":0.69697106,"last":{ask},"timestamp":"{_rfc3339(time_us + number)}"}}]}}'
    ),
    trade=lambda price, number, time_us: (
        f'{{"channel":"trade","type":"update","data":[{{"symbol":"BTC/USD","side":"sell","price":{price},'
        f'"qty":0.00022946,"ord_type":"market","trade_id":{number},"timestamp":"{_rfc3339(time_us)}"}}]}}'
    ),
    heartbeat='{"channel":"heartbeat"}',
    error='{"error":"Currency pair not supported BTC/USD","method":"subscribe","success":false,"symbol":"BTC/USD"}',
    closed=_kraken_status("maintenance"),
    opened=_kraken_status("online"),
)


def _bitstamp_granted(_message: Any, names: list[str]) -> list[str]:
    if not names:
        data = {"code": None, "message": "Bad subscription string."}
        return [_text({"event": "bts:error", "channel": "", "data": data})]
    return [_text({"event": "bts:subscription_succeeded", "channel": name, "data": {}}) for name in names]


BITSTAMP = Dialect(
    path="",
    greeting=(),
    messages=2,
    channels={"order_book_btcusd": "quote", "live_trades_btcusd": "trade"},
    asked=lambda message: [message["data"]["channel"]],
    granted=_bitstamp_granted,
    quote=lambda bid, ask, number, time_us: (
        f'{{"data":{{"timestamp":"{time_us // 1_000_000}","microtimestamp":"{time_us + number}",'
        f'"bids":[["{bid}","0.85114353"],["1.00","0.25014847"]],"asks":[["{ask}","0.72730996"]]}},'
        f'"channel":"order_book_btcusd","event":"data"}}'
    ),
    trade=lambda price, number, time_us: (
        f'{{"data":{{"id":{number},"timestamp":"{time_us // 1_000_000}","amount":0.125,"amount_str":"0.12500000",'
        f'"price":{price},"price_str":"{price}","type":1,"microtimestamp":"{time_us}"}},'
        f'"channel":"live_trades_btcusd","event":"trade"}}'
    ),
    heartbeat='{"event":"bts:heartbeat","channel":"","data":{"status":"success"}}',
    error='{"event":"bts:error","channel":"","data":{"code":4009,"message":"Connection is unauthorized."}}',
    farewell='{"event":"bts:request_reconnect","channel":"","data":""}',
)

DIALECTS = {"binance": BINANCE, "coinbase": COINBASE, "kraken": KRAKEN, "bitstamp": BITSTAMP}
