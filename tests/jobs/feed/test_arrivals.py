"""Arrivals: handed over once and in order, bounded, and safe from a clock that steps back."""

from __future__ import annotations

from jobs.feed.arrivals import AHEAD_MS_MAX, QUOTES_MAX, Arrivals
from jobs.feed.quotes import Quote


def quote(ms: int) -> Quote:
    return Quote(ms, ms, 100)


def test_each_quote_is_handed_over_once_when_its_time_has_come() -> None:
    arrivals = Arrivals()
    for ms in (1, 2, 3):
        arrivals.add(quote(ms))
    assert arrivals.take(2) == [quote(1), quote(2)]
    assert arrivals.take(2) == []
    assert arrivals.take(3) == [quote(3)]
    assert arrivals.prices == 3
    assert arrivals.last == quote(3)


def test_the_oldest_goes_when_nobody_fetches_them() -> None:
    arrivals = Arrivals()
    for ms in range(QUOTES_MAX + 2):
        arrivals.add(quote(ms))
    taken = arrivals.take(QUOTES_MAX * 2)
    assert (len(taken), taken[0], arrivals.dropped()) == (QUOTES_MAX, quote(2), {"overflow": 2})


def test_what_arrived_before_the_clock_stepped_back_is_dropped() -> None:
    arrivals = Arrivals()
    arrivals.add(quote(10 * AHEAD_MS_MAX))
    arrivals.add(quote(5))
    assert arrivals.take(10) == [quote(5)]
    assert arrivals.dropped() == {"clock_step": 1}
