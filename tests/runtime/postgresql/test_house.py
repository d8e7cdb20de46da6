"""The house's limits lent to two shards on a real PostgreSQL: never above, nearly all usable, and given back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runtime.clock import ManualClock
from runtime.game.leases import LeasedExposure
from runtime.game.limits import HOUSE, RiskLimits
from runtime.postgresql.adding import add_shard
from runtime.postgresql.connection import WRITING, PostgresDatabase
from runtime.postgresql.house import House
from runtime.postgresql.translation import OWN
from runtime.storage.database import AnotherWrites, IntegrityError
from tests.postgres import Postgres

RISK = RiskLimits(
    payout_max_cents=40_000, cell_payout_max_cents=60_000, column_payout_max_cents=100_000, liability_max_cents=180_000
)
COLUMNS = (1_790_000_000, 1_790_000_005)
CELLS = tuple((start_s, f"{start_s}_{low}_{low + 500}") for start_s in COLUMNS for low in (9_000_000, 9_000_500))
USABLE_PERCENT = 99
Bet = tuple[int, str, int]


class Lender:
    """One shard's writer, as far as limits go; `taken` are its bets that were committed, which outlive it."""

    def __init__(self, url: str, shard: int) -> None:
        self.database = PostgresDatabase(url, prepare=WRITING, lock=True, shard=shard)
        self.house = House(self.database)
        self.taken: list[Bet] = []
        self.begin()

    def begin(self) -> None:
        """Know what the database knows, as one that has just started."""
        self.exposure = LeasedExposure(RISK, self.house.shards, self.house.leases())
        for bet in self.taken:
            self.exposure.add(*bet)

    def ask(self, bets: list[Bet]) -> None:
        short = self.exposure.short(bets)
        if short:
            self.exposure.lend(self.house.lease(self.exposure.excess() | short, RISK))

    def judge(self, bet: Bet) -> bool:
        start_s, cell_id, cents = bet
        if cents > self.exposure.headroom_cents(start_s, cell_id):
            return False
        self.exposure.add(*bet)
        self.taken.append(bet)
        return True

    def end(self, count: int) -> None:
        for bet in self.taken[:count]:
            self.exposure.remove(*bet)
        del self.taken[:count]

    def give_back(self) -> None:
        excess = self.exposure.excess()
        if excess:
            self.exposure.lend(self.house.lease(excess, RISK))


@pytest.fixture(scope="module")
def lenders(postgres: Postgres) -> Iterator[tuple[Lender, Lender]]:
    url = postgres.house()
    add_shard(url, ManualClock(1_790_000_000_000), RISK)
    one, two = Lender(url, 1), Lender(url, 2)
    yield one, two
    one.database.close()
    two.database.close()


def used(lenders: tuple[Lender, ...]) -> dict[str, int]:
    found = dict.fromkeys((HOUSE, *map(str, COLUMNS), *(cell for _, cell in CELLS)), 0)
    for lender in lenders:
        for start_s, cell_id, cents in lender.taken:
            for scope in (HOUSE, str(start_s), cell_id):
                found[scope] += cents
    return found


def require_limits(lenders: tuple[Lender, ...]) -> None:
    database = lenders[0].database
    lent: dict[str, int] = dict(
        database.execute("SELECT scope, sum(granted) FROM taptrade_house.leases GROUP BY scope")
    )
    granted: dict[str, int] = dict(database.execute("SELECT scope, granted FROM taptrade_house.exposure"))
    assert lent == granted
    for scope, cents in used(lenders).items():
        assert cents <= granted.get(scope, 0) <= RISK.most_cents(scope)


bets = st.lists(st.tuples(st.sampled_from(CELLS), st.integers(1, 30_000)), min_size=1, max_size=8)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("bets"), st.integers(0, 1), bets),
        st.tuples(st.just("dies before its commit"), st.integers(0, 1), bets),
        st.tuples(st.just("ends"), st.integers(0, 1), st.integers(0, 8)),
    ),
    max_size=25,
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps)
def test_what_two_writers_take_is_never_above_a_limit_and_nearly_all_of_it(
    lenders: tuple[Lender, Lender], steps: list[tuple[str, int, Any]]
) -> None:
    clear(lenders)
    for what, at, given_ in steps:
        lender = lenders[at]
        if what == "ends":
            lender.end(given_)
        else:
            asked: list[Bet] = [(*cell, cents) for cell, cents in given_]
            lender.ask(asked)
            require_limits(lenders)
            if what == "dies before its commit":
                lender.begin()
            else:
                for bet in asked:
                    if not lender.judge(bet):
                        require_nearly_full(lenders, bet)
        lender.give_back()
        require_limits(lenders)
    for lender in lenders:
        lender.end(len(lender.taken))
        lender.give_back()
    left: dict[str, int] = dict(
        lenders[0].database.execute("SELECT scope, granted FROM taptrade_house.exposure WHERE granted > 0")
    )
    assert left.keys() <= {HOUSE}
    assert left.get(HOUSE, 0) <= sum(2 * lender.exposure.spare_cents(HOUSE) for lender in lenders)


