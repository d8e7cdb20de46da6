"""A small client of the HTTP interface, to use and to copy: typed answers, and every refusal as one exception."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from http.cookiejar import CookieJar, DefaultCookiePolicy
from types import TracebackType
from typing import Any, Self, TypeVar
from urllib.parse import urlsplit

import httpx
import msgspec

from taptrade.views import (
    BetDetailView,
    BetsPage,
    BetView,
    EntryView,
    GridView,
    LedgerPage,
    LoginView,
    MeView,
    PlacedView,
    SignedBet,
    SignedLogin,
    SignedWithdrawal,
)

PAGE_ROWS = 25
TIMEOUT_S = 10.0
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_T = TypeVar("_T")


class ApiError(Exception):
    """The API refused a request; `code` is stable, `arguments` are the problem's typed extras."""

    def __init__(
        self, status: int, code: str, detail: str, arguments: Mapping[str, Any], retry_after_s: float | None
    ) -> None:
        super().__init__(f"{status} {code}: {detail}")
        self.status = status
        self.code = code
        self.detail = detail
        self.arguments = arguments
        self.retry_after_s = retry_after_s

    @property
    def bet(self) -> BetView | None:
        """The existing bet that REPLAYED_NONCE and DUPLICATE_BET carry, if there is one."""
        found = self.arguments.get("bet")
        return None if found is None else msgspec.convert(found, BetView)


class TapClient:
    """Speak to one server; after `login` every call carries the session. One thread or greenlet each."""

    def __init__(self, url: str, *, token: str = "", transport: httpx.BaseTransport | None = None) -> None:
        self.url = url.rstrip("/")
        self.token = token
        self._http = httpx.Client(
            base_url=self.url,
            timeout=TIMEOUT_S,
            transport=transport,
            trust_env=may_use_proxy(url),
            # SSL_CERT_FILE names whom to trust, at this machine's own addresses too.
            verify=httpx.create_ssl_context(),
            # The token alone says who asks; the session's cookie is for browsers.
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, ex: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def login(self, signed: SignedLogin) -> LoginView:
        """Open a session; later calls use it."""
        answer = self._call("POST", "/api/auth/login", LoginView, body=signed)
        self.token = answer.token
        return answer

    def logout(self) -> None:
        """End the session."""
        self._send("POST", "/api/auth/logout")
        self.token = ""

    def healthy(self) -> bool:
        """Tell whether the whole system is well; raise ApiError with what is not."""
        return self._send("GET", "/healthz").status_code == httpx.codes.OK

    def grid(self) -> GridView:
        """Ask for the present offer."""
        return self._call("GET", "/api/grid", GridView)

    def me(self) -> MeView:
        """Ask for the own account."""
        return self._call("GET", "/api/me", MeView)

    def place_bet(self, signed: SignedBet, *, wait: bool = True) -> PlacedView:
        """Tap. Sending the same `signed` again is safe: it is placed once, and REPLAYED_NONCE brings the bet."""
        headers = {} if wait else {"Prefer": "respond-async"}
        return self._call("POST", "/api/bets", PlacedView, body=signed, headers=headers)

    def bet(self, bet_id: str) -> BetDetailView:
        """Ask for one own bet, with the evidence once it is settled."""
        return self._call("GET", f"/api/bets/{bet_id}", BetDetailView)

    def bets(self, cursor: str | None = None, limit: int = PAGE_ROWS) -> BetsPage:
        """Ask for a page of own bets."""
        return self._call("GET", "/api/bets", BetsPage, query=_page(cursor, limit))

    def ledger(self, cursor: str | None = None, limit: int = PAGE_ROWS) -> LedgerPage:
        """Ask for a page of the own statement."""
        return self._call("GET", "/api/ledger", LedgerPage, query=_page(cursor, limit))

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

    def deposit(self, amount_cents: int, key: str) -> dict[str, Any]:
        """Top up play money; the same key never credits twice."""
        return self._call(
            "POST", "/api/deposits", dict[str, Any], body={"amount": amount_cents}, headers={"Idempotency-Key": key}
        )

    def withdraw(self, signed: SignedWithdrawal, key: str) -> dict[str, Any]:
        """Take money out to the own wallet, which has signed this itself; the same key never takes twice."""
        return self._call("POST", "/api/withdrawals", dict[str, Any], body=signed, headers={"Idempotency-Key": key})

    def _call(
        self,
        method: str,
        path: str,
        answer: type[_T],
        *,
        body: Any = None,
        query: dict[str, str] | None = None,
        headers: dict[str, str] | None = None,
    ) -> _T:
        response = self._send(method, path, body=body, query=query, headers=headers)
        try:
            return msgspec.json.decode(response.content, type=answer)
        except msgspec.DecodeError as ex:
            detail = f"{path} answers otherwise than taptrade does: {ex}"
            raise ApiError(response.status_code, f"HTTP_{response.status_code}", detail, {}, None) from ex

    def _send(
        self,
        method: str,
        path: str,
        *,
        body: Any = None,
        query: dict[str, str] | None = None,
        headers: dict[str, str] | None = None,
    ) -> httpx.Response:
        sent = dict(headers or {})
        if self.token:
            sent["Authorization"] = f"Bearer {self.token}"
        if body is not None:
            sent["Content-Type"] = "application/json"
        content = None if body is None else msgspec.json.encode(body)
        try:
            response = self._http.request(method, path, content=content, params=query, headers=sent)
        except httpx.DecodingError as ex:
            # An answer that cannot be unpacked is as lost as one that did not come.
            raise httpx.ReadError(f"the answer cannot be unpacked: {ex}", request=ex.request) from ex
        if response.is_success:
            return response
        raise api_error(response)


def may_use_proxy(url: str) -> bool:
    """Tell whether a proxy named in the environment may be asked: it cannot reach our own loopback."""
    return urlsplit(url).hostname not in _LOOPBACK


def api_error(response: httpx.Response) -> ApiError:
    """Read a problem+json answer; one that is none (a proxy's page) keeps its status as code."""
    try:
        problem = msgspec.json.decode(response.content, type=dict[str, Any])
    except msgspec.DecodeError:
        problem = {}
    code = str(problem.get("code") or f"HTTP_{response.status_code}")
    detail = str(problem.get("detail") or response.reason_phrase)
    after = response.headers.get("Retry-After", "")
    return ApiError(response.status_code, code, detail, problem, float(after) if after.isdecimal() else None)


def _page(cursor: str | None, limit: int) -> dict[str, str]:
    query = {"limit": str(limit)}
    if cursor is not None:
        query["cursor"] = cursor
    return query
