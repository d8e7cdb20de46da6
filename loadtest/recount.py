"""A player's recount at the end of a load test: does the statement add up, and is every answered bet in it?"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping

from taptrade.statement import faults
from taptrade.views import BetsPage, BetView, EntryView, LedgerPage, MeView

PAGE_ROWS = 500
ATTEMPTS_MAX = 20


class Desk(ABC):
    """Where a player asks for the own bets, ledger and balance."""

    @abstractmethod
    def me(self) -> MeView:
        """Ask for the account."""

    @abstractmethod
    def bets(self, query: str) -> BetsPage:
        """Ask for a page of bets."""

    @abstractmethod
    def ledger(self, query: str) -> LedgerPage:
        """Ask for a page of the ledger."""


def recount(desk: Desk, placed: Mapping[str, BetView]) -> list[str]:
    """Say what does not add up. Read between two equal balances: then no settlement came in between."""
    for _ in range(ATTEMPTS_MAX):
        balance_cents = desk.me().user.balance
        bets = {bet.id: bet for bet in _bets(desk)}
        entries = [*_entries(desk)][::-1]
        if desk.me().user.balance != balance_cents:
            continue
        missing = [
            f"bet {bet.id} was answered and is gone"
            for bet in placed.values()
            if bet.status == "confirmed" and bet.id not in bets
        ]
        opening_cents = entries[0].balance_after if entries else 0
        return missing + faults(
            entries, bets.values(), opening_cents=opening_cents, balance_cents=balance_cents, told={}
        )
    return [f"the balance did not hold still in {ATTEMPTS_MAX} attempts"]


def _bets(desk: Desk) -> Iterator[BetView]:
    page = desk.bets(f"?limit={PAGE_ROWS}")
    yield from page.bets
    while page.next_cursor:
        page = desk.bets(f"?limit={PAGE_ROWS}&cursor={page.next_cursor}")
        yield from page.bets


def _entries(desk: Desk) -> Iterator[EntryView]:
    page = desk.ledger(f"?limit={PAGE_ROWS}")
    yield from page.entries
    while page.next_cursor:
        page = desk.ledger(f"?limit={PAGE_ROWS}&cursor={page.next_cursor}")
        yield from page.entries
