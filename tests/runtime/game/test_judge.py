"""The bet's rule: each refusal in its order of precedence, and the fill when there is none."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from runtime.game.buckets import Bucket
from runtime.game.grid import Cell, GridRules
from runtime.game.ids import first_id_at
from runtime.game.judge import Fill, Judge, Refused
from runtime.game.limit_changes import LimitsChange
from runtime.game.limits import Exposure, PlayerLimits, RiskLimits
from runtime.game.ticks import Features, Tick

NOW_MS = 1_790_000_001_000
RULES = GridRules(column_seconds=5, horizon_columns=12, row_step_cents=500, rows=20)
CELL = Cell(1_790_000_010, 9_400_000, 9_400_500)
TICK = Tick(NOW_MS - 100, NOW_MS - 150, 9_400_200, 9_400_100, 9_400_300, "test", Features(200.0, 300, 600_000))
RATE_BP = 25_000


class FlatRate:
    """Offer every cell at one rate, and count how often it was asked."""

    id, version = "flat", "1"

    def __init__(self, rate_bp: int | None = RATE_BP) -> None:
        self.rate = rate_bp
        self.asked = 0

    def rate_bp(self, _cell: Cell, _tick: Tick, _now_ms: int) -> int | None:
        self.asked += 1
        return self.rate


class Leaping(FlatRate):
    """Offer the rate of a tick's price, in basis points."""

    def rate_bp(self, _cell: Cell, tick: Tick, _now_ms: int) -> int | None:
        return tick.close or None


def judge(**changed: Any) -> Judge:
    given: dict[str, Any] = {
        "rules": RULES,
        "model": FlatRate(),
        "tick": TICK,
        "now_ms": NOW_MS,
        "newest_column_s": 0,
        "max_fill_age_ms": 1_500,
        "presets_cents": (100, 500),
        "exposure": Exposure(RiskLimits(10**6, 10**6, 10**6, 10**6)),
        "limits_of": lambda _user_id: [],
        "totals_since": lambda _user_id, _entry_id: (0, 0),
        "ticks_of_wait": lambda _from_ms, _to_ms: (),
    }
    return Judge(**(given | changed))


def limited(**limits: Any) -> dict[str, Any]:
    return {"limits_of": lambda _user_id: [LimitsChange(PlayerLimits(**limits), 0)]}


# In order of precedence: each row also breaks every rule of the rows below it.
BREACHES: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("LIMIT_REACHED", limited(stake_day_max_cents=0), {}),
    ("EXPOSURE_LIMIT", {"exposure": Exposure(RiskLimits(249, 249, 249, 249))}, {}),
    ("RATE_MOVED", {}, {"min_rate_bp": RATE_BP + 1}),
    ("CELL_NOT_OFFERED", {"model": FlatRate(None)}, {}),
    ("STAKE_NOT_ALLOWED", {}, {"stake_cents": 101}),
    ("PRICE_FEED_STALE", {"tick": replace(TICK, id=NOW_MS - 1_501)}, {}),
    ("CELL_CLOSED", {"newest_column_s": CELL.start_s}, {}),
    ("BET_EXPIRED", {}, {"decided_by_ms": NOW_MS - 1}),
]
BET: dict[str, Any] = {"stake_cents": 100, "min_rate_bp": RATE_BP, "decided_by_ms": NOW_MS}


@pytest.mark.parametrize("last", range(len(BREACHES)), ids=[code for code, _, _ in BREACHES])
def test_the_first_breach_in_order_of_precedence_refuses(last: int) -> None:
    conditions: dict[str, Any] = {}
    bet = dict(BET)
    for _, condition, change in BREACHES[: last + 1]:
        conditions |= condition
        bet |= change
    verdict = judge(**conditions).judge(CELL, "user", **bet)
    assert isinstance(verdict, Refused)
    assert verdict.code == BREACHES[last][0]


def test_a_bet_that_breaks_no_rule_is_filled_at_the_rate_of_the_tick() -> None:
    assert judge().judge(CELL, "user", **BET) == Fill(RATE_BP)


@pytest.mark.parametrize(
    ("conditions", "bet"),
    [
        pytest.param({}, {"min_rate_bp": RATE_BP}, id="at the floor"),
        pytest.param({"tick": replace(TICK, id=NOW_MS - 1_500)}, {}, id="on the oldest fresh tick"),
        pytest.param({"newest_column_s": CELL.start_s - 5}, {}, id="right after the newest column that has begun"),
        pytest.param({"exposure": Exposure(RiskLimits(250, 250, 250, 250))}, {}, id="to the cent of the house's limit"),
        pytest.param(limited(stake_day_max_cents=100), {}, id="to the cent of one's own limit"),
        pytest.param({}, {"decided_by_ms": NOW_MS}, id="in the last millisecond"),
    ],
)
def test_a_bound_itself_is_within(conditions: dict[str, Any], bet: dict[str, int]) -> None:
    assert judge(**conditions).judge(CELL, "user", **(BET | bet)) == Fill(RATE_BP)


def test_a_window_that_begins_this_very_millisecond_is_closed() -> None:
    verdict = judge(now_ms=CELL.start_s * 1000, tick=replace(TICK, id=CELL.start_s * 1000)).judge(
        CELL, "user", **(BET | {"decided_by_ms": CELL.start_s * 1000})
    )
    assert isinstance(verdict, Refused)
    assert verdict.code == "CELL_CLOSED"


