"""How a player's own limits change, against one oracle a limit."""

from __future__ import annotations

from dataclasses import asdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.game.limit_changes import LimitsChange, changes_for, in_force, is_looser, waiting
from runtime.game.limits import DAY_MS, PlayerLimits
from tests.runtime.game.one_limit import HOUSE_MINUTES, OneLimit

NOON_MS = 1_790_000_000_000
LIMITS = list(asdict(PlayerLimits()))
CENTS = st.none() | st.sampled_from([0, 100, 200, 300])
UNTIL_MS = st.none() | st.integers(-2, 4).map(lambda days: NOON_MS + days * DAY_MS)
MINUTES = st.none() | st.sampled_from([5, HOUSE_MINUTES, 240])
AMOUNTS = {"cents": CENTS, "ms": UNTIL_MS, "minutes": MINUTES}
WISHES = st.fixed_dictionaries({}, optional={name: AMOUNTS[name.rpartition("_")[2]] for name in LIMITS})
LOOSER = [
    ("stake_day_max_cents", None, 100, True),
    ("stake_day_max_cents", 101, 100, True),
    ("stake_day_max_cents", 100, 100, False),
    ("stake_day_max_cents", 0, 100, False),
    ("loss_day_max_cents", 100, None, False),
    ("cool_off_until_ms", None, NOON_MS + 2, True),
    ("cool_off_until_ms", NOON_MS + 1, NOON_MS + 2, True),
    ("cool_off_until_ms", NOON_MS + 3, NOON_MS + 2, False),
    ("excluded_until_ms", None, NOON_MS, False),
    ("excluded_until_ms", NOON_MS - 9, NOON_MS - 3, False),
    ("stake_max_cents", 101, 100, True),
    ("deposit_day_max_cents", None, 100, True),
    ("deposit_week_max_cents", 99, 100, False),
    ("reality_check_minutes", 59, None, False),
    ("reality_check_minutes", 61, None, True),
    ("reality_check_minutes", None, 59, True),
    ("reality_check_minutes", None, 61, False),
]


@pytest.mark.parametrize(("name", "amount", "current", "looser"), LOOSER)
def test_what_binds_less_is_looser(name: str, amount: int | None, current: int | None, looser: bool) -> None:
    assert is_looser(name, amount, current, NOON_MS, HOUSE_MINUTES) is looser


@given(st.lists(st.tuples(WISHES, st.integers(0, 2 * DAY_MS)), max_size=12))
def test_each_limit_goes_its_own_way(history: list[tuple[dict[str, int | None], int]]) -> None:
    oracle = {name: OneLimit(name) for name in LIMITS}
    changes: list[LimitsChange] = []
    now_ms = NOON_MS
    for asked, pause_ms in history:
        added = changes_for(changes, asked, now_ms, HOUSE_MINUTES)
        assert len(added) <= 1 + len(LIMITS)
        assert [change.effective_ms > now_ms for change in added] == [False, *[True] * (len(added) - 1)][: len(added)]
        changes += added
        assert changes_for(changes, asked, now_ms, HOUSE_MINUTES) == []
        for name, amount in asked.items():
            oracle[name].wish(amount, now_ms)
        now_ms += pause_ms
        for one in oracle.values():
            one.pass_time(now_ms)
        assert asdict(in_force(changes, now_ms)) == {name: one.amount for name, one in oracle.items()}
        assert waiting(changes, now_ms) == {name: one.later for name, one in oracle.items() if one.later is not None}
