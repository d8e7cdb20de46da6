"""What operators are told of each source of prices."""

from __future__ import annotations

from runtime.messaging.redis_keys import FEED_SOURCES
from tests.feed_sources import feed_sources
from tests.functions.station import Station


def test_sources_that_are_too_few_are_ill_and_one_that_is_missing_is_not(station: Station) -> None:
    now_ms = station.clock.now_ms()
    for sources, ok in (
        (feed_sources(now_ms, binance=True, kraken=True, bitstamp=False), True),
        (feed_sources(now_ms, binance=True, kraken=False, bitstamp=False), False),
        (feed_sources(now_ms, replay=False), True),
    ):
        station.be_well()
        station.redis.set(FEED_SOURCES, sources.encode())
        assert station.health()[1]["price_feed"] is ok
    station.redis.set(FEED_SOURCES, feed_sources(now_ms, binance=True, kraken=False, bitstamp=False).encode())
    answer = station.client.simulate_get("/healthz").json
    assert answer["checks"]["price_feed"]["detail"] == "newest tick 400 ms old; 1 of 3 sources agree, 2 must"
    assert list(answer["sources"]) == ["binance", "kraken", "bitstamp"]
    assert answer["sources"]["kraken"] == {
        "state": "waiting",
        "fresh": False,
        "counted": False,
        "age_ms": 60_000,
        "prices": 1_234,
        "dropped": {"outlier": 3, "zero": 1},
        "reconnects": 2,
        "offset_ppm": None,
    }


def test_metrics_show_every_source(station: Station) -> None:
    station.be_well()
    sources = feed_sources(station.clock.now_ms(), binance=True, kraken=True, bitstamp=False)
    station.redis.set(FEED_SOURCES, sources.encode())
    page = station.client.simulate_get("/metrics").text
    for line in (
        "taptrade_sources_needed 2.0",
        "taptrade_sources_fresh 2.0",
        "taptrade_sources_counted 2.0",
        'taptrade_source_fresh{source="bitstamp"} 0.0',
        'taptrade_source_age_seconds{source="bitstamp"} 60.0',
        'taptrade_source_offset_ratio{source="binance"} 0.000854',
        'taptrade_source_prices_total{source="kraken"} 1234.0',
        'taptrade_source_reconnects_total{source="kraken"} 2.0',
        'taptrade_source_dropped_total{reason="outlier",source="kraken"} 3.0',
        'taptrade_source_dropped_total{reason="garbage",source="kraken"} 0.0',
    ):
        assert f"\n{line}\n" in page
    assert 'taptrade_source_offset_ratio{source="bitstamp"}' not in page
