"""What a player asks of the API, as data: sent by a blocking or an awaiting client alike.

Every call but `login` and `logout` may be sent again when its answer is lost: it changes nothing, or a nonce or an
Idempotency-Key makes it count once. A login is signed anew instead, since its nonce has been used.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import NoneType
from typing import Any, Generic, TypeVar

from taptrade.views import (
    BetDetailView,
    BetsPage,
    DepositedView,
    GridView,
    LedgerPage,
    LoginView,
    MeView,
    OwnLimitsView,
    PlacedGestureView,
    PlacedView,
    RulesView,
    SignedBet,
    SignedGesture,
    SignedLogin,
    SignedWithdrawal,
    TimeView,
    WithdrawnView,
)

PAGE_ROWS = 25
PAGE_ROWS_MAX = 500
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Call(Generic[T]):
    """One request and the type of its answer; NoneType stands for an answer that nobody reads."""

    method: str
    path: str
    answer: type[T]
    body: Any = None
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)


def time() -> Call[TimeView]:
    """Ask for the server's time."""
    return Call("GET", "/api/time", TimeView)


def rules() -> Call[RulesView]:
    """Ask what the house plays by."""
    return Call("GET", "/api/rules", RulesView)


def healthy() -> Call[None]:
    """Ask whether the whole system is well; it is refused with what is not."""
    return Call("GET", "/healthz", NoneType)


def login(signed: SignedLogin) -> Call[LoginView]:
    """Open a session. Not to be sent again: sign anew."""
    return Call("POST", "/api/auth/login", LoginView, signed)


def logout() -> Call[None]:
    """End the session. Not to be sent again: UNAUTHENTICATED tells that it has ended."""
    return Call("POST", "/api/auth/logout", NoneType)


def grid() -> Call[GridView]:
    """Ask for the present offer."""
    return Call("GET", "/api/grid", GridView)


def me() -> Call[MeView]:
    """Ask for the own account."""
    return Call("GET", "/api/me", MeView)


def place_bet(signed: SignedBet, *, wait: bool = True) -> Call[PlacedView]:
    """Tap. The very same `signed` is placed once, and REPLAYED_NONCE brings the bet."""
    return Call("POST", "/api/bets", PlacedView, signed, headers={} if wait else {"Prefer": "respond-async"})


def place_bets(signed: SignedGesture, *, wait: bool = True) -> Call[PlacedGestureView]:
    """Tap up to twenty cells at once. The very same `signed` counts once, and REPLAYED_NONCE tells of each tap."""
    return Call("POST", "/api/bets", PlacedGestureView, signed, headers={} if wait else {"Prefer": "respond-async"})


def bet(bet_id: str) -> Call[BetDetailView]:
    """Ask for one own bet, with the evidence once it is settled."""
    return Call("GET", f"/api/bets/{bet_id}", BetDetailView)


def bets(cursor: str | None = None, limit: int = PAGE_ROWS, cell_id: str | None = None) -> Call[BetsPage]:
    """Ask for a page of own bets, newest first; of one cell, if it is named."""
    query = _page(cursor, limit)
    return Call("GET", "/api/bets", BetsPage, query=query if cell_id is None else query | {"cell_id": cell_id})


def ledger(cursor: str | None = None, limit: int = PAGE_ROWS) -> Call[LedgerPage]:
    """Ask for a page of the own statement, newest first."""
    return Call("GET", "/api/ledger", LedgerPage, query=_page(cursor, limit))


def deposit(amount_cents: int, key: str) -> Call[DepositedView]:
    """Top up play money; the same key never credits twice."""
    return Call("POST", "/api/deposits", DepositedView, {"amount": amount_cents}, headers={"Idempotency-Key": key})


def withdraw(signed: SignedWithdrawal, key: str) -> Call[WithdrawnView]:
    """Take money out to the own wallet, which has signed this itself; the same key never takes twice."""
    return Call("POST", "/api/withdrawals", WithdrawnView, signed, headers={"Idempotency-Key": key})


def limits() -> Call[OwnLimitsView]:
    """Ask for the own limits, and what counts against them."""
    return Call("GET", "/api/me/limits", OwnLimitsView)


def set_limits(wanted: Mapping[str, int | None]) -> Call[OwnLimitsView]:
    """Change own limits, named as in LimitsView: None lifts one, what is left out stays."""
    return Call("PUT", "/api/me/limits", OwnLimitsView, dict(wanted))


def _page(cursor: str | None, limit: int) -> dict[str, str]:
    query = {"limit": str(limit)}
    return query if cursor is None else query | {"cursor": cursor}
