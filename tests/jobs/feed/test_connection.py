"""A source and its connection: it fails in every way that networks know, and is opened again."""

from __future__ import annotations

import socket

import pytest

from jobs.feed.connection import FRAME_BYTES_MAX
from jobs.feed.exchange_source import SILENT_MS, ExchangeSource
from jobs.feed.exchanges.frames import Exchange
from jobs.feed.live import EXCHANGES, open_live
from runtime.clock import ManualClock
from tests.jobs.feed.exchange_servers import ExchangeServer
from tests.jobs.feed.listening import CENTS, NOW_MS, PRICE, QUICK, Listener, at_once, listening, threads
from tests.waiting import wait_until

every_exchange = pytest.mark.parametrize("name", EXCHANGES)


@every_exchange
def test_ping_is_answered(server: ExchangeServer, listener: Listener) -> None:
    [client] = server.clients()
    client.ping()
    wait_until(lambda: client.pongs == 1, what="a pong")
    assert listener.status().reconnects == 0


def test_half_open_connection_is_given_up(server: ExchangeServer, listener: Listener) -> None:
    server.freeze()
    listener.clock.advance(SILENT_MS)
    server.wait_subscribed(2)
    assert listener.prices(1) == [CENTS]


@pytest.mark.parametrize("raw", [b"\x81\xfe\xff\xff" * 10, b"\x8f\x00", b"\x01\xff" + b"\x00\x00\x00\xff" * 2])
def test_what_is_no_websocket_ends_the_connection(server: ExchangeServer, listener: Listener, raw: bytes) -> None:
    [client] = server.clients()
    client.send_raw(raw)
    server.wait_subscribed(2)
    assert listener.prices(1) == [CENTS]
    assert listener.status().dropped == {"garbage": 1}


def test_text_that_is_none_is_passed_over(server: ExchangeServer, listener: Listener) -> None:
    [client] = server.clients()
    client.send_raw(b"\x81\x02\xff\xfe")
    server.price("93750.14")
    assert listener.prices(1) == [9_375_014]
    assert (listener.status().dropped, listener.status().reconnects) == ({"garbage": 1}, 0)


def test_huge_frame_ends_the_connection(server: ExchangeServer, listener: Listener) -> None:
    server.send("x" * FRAME_BYTES_MAX)
    listener.wait_dropped("garbage")
    server.send("x" * (FRAME_BYTES_MAX + 1))
    server.wait_subscribed(2)
    assert listener.prices(1) == [CENTS]
    assert listener.status().dropped == {"garbage": 2}


def test_cut_connection_is_opened_again(server: ExchangeServer, listener: Listener) -> None:
    server.cut()
    server.wait_subscribed(2)
    assert listener.prices(1) == [CENTS]


@pytest.mark.parametrize(("habit", "error"), [("refuse", "HTTP 503"), ("no_handshake", "timed out")])
def test_failed_opening_is_tried_again(habit: str, error: str) -> None:
    with ExchangeServer("kraken", price=PRICE) as server:
        server.habit(habit)  # type: ignore[arg-type]
        with listening("kraken", server.url) as listener:
            server.wait_accepted(3)
            listener.wait_error(error)
            server.habit(habit, on=False)  # type: ignore[arg-type]
            assert listener.prices(1) == [CENTS]
            assert listener.status().reconnects >= 2


def test_name_that_cannot_be_looked_up_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    with ExchangeServer("kraken", price=PRICE) as server:
        real, calls = socket.getaddrinfo, []

        def looked_up(host: str, *arguments: object, **options: object) -> object:
            calls.append(host)
            if len(calls) < 3:
                raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
            return real(host, *arguments, **options)  # type: ignore[arg-type]

        monkeypatch.setattr(socket, "getaddrinfo", looked_up)
        with listening("kraken", server.url) as listener:
            assert listener.prices(1) == [CENTS]
            assert "Temporary failure in name resolution" in listener.status().last_error
            assert listener.status().reconnects == 2


@pytest.mark.parametrize("url", ["ws://a..b/", "ws://127.0.0.1:1/", "http://127.0.0.1/", "ws://127.0.0.1:99999999/"])
def test_address_that_leads_nowhere_is_told(url: str) -> None:
    with listening("kraken", url) as listener:
        wait_until(lambda: listener.status().last_error)
        wait_until(lambda: listener.status().reconnects > 1)
        assert listener.status().state in ("connecting", "waiting")


def test_proxy_of_the_environment_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    with ExchangeServer("kraken", price=PRICE) as server:
        for variable in ("http_proxy", "https_proxy", "all_proxy", "ws_proxy"):
            monkeypatch.setenv(variable, "http://127.0.0.1:1")
        monkeypatch.delenv("no_proxy", raising=False)
        with listening("kraken", server.url) as listener:
            assert listener.prices(1) == [CENTS]


def test_thread_that_dies_is_told_of_and_started_again() -> None:
    with ExchangeServer("kraken", price=PRICE) as server:
        frames: list[bytes] = []

        def broken(frame: bytes) -> list[object]:
            frames.append(frame)
            raise KeyError(frame)

        exchange = Exchange("broken", server.url, EXCHANGES["kraken"].opening, broken)  # type: ignore[arg-type]
        with threads() as background:
            source = ExchangeSource(exchange, ManualClock(NOW_MS), background.stopping, QUICK, at_once)
            source.start(background)
            wait_until(lambda: len(frames) > 1)
            assert background.down() == ["feed-broken"]


def test_stopped_source_says_goodbye(server: ExchangeServer, listener: Listener) -> None:
    listener.source.stop()
    wait_until(lambda: server.clients() == [], what="the connection's end")
    server.price("93750.14")
    assert listener.source.poll(NOW_MS) == []
    assert listener.status().last_price_cents == CENTS


def test_sources_are_opened_by_name_at_their_own_addresses() -> None:
    with threads() as background:
        sources = open_live(["bitstamp", "binance"], {}, ManualClock(NOW_MS), background.stopping)
    assert [source.name for source in sources] == ["bitstamp", "binance"]
    assert [source.status(NOW_MS).state for source in sources] == ["connecting", "connecting"]
    assert all(exchange.url.startswith("wss://") for exchange in EXCHANGES.values())
