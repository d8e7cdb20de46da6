"""Exchanges: what each frame that they really sent, or document, says to us.

`frames/` holds one frame a line, as it was sent; the tables here are in its order.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from jobs.feed.exchanges.frames import GARBAGE, OTHER_SYMBOL, UNASKED, Dropped, Price, Reconnect, Said, Trading, Trouble
from jobs.feed.live import EXCHANGES

FRAMES = Path(__file__).with_name("frames")
SAID: dict[str, list[list[Said]]] = {
    "binance": [
        [],
        [],
        [Trouble("Invalid request: invalid stream")],
        [Price("trade", 6653570805, 1788481292964, 8120745)],
        # 81207.45 and 81207.46: half a cent goes to the even side.
        [Price("quote", 99663039038, None, 8120746)],
        [Reconnect("the server shuts down")],
        [Reconnect("the server shuts down")],
        [OTHER_SYMBOL],
        [Trouble("Invalid value type: expected Boolean")],
        [UNASKED],
    ],
    "coinbase": [
        [],
        [Price("trade", 1087540757, 1788335049449, 7757286)],
        [Price("trade", 1087540758, 1788335050104, 7757287)],
        # 77572.87 and 77575.85, while the last trade was at the bid.
        [Price("quote", 135437581854, 1788335050104, 7757436)],
        [Trouble("not subscribed to matches")],
        [Trouble("not subscribed to ticker")],
        [Trouble("Failed to subscribe: ETH-USD is not a valid product")],
        [Trouble("not subscribed to ticker, matches")],
        [],
        [OTHER_SYMBOL],
        [OTHER_SYMBOL],
        [OTHER_SYMBOL],
    ],
    "kraken": [
        [Trading(is_open=True, state="online")],
        # A maintenance that is only announced.
        [Trading(is_open=True, state="online")],
        [],
        [Trouble("Currency pair not supported NOPE/USD")],
        [],
        [],
        [Price("quote", 1788481280217476, 1788481280217, 8120505)],
        [OTHER_SYMBOL],
        [Price("trade", 72823289, 1723491510575, 5912180)],
        [
            Price("trade", 106799953, 1788481280564, 8120510),
            Price("trade", 106799954, 1788481280564, 8120510),
        ],
    ],
    "bitstamp": [
        [],
        [Price("trade", 629344156, 1788481329090, 8126398)],
        [],
        [Price("quote", 1790401258521974, 1790401258521, 8393900)],
        [Price("trade", 272944338, 1676510678160, 2462900)],
        # Beside "5112.85" it says 5112.8500000000004.
        [Price("trade", 85658352, 1555135143665, 511285)],
        [Trouble("Incorrect JSON format.")],
        [Reconnect("it asked for a new connection")],
        [],
        [OTHER_SYMBOL],
        [OTHER_SYMBOL],
    ],
}
LINES = [
    pytest.param(name, line, said, id=f"{name}-{number}")
    for name, table in SAID.items()
    for number, (line, said) in enumerate(
        zip((FRAMES / f"{name}.jsonl").read_bytes().splitlines(), table, strict=True), 1
    )
]
MARKET_CLOSED = b'{"channel":"status","type":"update","data":[{"system":"cancel_only","api_version":"v2"}]}'
BINANCE_BOOK = '{{"u":1,"s":"BTCUSDT","b":"{}","B":"1","a":"{}","A":"1"}}'


@pytest.mark.parametrize(("name", "frame", "said"), LINES)
def test_frame_says(name: str, frame: bytes, said: list[Said]) -> None:
    assert list(EXCHANGES[name].read(frame)) == said


def test_kraken_says_that_its_market_is_closed() -> None:
    assert list(EXCHANGES["kraken"].read(MARKET_CLOSED)) == [Trading(is_open=False, state="cancel_only")]


def test_kraken_s_snapshot_of_trades_is_the_past() -> None:
    frame = (FRAMES / "kraken.jsonl").read_bytes().splitlines()[8]
    assert b'"type":"update"' in frame
    assert list(EXCHANGES["kraken"].read(frame.replace(b'"update"', b'"snapshot"'))) == []


def test_bitstamp_s_book_may_have_one_side_only() -> None:
    frame = (FRAMES / "bitstamp.jsonl").read_bytes().splitlines()[3]
    emptied = re.sub(rb'"bids": \[\[.*?\]\]', b'"bids": []', frame)
    assert list(EXCHANGES["bitstamp"].read(emptied)) == [Dropped("one_sided")]


@pytest.mark.parametrize(
    ("bid", "ask", "cents"),
    [
        ("93750.11", "93750.13", 9375012),
        ("93750.115", "93750.115", 9375012),
        ("93750.125", "93750.125", 9375012),
        ("0.01", "0.01", 1),
        ("0.1", "0.2", 15),
        ("99999999.99", "99999999.99", 9999999999),
    ],
)
def test_prices_are_exact(bid: str, ask: str, cents: int) -> None:
    assert list(EXCHANGES["binance"].read(BINANCE_BOOK.format(bid, ask).encode())) == [Price("quote", 1, None, cents)]


@pytest.mark.parametrize(
    ("bid", "ask", "reason"),
    [
        ("0", "0", "zero"),
        ("0.00000000", "93750.13", "zero"),
        ("-93750.11", "-93750.10", "zero"),
        ("0.004", "0.004", "zero"),
        ("93750.13", "93750.11", "crossed"),
        ("NaN", "93750.13", "garbage"),
        ("93750.13", "Infinity", "garbage"),
        ("1e999999", "1e999999", "garbage"),
        ("", "", "garbage"),
        ("9" * 5_000, "1", "garbage"),
    ],
)
def test_what_is_no_price_is_dropped(bid: str, ask: str, reason: str) -> None:
    [said] = EXCHANGES["binance"].read(BINANCE_BOOK.format(bid, ask).encode())
    assert said == Dropped(reason)


@pytest.mark.parametrize("name", EXCHANGES)
@pytest.mark.parametrize(
    "frame",
    [
        b"",
        b"\x00\xff\xfe",
        b"null",
        b"[]",
        b"42",
        b'"text"',
        b'{"type":1,"event":1,"channel":1,"e":1,"s":1}',
        b'{"data":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b"[" * 250_000,
        b'{"type":"ticker","event":"trade","channel":"live_trades_btcusd","data":"\xff","e":"trade","s":"BTCUSDT"',
        b"<html>502 Bad Gateway</html>",
    ],
    ids=str,
)
def test_garbage_is_counted_and_raises_nothing(name: str, frame: bytes) -> None:
    assert list(EXCHANGES[name].read(frame)) == [GARBAGE]


@pytest.mark.parametrize(("name", "frame", "said"), LINES)
def test_frame_cut_anywhere_raises_nothing(name: str, frame: bytes, said: list[Said]) -> None:
    exchange = EXCHANGES[name]
    assert {tuple(exchange.read(frame[:length])) for length in range(len(frame) - 1)} == {(GARBAGE,)}


@pytest.mark.parametrize("field", ["bid", "ask", "symbol", "timestamp"])
@pytest.mark.parametrize("value", [b"true", b"[]", b"{}", b'"x"', b"1e5"])
def test_fields_of_the_wrong_type_raise_nothing(field: str, value: bytes) -> None:
    whole = {"symbol": b'"BTC/USD"', "bid": b"81205.0", "ask": b"81205.1", "timestamp": b'"2026-09-04T00:21:20Z"'}
    row = b",".join(b'"%s":%s' % (key.encode(), text) for key, text in {**whole, field: value}.items())
    said = EXCHANGES["kraken"].read(b'{"channel":"ticker","data":[{%s}]}' % row)
    assert said[0] in (GARBAGE, OTHER_SYMBOL) or field in ("bid", "ask")


def test_impossible_time_is_none() -> None:
    frame = b'{"data":{"id":1,"price_str":"1","microtimestamp":"%d"},"channel":"live_trades_btcusd","event":"trade"}'
    times = [EXCHANGES["bitstamp"].read(frame % us)[0] for us in (0, 10**30, 1_788_481_329_090_000)]
    assert [said.exchange_ms for said in times] == [None, None, 1_788_481_329_090]  # type: ignore[union-attr]
