"""The market in memory: how it becomes and stays fresh, and when it stops bets."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
import redis

from runtime.clock import ManualClock
from runtime.errors import Unavailable
from runtime.game.breaker import Breaker, Override, State
from runtime.game.ticks import Features, Tick
from runtime.market.state import NO_EPOCH, Market
from runtime.messaging.bus import PublicEvent
from runtime.messaging.redis_keys import BREAKER, EPOCH, GRID_LATEST, TICK_LATEST
from runtime.messaging.redis_values import encode_tick
from tests.conftest import START_MS

HEALTHY = Breaker(state=State.HEALTHY, since_ms=1, fresh_since_ms=1)


def tick_json(tick_id: int) -> bytes:
    return encode_tick(
        Tick(tick_id, tick_id - 80, 6_000_000, 5_999_900, 6_000_100, "sim", Features(900.0, 250, 90_000))
    )


def breaker_json(breaker: Breaker) -> bytes:
    return msgspec.json.encode(breaker.to_dict())


def price(tick_id: int) -> PublicEvent:
    return PublicEvent(f"{tick_id}-0", "price", tick_json(tick_id))


def store(client: redis.Redis, **values: bytes) -> None:
    names: dict[str, Any] = {"tick": TICK_LATEST, "grid": GRID_LATEST, "breaker": BREAKER}
    client.mset({names[name]: value for name, value in values.items()})


def test_reads_everything_at_the_start(redis_client: redis.Redis, clock: ManualClock) -> None:
    store(redis_client, tick=tick_json(START_MS - 40), grid=b'{"g":1}', breaker=breaker_json(HEALTHY))
    redis_client.hset(EPOCH, mapping={"id": "E1", "since_s": 5})
    market = Market(clock)
    market.synchronize(redis_client, "0-0")
    assert market.tick is not None
    assert market.tick.id == START_MS - 40
    assert market.tick_age_ms(clock.now_ms()) == 40
    assert (market.tick_json, market.grid_json) == (tick_json(START_MS - 40), b'{"g":1}')
    assert (market.breaker, market.epoch) == (HEALTHY, "E1")
    market.guard_breaker()


def test_an_empty_redis_is_a_market_without_a_price(redis_client: redis.Redis, clock: ManualClock) -> None:
    market = Market(clock)
    market.synchronize(redis_client, "0-0")
    assert (market.tick, market.grid_json, market.epoch) == (None, None, NO_EPOCH)
    assert market.tick_age_ms(clock.now_ms()) is None
    with pytest.raises(Unavailable) as refused:
        market.guard_breaker()
    assert refused.value.code == "PRICE_FEED_STALE"
    assert refused.value.retry_after_s


def test_the_newest_of_each_kind_counts(clock: ManualClock) -> None:
    market = Market(clock)
    grid = PublicEvent("3-0", "grid", b"{}")
    status = PublicEvent("4-0", "status", breaker_json(HEALTHY))
    market.receive([price(START_MS), price(START_MS + 100), grid, status], [])
    assert market.tick is not None
    assert market.tick.id == START_MS + 100
    assert (market.grid_json, market.breaker) == (b"{}", HEALTHY)
    market.receive([PublicEvent("5-0", "touched", b"{}")], [])
    assert market.tick.id == START_MS + 100


def test_the_price_never_steps_back_while_the_bus_flows(redis_client: redis.Redis, clock: ManualClock) -> None:
    market = Market(clock)
    market.receive([price(START_MS)], [])
    store(redis_client, tick=tick_json(START_MS + 200), grid=b"{}")
    market.synchronize(redis_client, "0-0")
    assert market.tick is not None
    assert market.tick.id == START_MS
    market.synchronize(redis_client, "0-0")  # nothing was heard in between: the bus is silent, the keys count
    assert market.tick.id == START_MS + 200


def test_an_outage_leaves_the_last_known_market(redis_client: redis.Redis, clock: ManualClock) -> None:
    market = Market(clock)
    store(redis_client, tick=tick_json(START_MS), grid=b"{}", breaker=breaker_json(HEALTHY))
    market.synchronize(redis_client, "0-0")
    redis_client.flushall()
    market.synchronize(redis_client, "0-0")
    assert market.tick is not None
    assert market.grid_json == b"{}"
    with pytest.raises(Unavailable):
        market.guard_breaker()  # a breaker that is gone has no history


@pytest.mark.parametrize(
    ("breaker", "age_ms", "retry_after_s"),
    [
        pytest.param(HEALTHY, 10_000, None, id="old, but not yet critical"),
        pytest.param(HEALTHY, 10_001, 5, id="critical before the breaker noticed"),
        pytest.param(HEALTHY, -50, None, id="a clock that stepped back a little"),
        pytest.param(HEALTHY, -10_001, 5, id="a clock that stepped back far"),
        pytest.param(Breaker(State.DEGRADED, 1, None), 5_000, None, id="degraded goes on"),
        pytest.param(Breaker(), 50, 1, id="no history: the process has just started"),
        pytest.param(Breaker(State.CRITICAL, 1, None), 50, 30, id="recovery has not begun"),
        pytest.param(Breaker(State.CRITICAL, 1, START_MS - 29_500), 50, 1, id="recovery is nearly over"),
        pytest.param(Breaker(State.CRITICAL, 1, START_MS - 31_000), 50, 1, id="recovery is overdue"),
        pytest.param(Breaker(State.HEALTHY, 1, 1, Override.OPEN), 50, 60, id="the operator stopped the bets"),
        pytest.param(Breaker(State.CRITICAL, 1, 1, Override.CLOSED), 50, None, id="the operator takes bets"),
        pytest.param(Breaker(State.CRITICAL, 1, 1, Override.CLOSED), 20_000, 5, id="but never on a stale price"),
    ],
)
def test_bets_are_stopped(clock: ManualClock, breaker: Breaker, age_ms: int, retry_after_s: int | None) -> None:
    market = Market(clock)
    market.receive([price(START_MS - age_ms), PublicEvent("1-0", "status", breaker_json(breaker))], [])
    if retry_after_s is None:
        market.guard_breaker()
        return
    with pytest.raises(Unavailable) as refused:
        market.guard_breaker()
    assert (refused.value.code, refused.value.retry_after_s) == ("PRICE_FEED_STALE", retry_after_s)


def test_an_override_ends_on_time_also_where_no_check_takes_it_back(
    redis_client: redis.Redis, clock: ManualClock
) -> None:
    ends = Breaker(State.HEALTHY, 1, 1, Override.OPEN, START_MS + 1_000)
    store(redis_client, tick=tick_json(START_MS), breaker=breaker_json(ends))
    market = Market(clock)
    market.synchronize(redis_client, "0-0")
    clock.advance(999)
    with pytest.raises(Unavailable):
        market.guard_breaker()
    clock.advance(1)
    market.guard_breaker()
    assert market.breaker == ends
