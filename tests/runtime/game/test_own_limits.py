"""Which of a player's limits refuses an amount, what it leaves and until when, by the rule alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.game.limits import PlayerLimits, deposit_refusal, refusal

NOON_MS = 1_790_000_000_000
HOUR_MS = 3_600_000
DAY_MS, WEEK_MS = 24 * HOUR_MS, 7 * 24 * HOUR_MS
BEFORE = [(NOON_MS - 3 * DAY_MS, 700), (NOON_MS - HOUR_MS, 100), (NOON_MS - 60_000, 200)]
DEPOSITS = [
    pytest.param(PlayerLimits(), 10**9, None, id="none"),
    pytest.param(PlayerLimits(deposit_day_max_cents=500), 200, None, id="just fits"),
    pytest.param(
        PlayerLimits(deposit_day_max_cents=500),
        201,
        ("deposit_day_max_cents", 200, NOON_MS - HOUR_MS + DAY_MS),
        id="a cent too much",
    ),
    pytest.param(
        PlayerLimits(deposit_day_max_cents=500),
        301,
        ("deposit_day_max_cents", 200, NOON_MS - 60_000 + DAY_MS),
        id="needs the second to leave",
    ),
    pytest.param(PlayerLimits(deposit_day_max_cents=500), 501, ("deposit_day_max_cents", 200, None), id="never fits"),
    pytest.param(
        PlayerLimits(deposit_day_max_cents=500, deposit_week_max_cents=1_100),
        150,
        ("deposit_week_max_cents", 100, NOON_MS - 3 * DAY_MS + WEEK_MS),
        id="what leaves least",
    ),
    pytest.param(
        PlayerLimits(deposit_day_max_cents=300, deposit_week_max_cents=1_000),
        50,
        ("deposit_week_max_cents", 0, NOON_MS - 3 * DAY_MS + WEEK_MS),
        id="of two that leave nothing the one that lasts longest",
    ),
    pytest.param(
        PlayerLimits(cool_off_until_ms=NOON_MS + 1, deposit_day_max_cents=0),
        1,
        ("cool_off_until_ms", 0, NOON_MS + 1),
        id="a pause before an amount",
    ),
    pytest.param(PlayerLimits(excluded_until_ms=NOON_MS), 1, None, id="a pause that is over"),
    pytest.param(PlayerLimits(stake_max_cents=0, stake_day_max_cents=0, loss_day_max_cents=0), 1, None, id="of bets"),
]


@pytest.mark.parametrize(("limits", "amount", "expected"), DEPOSITS)
def test_a_deposit_is_refused_by_the_limit_that_leaves_least(
    limits: PlayerLimits, amount: int, expected: tuple[str, int, int | None] | None
) -> None:
    found = deposit_refusal(limits, amount, BEFORE, NOON_MS)
    assert (None if found is None else (found.limit, found.left_cents, found.until_ms)) == expected


@given(
    st.lists(st.tuples(st.integers(1, WEEK_MS // HOUR_MS - 1), st.integers(1, 400)), max_size=8),
    st.sampled_from(["deposit_day_max_cents", "deposit_week_max_cents"]),
    st.integers(0, 900),
    st.integers(1, 600),
)
def test_the_time_that_is_told_is_the_first_at_which_the_amount_fits(
    before: list[tuple[int, int]], name: str, most: int, amount: int
) -> None:
    deposits = sorted((NOON_MS - hours * HOUR_MS, cents) for hours, cents in before)
    limits = PlayerLimits(**{name: most})
    found = deposit_refusal(limits, amount, deposits, NOON_MS)
    if found is None:
        return
    assert deposit_refusal(limits, found.left_cents, deposits, NOON_MS) is None
    if found.until_ms is None:
        assert amount > most
        return
    assert deposit_refusal(limits, amount, deposits, found.until_ms - 1) is not None
    assert deposit_refusal(limits, amount, deposits, found.until_ms) is None


STAKES = [
    pytest.param(PlayerLimits(stake_max_cents=200), 200, None, id="just fits"),
    pytest.param(PlayerLimits(stake_max_cents=199), 200, ("stake_max_cents", 199, None), id="a cent short"),
    pytest.param(
        PlayerLimits(stake_max_cents=199, stake_day_max_cents=600),
        200,
        ("stake_day_max_cents", 100, NOON_MS - NOON_MS % DAY_MS + DAY_MS),
        id="the day leaves less",
    ),
    pytest.param(PlayerLimits(stake_max_cents=5, excluded_until_ms=9), 6, ("stake_max_cents", 5, None), id="is over"),
    pytest.param(PlayerLimits(deposit_day_max_cents=0, reality_check_minutes=5), 6, None, id="of no bet"),
]


@pytest.mark.parametrize(("limits", "stake", "expected"), STAKES)
def test_a_stake_is_refused_by_the_limit_that_leaves_least(
    limits: PlayerLimits, stake: int, expected: tuple[str, int, int | None] | None
) -> None:
    found = refusal(limits, stake, staked_cents=500, returned_cents=300, now_ms=NOON_MS)
    assert (None if found is None else (found.limit, found.left_cents, found.until_ms)) == expected
