"""A source and the habits of its exchange: what counts as a price, and what is left out and counted."""

from __future__ import annotations

import pytest

from jobs.feed.exchange_source import SILENT_MS
from jobs.feed.live import EXCHANGES
from jobs.feed.sieve import QUOTES_SILENT_MS
from tests.jobs.feed.exchange_servers import ExchangeServer
from tests.jobs.feed.listening import CENTS, NOW_MS, PRICE, Listener, listening
from tests.waiting import wait_until

every_exchange = pytest.mark.parametrize("name", EXCHANGES)


@every_exchange
def test_prices_arrive_in_order_with_both_times(server: ExchangeServer, listener: Listener, name: str) -> None:
    for middle in ("93750.13", "93749.995", "93751.00"):
        server.price(middle)
    assert listener.prices(3) == [9_375_013, 9_375_000, 9_375_100]
    status = listener.status()
    assert (status.name, status.state, status.prices, status.reconnects) == (name, "live", 4, 0)
    assert (status.last_price_ms, status.last_price_cents, status.last_error) == (NOW_MS, 9_375_100, "")
    assert status.dropped == {}


@every_exchange
def test_goodbye_is_followed_by_a_new_connection(server: ExchangeServer, listener: Listener) -> None:
    server.close(1001)
    server.wait_subscribed(2)
    assert listener.prices(1) == [CENTS]
    assert listener.status().reconnects == 1
    assert "1001" in listener.status().last_error


@pytest.mark.parametrize("name", ["binance", "bitstamp"])
def test_who_asks_for_a_new_connection_gets_one(server: ExchangeServer, listener: Listener) -> None:
    server.farewell()
    server.wait_subscribed(2)
    assert listener.prices(1) == [CENTS]
    wait_until(lambda: len(server.clients()) == 1, what="the old connection's end")


@every_exchange
def test_heartbeats_without_prices_are_silence(server: ExchangeServer, listener: Listener) -> None:
    server.habit("silent")
    listener.clock.advance(SILENT_MS - 1)
    server.heartbeat()
    assert listener.status().state == "silent"
    listener.clock.advance(1)
    server.heartbeat()
    server.wait_subscribed(2)
    listener.wait_error("without a price for 10 s")
    server.habit("silent", on=False)
    server.price("93750.14")
    assert listener.prices(1) == [9_375_014]
    wait_until(lambda: listener.status().state == "live")


@every_exchange
def test_what_comes_late_or_twice_is_dropped(server: ExchangeServer, listener: Listener) -> None:
    server.send(server.quote("93751.00", "93751.02"))
    server.quote("93000.00", "93000.02", late=True)
    server.send(server.trade("93751.00"))
    server.trade("93000.00", late=True)
    listener.wait_dropped("out_of_order", 2)
    assert listener.prices(1) == [9_375_101]
    assert listener.status().dropped == {"repeat": 2, "out_of_order": 2}


@every_exchange
def test_zero_is_no_price(server: ExchangeServer, listener: Listener) -> None:
    server.price("0")
    server.trade("-1.00")
    listener.wait_dropped("zero", 2)
    server.price("93750.14")
    assert listener.prices(1) == [9_375_014]


def test_wick_is_told_as_it_is(server: ExchangeServer, listener: Listener) -> None:
    for middle in ("50000.00", "93750.14"):
        server.price(middle)
    assert listener.prices(2) == [5_000_000, 9_375_014]


def test_nothing_counts_in_maintenance(server: ExchangeServer, listener: Listener) -> None:
    server.send(server.dialect.closed)
    server.price("90000.00")
    listener.wait_dropped("market_closed")
    listener.wait_error("the market is closed: maintenance")
    server.send(server.dialect.opened)
    server.price("93750.14")
    assert listener.prices(1) == [9_375_014]


@every_exchange
def test_error_is_told_and_prices_go_on(server: ExchangeServer, listener: Listener) -> None:
    server.send(server.dialect.error)
    listener.wait_error("the exchange says: ")
    server.price("93750.14")
    assert listener.prices(1) == [9_375_014]
    assert listener.status().reconnects == 0


@every_exchange
def test_refused_subscription_is_tried_again(name: str) -> None:
    with ExchangeServer(name, price=PRICE) as server:
        server.habit("nothing_granted")
        with listening(name, server.url) as listener:
            server.wait_subscribed(1)
            server.habit("nothing_granted", on=False)
            listener.clock.advance(SILENT_MS)
            server.wait_subscribed(2)
            assert listener.prices(1) == [CENTS]


@every_exchange
def test_trades_stand_in_where_quotes_are_not_granted(name: str) -> None:
    with ExchangeServer(name, price=PRICE) as server:
        server.habit("no_quotes")
        with listening(name, server.url) as listener:
            server.wait_subscribed(1)
            server.trade("93000.00")
            server.send(server.quote("0", "0"))
            listener.wait_dropped("zero")
            assert listener.status().prices == 0
            listener.clock.advance(QUOTES_SILENT_MS)
            server.trade("93750.12")
            assert listener.prices(1) == [CENTS]


@every_exchange
@pytest.mark.parametrize("frame", ["{", "[" * 100_000, b"\x00\xff", "\ud7ff" * 3], ids=["cut", "deep", "bytes", "text"])
def test_garbage_is_counted_and_passed_over(server: ExchangeServer, listener: Listener, frame: str | bytes) -> None:
    server.send(frame)
    server.price("93750.14")
    assert listener.prices(1) == [9_375_014]
    assert listener.status().dropped == {"garbage": 1}
    assert listener.status().reconnects == 0


def test_maintenance_at_the_start_is_waited_for() -> None:
    with ExchangeServer("kraken", price=PRICE) as server:
        server.habit("maintenance")
        with listening("kraken", server.url) as listener:
            listener.wait_dropped("market_closed")
            assert listener.status().state == "silent"
            server.send(server.dialect.opened)
            server.price(PRICE)
            assert listener.prices(1) == [CENTS]