def require_nearly_full(lenders: tuple[Lender, ...], bet: Bet) -> None:
    """Fail if a bet was refused that the house had room for within all but one part in a hundred of each limit."""
    start_s, cell_id, cents = bet
    by_now = used(lenders)
    assert any(
        100 * (by_now[scope] + cents) > USABLE_PERCENT * RISK.most_cents(scope)
        for scope in (HOUSE, str(start_s), cell_id)
    )


def clear(lenders: tuple[Lender, ...]) -> None:
    for table in ("leases", "exposure"):
        lenders[0].database.execute(f"DELETE FROM taptrade_house.{table}")
    for lender in lenders:
        lender.taken = []
        lender.begin()


@pytest.mark.parametrize(
    ("cells", "scope"),
    [(CELLS[:1], CELLS[0][1]), (CELLS[:2], str(COLUMNS[0])), (CELLS, HOUSE)],
    ids=["a cell", "a column", "the house"],
)
def test_what_one_writer_leaves_idle_the_other_can_use_but_for_a_hundredth(
    lenders: tuple[Lender, Lender], cells: tuple[tuple[int, str], ...], scope: str
) -> None:
    clear(lenders)
    one, two = lenders
    for at, cell in enumerate([*cells, *cells]):
        bet = (*cell, 7 + at)
        two.ask([bet, bet])
        assert two.judge(bet)
        two.give_back()
    is_taken = True
    while is_taken:
        is_taken = False
        for start_s, cell_id in cells:
            one.ask([(start_s, cell_id, 50)])
            is_taken |= one.judge((start_s, cell_id, 50))
            one.give_back()
    assert 100 * (used(lenders)[scope] + 50) > USABLE_PERCENT * RISK.most_cents(scope)
    require_limits(lenders)


def test_a_lower_limit_lends_nothing_more_and_takes_nothing_away(lenders: tuple[Lender, Lender]) -> None:
    clear(lenders)
    one, two = lenders
    assert one.house.lease({HOUSE: 150_000}, RISK) == {HOUSE: 150_000}
    lower = RiskLimits(40_000, 60_000, 100_000, 100_000)
    assert two.house.lease({HOUSE: 10_000}, lower) == {HOUSE: 0}
    assert one.house.lease({HOUSE: 160_000}, lower) == {HOUSE: 150_000}
    assert one.house.lease({HOUSE: 90_000}, lower) == {HOUSE: 90_000}
    assert two.house.lease({HOUSE: 50_000}, lower) == {HOUSE: 10_000}


def test_the_database_itself_lends_no_more_than_a_limit(lenders: tuple[Lender, Lender]) -> None:
    clear(lenders)
    lenders[0].house.lease({HOUSE: 100}, RISK)
    with pytest.raises(IntegrityError):
        lenders[0].database.execute("UPDATE taptrade_house.exposure SET granted = most + 1")


def test_who_was_the_writer_moves_no_lease_any_more(lenders: tuple[Lender, Lender]) -> None:
    clear(lenders)
    one, _ = lenders
    one.house.lease({HOUSE: 1_000}, RISK)
    with closing(PostgresDatabase(one.database._url, prepare="")) as by_hand:
        by_hand.execute(OWN["begin_epoch"])
    with pytest.raises(AnotherWrites):
        one.house.lease({HOUSE: 0}, RISK)
    assert one.house.leases() == {HOUSE: 1_000}
    one.database.epoch = (one.database.epoch or 0) + 1


def test_leases_of_columns_that_are_over_are_forgotten(lenders: tuple[Lender, Lender]) -> None:
    clear(lenders)
    one, _ = lenders
    (start_s, cell_id), (_, other) = CELLS[0], CELLS[1]
    one.house.lease({HOUSE: 50, str(start_s): 50, cell_id: 50, other: 0}, RISK)
    one.house.forget_leases(start_s)
    count = "SELECT count(*) FROM taptrade_house.exposure"
    assert one.database.execute(count) == [(4,)]
    one.house.forget_leases(start_s + 1)
    assert one.database.execute(count) == [(3,)]
    assert one.house.leases() == {HOUSE: 50, str(start_s): 50, cell_id: 50}
