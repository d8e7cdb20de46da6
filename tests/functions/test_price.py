"""GET /api/price."""

from __future__ import annotations

from tests.functions.market_stall import Stall


def test_there_is_none_before_the_first_tick(stall: Stall) -> None:
    stall.station.client.delete("tick:latest")
    stall.station.market.tick = None
    assert stall.get("/api/price").json["code"] == "UNAVAILABLE"


def test_the_latest_tick_is_shown_with_its_age(stall: Stall) -> None:
    stall.station.publish("price")
    stall.station.relay()
    tick = stall.station.market.tick
    assert tick is not None
    stall.clock.advance(700)
    shown = stall.get("/api/price").json
    assert (shown["id"], shown["close"], shown["low"], shown["high"]) == (tick.id, tick.close, tick.low, tick.high)
    assert shown["age_ms"] == stall.clock.now_ms() - tick.id
    assert shown["time"] == "2026-09-21T14:13:20.001Z"
    assert shown["features"]["volatility"] == tick.features.volatility
    assert shown["mode"] == "demo"


def test_a_tick_from_ahead_of_the_clock_has_no_negative_age(stall: Stall) -> None:
    stall.station.publish("price")
    stall.station.relay()
    assert stall.get("/api/price").json["age_ms"] == 0
