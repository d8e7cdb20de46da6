"""GET /api/grid."""

from __future__ import annotations

import msgspec

from functions.grid import GridAnswer
from runtime.game.breaker import Breaker, Override, State
from runtime.game.rewards import BrownianTouch
from runtime.market.grid import build_grid, encode_grid
from runtime.messaging.redis_keys import BREAKER, GRID_LATEST
from tests.functions.market_stall import Stall
from tests.jobs.writer_desk import PRESETS, RULES, tick_at


def show_grid(stall: Stall) -> bytes:
    now_ms = stall.clock.now_ms()
    grid = build_grid(tick_at(now_ms), BrownianTouch(RULES, 500), RULES, now_ms, mode="demo", presets_cents=PRESETS)
    data = encode_grid(grid)
    stall.station.client.set(GRID_LATEST, data)
    stall.station.synchronize()
    return data


def test_there_is_none_before_the_first_grid(stall: Stall) -> None:
    answer = stall.get("/api/grid")
    assert (answer.status_code, answer.json["code"], answer.json["retryable"]) == (503, "UNAVAILABLE", True)
    assert answer.headers["Retry-After"]


def test_the_grid_is_passed_on_as_published_with_the_breaker_of_this_moment(stall: Stall) -> None:
    published = show_grid(stall)
    answer = stall.get("/api/grid")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.json["breaker"] == Breaker().to_dict()
    assert answer.json["mode"] == "demo"
    assert {name: value for name, value in answer.json.items() if name != "breaker"} == msgspec.json.decode(published)
    assert msgspec.json.decode(answer.content, type=GridAnswer).grid_version == stall.clock.now_ms()


def test_the_grid_is_shown_while_bets_are_stopped(stall: Stall) -> None:
    show_grid(stall)
    stopped = Breaker(State.CRITICAL, 1, None, Override.OPEN)
    stall.station.client.set(BREAKER, msgspec.json.encode(stopped.to_dict()))
    stall.station.synchronize()
    stall.clock.advance(3_600_000)
    answer = stall.get("/api/grid")
    assert answer.status_code == 200
    assert (answer.json["breaker"]["state"], answer.json["breaker"]["override"]) == ("CRITICAL", "open")
