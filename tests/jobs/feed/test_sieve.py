"""The sieve: order, repeats, closed markets, and trades that stand in for bids and asks."""

from __future__ import annotations

import pytest

from jobs.feed.exchanges.frames import Price
from jobs.feed.sieve import QUOTES_SILENT_MS, SPARE, Sieve


def quote(order: int | None, cents: int = 100) -> Price:
    return Price("quote", order, None, cents)


@pytest.mark.parametrize(
    ("first", "second", "reason"),
    [
        (quote(5), quote(6), ""),
        (quote(5), quote(5), "repeat"),
        # Two prices may share a time.
        (quote(5), quote(5, 101), ""),
        (quote(5), quote(4, 101), "out_of_order"),
        (quote(None), quote(None), ""),
        (quote(5), quote(None), ""),
    ],
)
def test_order_within_a_kind(first: Price, second: Price, reason: str) -> None:
    sieve = Sieve(0)
    assert sieve.reason_against(first, 0) == ""
    assert sieve.reason_against(second, 1) == reason


def test_what_came_late_does_not_move_the_order_back() -> None:
    sieve = Sieve(0)
    reasons = [sieve.reason_against(quote(order), 0) for order in (5, 3, 4, 6)]
    assert reasons == ["", "out_of_order", "out_of_order", ""]


def test_trades_count_only_after_silence_of_quotes_and_have_an_order_of_their_own() -> None:
    sieve = Sieve(0)
    assert sieve.reason_against(Price("trade", 1, None, 100), QUOTES_SILENT_MS - 1) == SPARE
    assert sieve.reason_against(Price("trade", 2, None, 100), QUOTES_SILENT_MS) == ""
    assert sieve.reason_against(quote(1), QUOTES_SILENT_MS) == ""
    assert sieve.reason_against(Price("trade", 3, None, 100), QUOTES_SILENT_MS + 1) == SPARE
    assert sieve.reason_against(Price("trade", 3, None, 100), 9 * QUOTES_SILENT_MS) == "repeat"


def test_prices_of_a_closed_market_do_not_count() -> None:
    sieve = Sieve(0)
    sieve.is_open = False
    assert sieve.reason_against(quote(1), 0) == "market_closed"
    sieve.is_open = True
    assert sieve.reason_against(quote(2), 0) == ""
