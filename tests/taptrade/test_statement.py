"""The player's recount: every cent that is off is found."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from taptrade.statement import Totals, faults, totals
from taptrade.views import BetView, EntryView
from tests.taptrade.grids import bet

OPENING = 1_000_000
BETS = [bet("b1", "won"), bet("b2", "lost"), bet("b3", "void"), bet("b4", "refused"), bet("b5", "insufficient_funds")]


def entries(*rows: tuple[int, str, str]) -> list[EntryView]:
    running, made = 0, []
    for place, (amount, ref_type, ref_id) in enumerate(rows):
        running += amount
        made.append(EntryView(f"e{place}", amount, running, ref_type, ref_id))
    return made


GOOD = entries(
    (OPENING, "DEPOSIT", "demo"),
    (-100, "BET", "b1"),
    (-100, "BET", "b2"),
    (-100, "BET", "b3"),
    (185, "PAYOUT", "b1"),
    (100, "REFUND", "b3"),
)
BALANCE = OPENING - 100 - 100 + 185


def check(
    statement: list[EntryView],
    bets: list[BetView] = BETS,
    *,
    balance: int = BALANCE,
    told: dict[str, int] | None = None,
) -> list[str]:
    return faults(statement, bets, opening_cents=OPENING, balance_cents=balance, told=told or {})


def test_a_good_statement_has_no_faults() -> None:
    assert check(GOOD, told={"e4": GOOD[4].balance_after}) == []
    assert totals(GOOD) == Totals(OPENING, -300, 185, 100, BALANCE, 6)


def without(place: int) -> list[EntryView]:
    rows = [(row.amount, row.ref_type, row.ref_id) for at, row in enumerate(GOOD) if at != place]
    return entries(*rows)


def with_amount(place: int, amount: int) -> list[EntryView]:
    rows = [(amount if at == place else row.amount, row.ref_type, row.ref_id) for at, row in enumerate(GOOD)]
    return entries(*rows)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        pytest.param(lambda: check([]), "opens with no entry", id="empty"),
        pytest.param(lambda: check(GOOD, balance=BALANCE + 1), "is not the balance", id="balance off by a cent"),
        pytest.param(lambda: check(without(0)), "opens with", id="no opening"),
        pytest.param(lambda: check(without(1)), "bet b1", id="a stake is missing"),
        pytest.param(lambda: check(without(4)), "bet b1", id="a payout is missing"),
        pytest.param(lambda: check(without(5)), "bet b3", id="a refund is missing"),
        pytest.param(lambda: check(with_amount(4, 186)), "bet b1", id="a payout is rounded up"),
        pytest.param(lambda: check(with_amount(5, 99)), "bet b3", id="a refund is short"),
        pytest.param(
            lambda: check(entries(*[(row.amount, row.ref_type, row.ref_id) for row in [*GOOD, GOOD[4]]])),
            "bet b1",
            id="paid twice",
        ),
        pytest.param(lambda: check(GOOD, BETS[1:]), "never placed", id="an unknown bet"),
        pytest.param(
            lambda: check(GOOD, [replace(BETS[0], payout_amount=186), *BETS[1:]]), "payout_amount", id="bet lies"
        ),
        pytest.param(
            lambda: check([*GOOD[:3], replace(GOOD[3], balance_after=1), *GOOD[4:]]), "running sum", id="running sum"
        ),
        pytest.param(lambda: check(GOOD, told={"e4": 1}), "the stream told", id="the stream told another balance"),
        pytest.param(lambda: check(GOOD, told={"e9": 1}), "the stream told", id="the stream told an unknown entry"),
    ],
)
def test_every_fault_is_found(wrong: Callable[[], list[str]], said: str) -> None:
    assert any(said in fault for fault in wrong())
