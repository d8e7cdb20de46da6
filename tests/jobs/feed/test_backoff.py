"""Backoff: at once after a good connection, then doubled bounds with full jitter, up to the cap."""

from __future__ import annotations

from jobs.feed.backoff import CALM_MS, PAUSE_S_MAX, Backoff


def longest(_low: float, high: float) -> float:
    return high


def test_pauses_double_up_to_the_cap_and_begin_at_once() -> None:
    backoff = Backoff(longest)
    assert [backoff.pause_s(0) for _ in range(9)] == [0.0, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, PAUSE_S_MAX, PAUSE_S_MAX]
    for _ in range(2_000):
        assert backoff.pause_s(0) == PAUSE_S_MAX


def test_only_a_connection_with_prices_for_a_while_begins_anew() -> None:
    backoff = Backoff(longest)
    assert [backoff.pause_s(ms) for ms in (0, CALM_MS - 1, CALM_MS, CALM_MS, 0, 0)] == [0.0, 0.5, 0.0, 0.0, 0.5, 1.0]


def test_pause_is_drawn_from_zero_on() -> None:
    drawn: list[tuple[float, float]] = []

    def uniform(low: float, high: float) -> float:
        drawn.append((low, high))
        return low

    backoff = Backoff(uniform)
    assert [backoff.pause_s(0) for _ in range(3)] == [0.0, 0.0, 0.0]
    assert drawn == [(0.0, 0.5), (0.0, 1.0)]
