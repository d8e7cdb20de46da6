"""Who operates the house: sessions of their own, under a cookie of its own, for wallets of a list and an hour at most.

Playing and operating stay apart: no session of a player's operates, not even one of the same wallet, and an operator's
cookie goes to the operators' addresses alone. Only the browser holds its token, where no script can read it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

import falcon
import msgspec

from runtime.addresses import to_checksum_address
from runtime.auth.credentials import SAFE_METHODS, is_foreign, is_same_origin, send_cookie
from runtime.auth.domains import Domains
from runtime.auth.sessions import new_token, session_id
from runtime.clock import Clock
from runtime.errors import Forbidden, Unauthenticated, Unavailable
from runtime.messaging import redis_keys
from runtime.messaging.connection import OUTAGES, Redis

COOKIE = "taptrade_operator"
COOKIE_PATH = "/api/operate"
CLOSED = "The operator's page is closed here: TAPTRADE_OPERATORS names no wallet."


class OperatorSession(msgspec.Struct, frozen=True):
    """An operator's login that is still good; `id` is the SHA-256 of its token."""

    id: str
    wallet: str
    created_ms: int
    expires_ms: int

    @property
    def who(self) -> str:
        """The operator's wallet as it is shown, and kept with what they decide."""
        return to_checksum_address(self.wallet)


class OperatorSessions:
    """Begin, find and end the sessions of operators, one of a wallet at a time.

    Redis is asked each time, so one that has ended has ended.
    """

    def __init__(self, client: Redis, clock: Clock, wallets: Collection[str]) -> None:
        self._client = client
        self._clock = clock
        self._wallets = frozenset(wallets)

    def refuse_stranger(self, wallet: str | None = None) -> None:
        """Raise Forbidden where nobody operates, or not the wallet that is named."""
        if not self._wallets:
            raise Forbidden(CLOSED, reason="closed")
        if wallet is not None and wallet not in self._wallets:
            raise Forbidden("This wallet does not operate here.", reason="not_listed")

    def begin(self, wallet: str, until_ms: int | None) -> tuple[str, OperatorSession]:
        """Start a session under a new token, which is kept nowhere; that of the wallet's last login ends."""
        token = new_token()
        now_ms = self._clock.now_ms()
        expires_ms = now_ms + redis_keys.OPERATOR_TTL_S * 1000
        if until_ms is not None:
            expires_ms = min(expires_ms, until_ms)
        session = OperatorSession(session_id(token), wallet, now_ms, expires_ms)
        try:
            pipe = self._client.pipeline()
            pipe.hset(redis_keys.OPERATORS, wallet, msgspec.json.encode(session))
            pipe.expire(redis_keys.OPERATORS, redis_keys.OPERATOR_TTL_S)
            pipe.execute()
        except OUTAGES as ex:
            raise Unavailable("Sessions cannot be written right now.") from ex
        return token, session

    def find(self, token: str) -> OperatorSession | None:
        """Return the session of a token, None if there is none or it has ended."""
        try:
            stored: Any = self._client.hvals(redis_keys.OPERATORS)
        except OUTAGES as ex:
            raise Unavailable("Sessions cannot be read right now.") from ex
        wanted = session_id(token)
        sessions = (msgspec.json.decode(one, type=OperatorSession) for one in stored)
        return next((one for one in sessions if one.id == wanted and self._clock.now_ms() < one.expires_ms), None)

    def end(self, session: OperatorSession) -> None:
        """End a session."""
        try:
            self._client.hdel(redis_keys.OPERATORS, session.wallet)
        except OUTAGES as ex:
            raise Unavailable("Sessions cannot be ended right now.") from ex


def operator_authenticator(
    sessions: OperatorSessions, domains: Domains, player_of: Callable[[falcon.Request], object | None]
) -> Callable[[falcon.Request], OperatorSession | None]:
    """Return the function that finds a request's operator; whoever comes with a player's session is told so."""

    def authenticate(req: falcon.Request) -> OperatorSession | None:
        sessions.refuse_stranger()
        cookies = req.get_cookie_values(COOKIE) or []
        session = sessions.find(cookies[0]) if len(cookies) == 1 else None
        if session is not None:
            sessions.refuse_stranger(session.wallet)  # the list may be shorter than it was at the login
            refuse_foreign(req, domains)
            return session
        if player_of(req) is not None:
            raise Forbidden("A player's session does not operate; sign in to operate.", reason="player")
        return None

    return authenticate


def refuse_foreign(req: falcon.Request, domains: Domains) -> None:
    """Raise Forbidden for whatever another page asks for, and for a change that does not come from a page of ours."""
    if is_foreign(req, domains) or (req.method not in SAFE_METHODS and not is_same_origin(req, domains)):
        raise Forbidden("Operators are heard from the house's own page only.", reason="origin")


def operating(session: OperatorSession | None) -> OperatorSession:
    """Return the session of a request that only operators may send."""
    if session is None:
        raise Unauthenticated
    return session


def set_operator_cookie(req: falcon.Request, resp: falcon.Response, token: str, session: OperatorSession) -> None:
    """Give the operator's page its cookie, for as long as the session."""
    send_cookie(req, resp, COOKIE, token, max_age_s=(session.expires_ms - session.created_ms) // 1000, path=COOKIE_PATH)


def clear_operator_cookie(resp: falcon.Response) -> None:
    """Take the cookie back."""
    resp.unset_cookie(COOKIE, path=COOKIE_PATH, same_site="Strict")
