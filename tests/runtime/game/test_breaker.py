"""The breaker's decision, a row for every state and age, and what it means for bets and settlement."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.game.breaker import (
    CLOSED_MS,
    OVERRIDE_MS_MAX,
    RECOVERY_MS,
    Breaker,
    Override,
    State,
    as_of,
    decide,
    delays_settlement,
    overridden,
    refuses_bets,
)

NOW = 1_790_000_000_000
HEALTHY, DEGRADED, CRITICAL = State.HEALTHY, State.DEGRADED, State.CRITICAL


def breaker_in(state: State, fresh_for_ms: int | None) -> Breaker:
    """Build a breaker with history whose ticks have been fresh for that long."""
    return Breaker(state, NOW - 600_000, None if fresh_for_ms is None else NOW - fresh_for_ms)


@pytest.mark.parametrize(
    ("state", "fresh_for_ms", "tick_age_ms", "expected"),
    [
        pytest.param(HEALTHY, 60_000, 0, HEALTHY, id="healthy stays, tick of this moment"),
        pytest.param(HEALTHY, 60_000, 3_000, HEALTHY, id="healthy stays at 3 s"),
        pytest.param(HEALTHY, 60_000, 3_001, DEGRADED, id="healthy degrades past 3 s"),
        pytest.param(HEALTHY, 60_000, 10_000, DEGRADED, id="healthy degrades at 10 s"),
        pytest.param(HEALTHY, 60_000, 10_001, CRITICAL, id="healthy is critical past 10 s"),
        pytest.param(HEALTHY, 60_000, None, CRITICAL, id="healthy is critical when the ticks are gone"),
        pytest.param(HEALTHY, 60_000, -5, HEALTHY, id="tick of the future is fresh"),
        pytest.param(DEGRADED, None, 3_000, HEALTHY, id="degraded heals at once"),
        pytest.param(DEGRADED, None, 3_001, DEGRADED, id="degraded stays past 3 s"),
        pytest.param(DEGRADED, None, 10_000, DEGRADED, id="degraded stays at 10 s"),
        pytest.param(DEGRADED, None, 10_001, CRITICAL, id="degraded is critical past 10 s"),
        pytest.param(DEGRADED, None, None, CRITICAL, id="degraded is critical when the ticks are gone"),
        pytest.param(CRITICAL, None, 0, CRITICAL, id="critical waits at the first fresh tick"),
        pytest.param(CRITICAL, 29_999, 0, CRITICAL, id="critical waits for 30 s"),
        pytest.param(CRITICAL, 30_000, 3_000, HEALTHY, id="critical heals after 30 s of fresh ticks"),
        pytest.param(CRITICAL, 60_000, 3_001, CRITICAL, id="critical does not heal on a late tick"),
        pytest.param(CRITICAL, 60_000, 10_000, CRITICAL, id="critical never becomes degraded"),
        pytest.param(CRITICAL, 60_000, 10_001, CRITICAL, id="critical stays past 10 s"),
        pytest.param(CRITICAL, 60_000, None, CRITICAL, id="critical stays without ticks"),
    ],
)
def test_the_state_follows_from_the_age_of_the_tick_and_how_long_it_was_fresh(
    state: State, fresh_for_ms: int | None, tick_age_ms: int | None, expected: State
) -> None:
    decided = decide(breaker_in(state, fresh_for_ms), tick_age_ms, NOW)
    assert decided.state is expected
    assert decided.since_ms == (NOW - 600_000 if expected is state else NOW)


@pytest.mark.parametrize(
    ("tick_age_ms", "state", "since_ms"),
    [
        pytest.param(None, CRITICAL, None, id="no tick yet"),
        pytest.param(3_001, CRITICAL, None, id="a late tick is no start"),
        pytest.param(3_000_000, CRITICAL, None, id="nor is one that an earlier run left"),
        pytest.param(200, HEALTHY, NOW, id="the first fresh tick starts healthy"),
    ],
)
def test_without_history_only_a_fresh_tick_starts_healthy(
    tick_age_ms: int | None, state: State, since_ms: int | None
) -> None:
    decided = decide(Breaker(), tick_age_ms, NOW)
    assert (decided.state, decided.since_ms) == (state, since_ms)


def test_a_late_tick_during_recovery_starts_the_wait_anew() -> None:
    breaker = decide(breaker_in(HEALTHY, 60_000), 10_001, NOW)
    states = []
    for second in range(1, 52):
        breaker = decide(breaker, 3_500 if second == 20 else 400, NOW + second * 1000)
        states.append(breaker.state)
    assert states == [CRITICAL] * 50 + [HEALTHY]
    assert breaker.since_ms == NOW + 51_000


def test_a_persisted_critical_persists() -> None:
    stored = json.dumps(decide(breaker_in(HEALTHY, 60_000), 10_001, NOW).to_dict())
    restored = Breaker.from_dict(json.loads(stored))
    assert decide(restored, 100, NOW + 3_600_000).state is CRITICAL


def test_a_clock_that_steps_back_does_not_shorten_the_recovery() -> None:
    breaker = decide(breaker_in(CRITICAL, 29_000), 0, NOW - 3_600_000)
    assert breaker.fresh_since_ms == NOW - 3_600_000
    assert decide(breaker, 0, NOW - 3_600_000 + RECOVERY_MS - 1).state is CRITICAL
    assert decide(breaker, 0, NOW - 3_600_000 + RECOVERY_MS).state is HEALTHY


@pytest.mark.parametrize(
    ("state", "fresh_for_ms", "tick_age_ms", "expected"),
    [
        (HEALTHY, 60_000, 100, DEGRADED),
        (DEGRADED, None, 100, DEGRADED),
        (DEGRADED, None, 10_001, CRITICAL),
        (CRITICAL, 30_000, 100, CRITICAL),
    ],
)
def test_too_few_sources_allow_no_more_than_degraded(
    state: State, fresh_for_ms: int | None, tick_age_ms: int, expected: State
) -> None:
    decided = decide(breaker_in(state, fresh_for_ms), tick_age_ms, NOW, too_few_sources=True)
    assert (decided.state, decided.fresh_since_ms) == (expected, None)
    # Once enough agree again, recovery counts from there.
    again = decide(decided, 100, NOW + 1_000)
    assert again.state is (CRITICAL if expected is CRITICAL else HEALTHY)


def test_without_history_too_few_sources_never_start_the_bets() -> None:
    assert decide(Breaker(), 100, NOW, too_few_sources=True).state is CRITICAL


@pytest.mark.parametrize(
    ("state", "override", "bets_refused", "settlement_delayed"),
    [
        pytest.param(HEALTHY, Override.AUTO, False, False, id="healthy"),
        pytest.param(DEGRADED, Override.AUTO, False, False, id="degraded goes on"),
        pytest.param(CRITICAL, Override.AUTO, True, True, id="critical"),
        pytest.param(HEALTHY, Override.OPEN, True, False, id="healthy forced open"),
        pytest.param(DEGRADED, Override.OPEN, True, False, id="degraded forced open"),
        pytest.param(CRITICAL, Override.OPEN, True, True, id="critical forced open"),
        pytest.param(HEALTHY, Override.CLOSED, False, False, id="healthy forced closed"),
        pytest.param(DEGRADED, Override.CLOSED, False, False, id="degraded forced closed"),
        pytest.param(CRITICAL, Override.CLOSED, False, True, id="critical forced closed"),
    ],
)
def test_a_state_or_an_override_says_what_is_refused_and_what_waits(
    state: State, override: Override, bets_refused: bool, settlement_delayed: bool
) -> None:
    breaker = Breaker(state, NOW, None, override)
    assert refuses_bets(breaker) is bets_refused
    assert delays_settlement(breaker) is settlement_delayed


@pytest.mark.parametrize(
    ("override", "for_ms", "lasts_ms"),
    [
        pytest.param(Override.OPEN, None, None, id="open lasts until it is taken back"),
        pytest.param(Override.OPEN, 60_000, 60_000, id="open, for a minute"),
        pytest.param(Override.CLOSED, None, CLOSED_MS, id="closed always ends"),
        pytest.param(Override.CLOSED, 60_000, 60_000, id="closed, for a minute"),
        pytest.param(Override.CLOSED, 10**12, OVERRIDE_MS_MAX, id="and not for a year"),
        pytest.param(Override.AUTO, None, None, id="auto has nothing to end"),
        pytest.param(Override.AUTO, 60_000, None, id="auto, for a minute"),
    ],
)
def test_an_override_lasts_as_long_as_was_said(override: Override, for_ms: int | None, lasts_ms: int | None) -> None:
    breaker = overridden(breaker_in(CRITICAL, None), override, for_ms, NOW)
    until_ms = None if lasts_ms is None else NOW + lasts_ms
    assert breaker == Breaker(CRITICAL, NOW - 600_000, None, override, until_ms)


@pytest.mark.parametrize(
    ("override", "until_ms", "now_ms", "counts"),
    [
        pytest.param(Override.CLOSED, NOW, NOW - 1, True, id="a millisecond before its end"),
        pytest.param(Override.CLOSED, NOW, NOW, False, id="at its end"),
        pytest.param(Override.CLOSED, NOW, NOW + 1_000, False, id="after it"),
        pytest.param(Override.OPEN, NOW, NOW - 1, True, id="open, before its end"),
        pytest.param(Override.OPEN, NOW, NOW, False, id="open, at its end"),
        pytest.param(Override.OPEN, None, NOW + 10**12, True, id="without an end"),
    ],
)
@pytest.mark.parametrize("state", State)
def test_an_override_that_has_ended_counts_no_more_and_is_taken_back_by_the_next_check(
    state: State, override: Override, until_ms: int | None, now_ms: int, counts: bool
) -> None:
    breaker = Breaker(state, NOW - 600_000, NOW - 60_000, override, until_ms)
    expected = (override, until_ms) if counts else (Override.AUTO, None)
    for later in (as_of(breaker, now_ms), decide(breaker, 0, now_ms)):
        assert (later.override, later.override_until_ms) == expected
    refuses = {Override.OPEN: True, Override.CLOSED: False, Override.AUTO: state is CRITICAL}
    assert refuses_bets(as_of(breaker, now_ms)) is refuses[expected[0]]
    assert delays_settlement(breaker) is (state is CRITICAL)


def test_a_breaker_that_was_stored_before_overrides_ended_is_read() -> None:
    stored = {"state": "HEALTHY", "since_ms": 1, "fresh_since_ms": 1, "override": "closed"}
    assert Breaker.from_dict(stored) == Breaker(HEALTHY, 1, 1, Override.CLOSED, None)


def test_without_history_bets_are_refused() -> None:
    assert refuses_bets(Breaker())


breakers = st.builds(
    Breaker,
    st.sampled_from(State),
    st.none() | st.integers(0, NOW),
    st.none() | st.integers(0, NOW),
    st.sampled_from(Override),
    st.none() | st.integers(0, 2 * NOW),
)
ages = st.none() | st.integers(-10_000, 100_000) | st.sampled_from([3_000, 3_001, 10_000, 10_001])


@given(breakers)
def test_a_breaker_survives_being_stored(breaker: Breaker) -> None:
    assert Breaker.from_dict(json.loads(json.dumps(breaker.to_dict()))) == breaker


@given(breakers, ages)
def test_deciding_twice_at_one_moment_changes_nothing_and_keeps_the_override(breaker: Breaker, age: int | None) -> None:
    once = decide(breaker, age, NOW)
    assert decide(once, age, NOW) == once
    assert once.override is as_of(breaker, NOW).override


@given(breakers, ages)
def test_stale_prices_are_always_critical_and_critical_is_never_left_on_a_late_tick(
    breaker: Breaker, age: int | None
) -> None:
    decided = decide(breaker, age, NOW)
    if age is None or age > 10_000:
        assert decided.state is CRITICAL
    if breaker.state is CRITICAL and decided.state is not CRITICAL:
        assert decided.state is HEALTHY
        assert age is not None
        assert age <= 3_000


@pytest.mark.parametrize(
    "values",
    [
        pytest.param({"state": "FINE", "since_ms": 1, "fresh_since_ms": None, "override": "auto"}, id="state"),
        pytest.param({"state": "HEALTHY", "since_ms": "1", "fresh_since_ms": None, "override": "auto"}, id="time"),
        pytest.param({"state": "HEALTHY", "since_ms": 1, "fresh_since_ms": None, "override": "off"}, id="override"),
        pytest.param({}, id="nothing"),
    ],
)
def test_what_was_not_written_by_a_breaker_is_refused(values: dict[str, object]) -> None:
    with pytest.raises((ValueError, KeyError)):
        Breaker.from_dict(values)
