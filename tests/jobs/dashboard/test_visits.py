"""Signing in: the right key, a bounded life, and few guesses at the key."""

from __future__ import annotations

import hmac

import pytest

from jobs.dashboard.visits import GUESSES_MAX, GUESSES_WITHIN_MS, LIFE_MS, VISITS_MAX, TooManyGuesses, Visits
from runtime.clock import ManualClock

KEY = "k" * 43


@pytest.fixture
def door(clock: ManualClock) -> Visits:
    return Visits(KEY, clock)


def enter(door: Visits) -> str:
    token = door.begin(KEY)
    assert token
    return token


def test_the_key_gives_a_token_that_is_known(door: Visits) -> None:
    token = enter(door)
    assert len(token) >= 43
    assert token != enter(door)
    assert door.knows(token)


@pytest.mark.parametrize("other", ["", KEY[:-1], KEY + "k", KEY.upper(), "schlüssel", "\ud800"])
def test_nothing_else_does(door: Visits, other: str) -> None:
    assert door.begin(other) is None
    assert not door.knows(other)


def test_a_visit_ends_after_half_a_day(door: Visits, clock: ManualClock) -> None:
    token = enter(door)
    clock.advance(LIFE_MS - 1)
    assert door.knows(token)
    clock.advance(1)
    assert not door.knows(token)


def test_the_oldest_visit_ends_where_there_are_too_many(door: Visits) -> None:
    tokens = [enter(door) for _ in range(VISITS_MAX + 1)]
    assert [door.knows(token) for token in tokens] == [False] + [True] * VISITS_MAX


def test_after_many_wrong_keys_none_is_looked_at_for_the_rest_of_a_minute(door: Visits, clock: ManualClock) -> None:
    visited = enter(door)
    for _ in range(GUESSES_MAX):
        assert door.begin("wrong") is None
        clock.advance(1_000)
    with pytest.raises(TooManyGuesses, match="try again in 50 s") as caught:
        door.begin(KEY)
    assert caught.value.retry_after_s == 50
    assert door.knows(visited)
    clock.advance(GUESSES_WITHIN_MS - GUESSES_MAX * 1_000)
    assert door.knows(enter(door))


def test_a_key_is_compared_whole_and_in_constant_time(door: Visits, monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[tuple[bytes, bytes]] = []
    monkeypatch.setattr(hmac, "compare_digest", lambda *digests: compared.append(digests))
    door.begin("wrong")
    [(one, other)] = compared
    assert len(one) == len(other) == 32
