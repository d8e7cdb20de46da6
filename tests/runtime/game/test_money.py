"""Payouts are whole cents, rounded down, and never pay more than the rate says."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.game.money import payout_cents


@pytest.mark.parametrize(
    ("stake_cents", "rate_bp", "expected"),
    [
        pytest.param(100, 18_500, 185, id="plain"),
        pytest.param(100, 10_500, 105, id="smallest rate"),
        pytest.param(10_000, 1_000_000, 1_000_000, id="greatest rate"),
        pytest.param(1, 19_999, 1, id="fraction of a cent is dropped"),
        pytest.param(333, 12_345, 411, id="411.08 is 411"),
        pytest.param(0, 18_500, 0, id="nothing staked"),
        pytest.param(10**13, 1_000_000, 10**15, id="beyond the precision of floats"),
    ],
)
def test_a_payout_is_stake_times_rate_rounded_down(stake_cents: int, rate_bp: int, expected: int) -> None:
    assert payout_cents(stake_cents, rate_bp) == expected


@pytest.mark.parametrize(("stake_cents", "rate_bp"), [pytest.param(-1, 1, id="stake"), pytest.param(1, -1, id="rate")])
def test_negative_numbers_are_refused(stake_cents: int, rate_bp: int) -> None:
    with pytest.raises(ValueError, match="must not be negative"):
        payout_cents(stake_cents, rate_bp)


@given(st.integers(0, 10**12), st.integers(0, 10**6))
def test_rounding_is_down_by_less_than_a_cent(stake_cents: int, rate_bp: int) -> None:
    exact = stake_cents * rate_bp
    assert 0 <= exact - payout_cents(stake_cents, rate_bp) * 10_000 < 10_000