def test_without_a_tick_nothing_is_filled() -> None:
    verdict = judge(tick=None).judge(CELL, "user", **BET)
    assert verdict == Refused("PRICE_FEED_STALE", "There is no fresh price to fill the bet at.")


def test_a_cell_is_priced_once_a_commit() -> None:
    model = FlatRate()
    one_commit = judge(model=model)
    assert [one_commit.judge(CELL, user, **BET) for user in ("one", "two")] == [Fill(RATE_BP)] * 2
    assert model.asked == 1


def test_the_largest_stake_that_still_fits_is_told() -> None:
    exposure = Exposure(RiskLimits(10**6, 10**6, 10**6, 10**6))
    exposure.add(CELL.start_s, CELL.id, 10**6 - 300)
    verdict = judge(exposure=exposure).judge(CELL, "user", **(BET | {"stake_cents": 500}))
    assert isinstance(verdict, Refused)
    assert verdict.arguments == {"max_stake_cents": 100}


def test_the_day_of_ones_own_limit_begins_at_midnight_utc() -> None:
    asked: list[tuple[str, str]] = []

    def totals(user_id: str, entry_id: str) -> tuple[int, int]:
        asked.append((user_id, entry_id))
        return 0, 0

    judge(**limited(loss_day_max_cents=10**6), totals_since=totals).judge(CELL, "user", **BET)
    midnight_ms = NOW_MS - NOW_MS % 86_400_000
    assert asked == [("user", first_id_at(midnight_ms))]


@pytest.mark.parametrize(("before_tick_ms", "filled"), [(1, True), (0, False), (-1, False)])
def test_the_tick_lies_after_the_wait_or_fills_nothing(before_tick_ms: int, filled: bool) -> None:
    verdict = judge().judge(CELL, "user", **BET, wait_ms=(TICK.id - 500, TICK.id - before_tick_ms))
    assert (verdict == Fill(RATE_BP)) is filled
    assert filled or (isinstance(verdict, Refused) and verdict.code == "PRICE_FEED_STALE")


@pytest.mark.parametrize(
    ("on_the_way", "broken_by"),
    [
        pytest.param([], None, id="no tick between"),
        pytest.param([RATE_BP + 100, RATE_BP], None, id="at the floor and above"),
        pytest.param([RATE_BP, RATE_BP - 1, RATE_BP], 1, id="below it once"),
        pytest.param([RATE_BP, 0], 1, id="not offered once"),
        pytest.param([RATE_BP - 2, RATE_BP - 1], 0, id="the first that breaks it"),
    ],
)
def test_the_floor_holds_on_every_tick_of_the_wait(on_the_way: list[int], broken_by: int | None) -> None:
    since_ms = TICK.id - 600
    waited = [replace(TICK, id=since_ms + 100 * (at + 1), close=rate) for at, rate in enumerate(on_the_way)]
    asked: list[tuple[int, int]] = []

    def ticks(from_ms: int, to_ms: int) -> list[Tick]:
        asked.append((from_ms, to_ms))
        return waited

    one_commit = judge(model=Leaping(), tick=replace(TICK, close=RATE_BP), ticks_of_wait=ticks)
    verdict = one_commit.judge(CELL, "user", **BET, wait_ms=(since_ms, since_ms + 500))
    assert asked == [(since_ms + 1, TICK.id)]
    if broken_by is None:
        assert verdict == Fill(RATE_BP)
    else:
        assert isinstance(verdict, Refused)
        assert (verdict.code, verdict.at) == ("RATE_MOVED", waited[broken_by])
        assert verdict.arguments["rate_bp"] == on_the_way[broken_by]


def test_a_wait_whose_ticks_cannot_be_read_fills_nothing() -> None:
    verdict = judge(ticks_of_wait=lambda _from_ms, _to_ms: None).judge(
        CELL, "user", **BET, wait_ms=(TICK.id - 600, TICK.id - 100)
    )
    assert isinstance(verdict, Refused)
    assert verdict.code == "PRICE_FEED_STALE"


def test_without_a_delay_no_tick_is_asked_for() -> None:
    def ticks(_from_ms: int, _to_ms: int) -> list[Tick]:
        raise AssertionError

    assert judge(ticks_of_wait=ticks).judge(CELL, "user", **BET) == Fill(RATE_BP)


@pytest.mark.parametrize("distance", [pytest.param(2, id="its own"), pytest.param(0, id="that of all columns")])
def test_a_bet_of_a_closed_bucket_is_refused_with_its_rate(distance: int) -> None:
    closed = frozenset({Bucket("flat", "1", 20_000, distance)})
    found = judge(closed=closed).judge(CELL, "user", 100, RATE_BP, NOW_MS)
    assert isinstance(found, Refused)
    name = "2-5x/all" if distance == 0 else "2-5x/2"
    assert (found.code, found.arguments) == (
        "CELL_NOT_OFFERED",
        {"grid_version": TICK.id, "bucket": name, "rate_bp": RATE_BP},
    )


@pytest.mark.parametrize(
    "bucket",
    [
        pytest.param(Bucket("flat", "1", 20_000, 3), id="another column"),
        pytest.param(Bucket("flat", "1", 50_000, 0), id="other rates"),
        pytest.param(Bucket("flat", "2", 20_000, 2), id="another version"),
    ],
)
def test_other_closed_buckets_refuse_nothing(bucket: Bucket) -> None:
    assert judge(closed=frozenset({bucket})).judge(CELL, "user", 100, RATE_BP, NOW_MS) == Fill(RATE_BP)
