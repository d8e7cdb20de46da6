"""One request, one answer, blocking: no retries. `taptrade.client.account` is what survives a line that breaks."""

from __future__ import annotations

from collections.abc import Iterator
from types import TracebackType
from typing import Self

import httpx

from taptrade.client import calls, over_http
from taptrade.client.calls import PAGE_ROWS, Call, T
from taptrade.house_address import house_address
from taptrade.views import (
    BetDetailView,
    BetsPage,
    BetView,
    DepositedView,
    EntryView,
    GridView,
    LedgerPage,
    LoginView,
    MeView,
    PlacedView,
    SignedBet,
    SignedLogin,
    SignedWithdrawal,
    WithdrawnView,
)


class TapClient:
    """Speak to one server; after `login` every call carries the session. One thread or greenlet each.

    Raise ApiError where the server refuses, httpx.TransportError where no answer came.
    """

    def __init__(self, url: str, *, token: str = "", transport: httpx.BaseTransport | None = None) -> None:
        self.url = house_address(url)
        self.token = token
        self._http = httpx.Client(transport=transport, **over_http.settings(url))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, ex: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def send(self, call: Call[T]) -> T:
        """Send one call and return its answer."""
        try:
            response = self._http.request(**over_http.request(self.url, call, self.token))
        except httpx.DecodingError as ex:
            raise over_http.unpacked(ex) from ex
        return over_http.read(call, response)

    def login(self, signed: SignedLogin) -> LoginView:
        """Open a session; later calls use it."""
        answer = self.send(calls.login(signed))
        self.token = answer.token
        return answer

    def logout(self) -> None:
        """End the session."""
        self.send(calls.logout())
        self.token = ""

    def healthy(self) -> bool:
        """Tell that the whole system is well; raise ApiError with what is not."""
        self.send(calls.healthy())
        return True

    def grid(self) -> GridView:
        """Ask for the present offer."""
        return self.send(calls.grid())

    def me(self) -> MeView:
        """Ask for the own account."""
        return self.send(calls.me())

    def place_bet(self, signed: SignedBet, *, wait: bool = True) -> PlacedView:
        """Tap. Sending the same `signed` again is safe: it is placed once, and REPLAYED_NONCE brings the bet."""
        return self.send(calls.place_bet(signed, wait=wait))

    def bet(self, bet_id: str) -> BetDetailView:
        """Ask for one own bet, with the evidence once it is settled."""
        return self.send(calls.bet(bet_id))

    def bets(self, cursor: str | None = None, limit: int = PAGE_ROWS) -> BetsPage:
        """Ask for a page of own bets."""
        return self.send(calls.bets(cursor, limit))

    def ledger(self, cursor: str | None = None, limit: int = PAGE_ROWS) -> LedgerPage:
        """Ask for a page of the own statement."""
        return self.send(calls.ledger(cursor, limit))

    def all_bets(self) -> Iterator[BetView]:
        """Go through all own bets, newest first."""
        page = self.bets()
        yield from page.bets
        while page.next_cursor:
            page = self.bets(page.next_cursor)
            yield from page.bets

    def statement(self) -> Iterator[EntryView]:
        """Go through the whole own statement, newest first."""
        page = self.ledger()
        yield from page.entries
        while page.next_cursor:
            page = self.ledger(page.next_cursor)
            yield from page.entries

    def deposit(self, amount_cents: int, key: str) -> DepositedView:
        """Top up play money; the same key never credits twice."""
        return self.send(calls.deposit(amount_cents, key))

    def withdraw(self, signed: SignedWithdrawal, key: str) -> WithdrawnView:
        """Take money out to the own wallet, which has signed this itself; the same key never takes twice."""
        return self.send(calls.withdraw(signed, key))
