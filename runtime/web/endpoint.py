"""One endpoint: the fixed order of steps between Falcon and a handler.

Guards, what is under way, session, limits, then the body and the query are decoded, then the handler runs, then its
answer is written.
Guards come first because they look at nothing but memory: where a door is shut, asking who knocks would cost more.
All that depends on the declaration only is prepared once; nothing is built per request but the call itself.
"""

from __future__ import annotations

from typing import Any

import falcon
import msgspec
from gevent import getcurrent

from runtime.errors import Forbidden, Refusal, Unauthenticated
from runtime.log import FUNCTION
from runtime.web.answers import write_answer
from runtime.web.call import Call
from runtime.web.declaration import Function
from runtime.web.in_flight import InFlight, TimeLimitReached
from runtime.web.incoming import Request, decode_body, decode_query, refuse_body, refuse_query
from runtime.web.limits import EndpointLimits
from runtime.web.surroundings import SignedIn, Surroundings


class Endpoint:
    """Answer the requests of one function; called by Falcon's router."""

    __slots__ = (
        "_authenticate",
        "_decoder",
        "_decoders",
        "_guards",
        "_inside",
        "_limits",
        "_name",
        "_needs_session",
        "_query",
        "_surroundings",
        "_with_session",
        "function",
        "in_flight",
    )

    def __init__(self, function: Function, surroundings: Surroundings) -> None:
        self.function = function
        self.in_flight = InFlight(function)
        self._inside = self.in_flight.inside
        self._surroundings = surroundings
        self._name = f"{function.method} {function.route}"
        self._with_session = function.auth != "none"
        self._needs_session = function.auth in ("session", "operator")
        operates = function.auth == "operator"
        self._authenticate = surroundings.authenticate_operator if operates else surroundings.authenticate
        self._limits = EndpointLimits(function, surroundings.limiter, surroundings.quotas, surroundings.addresses)
        self._guards = tuple(surroundings.guards[name] for name in function.guards)
        self._decoder: msgspec.json.Decoder[Any] | None = (
            msgspec.json.Decoder(function.body) if function.body is not None else None
        )
        self._decoders = tuple(
            (f'"{name}"'.encode(), msgspec.json.Decoder(form)) for name, form in function.bodies.items()
        )
        self._query = function.query

    def __call__(self, req: Request, resp: falcon.Response, **path: Any) -> None:
        """Take one request through all steps."""
        req.function = self.function
        req.policy = self._limits.policy
        for guard in self._guards:
            guard()
        self._limits.refuse_spent(req)
        in_flight, inside, me = self.in_flight, self._inside, getcurrent()
        if len(inside) >= in_flight.limit:
            raise in_flight.refuse()
        inside[me] = req.started_ms
        in_flight.last_ms = req.received_ms
        FUNCTION.set(self.function.name)
        try:
            answer = self._answer(req, resp, path)
        except Refusal as refusal:
            self._limits.count_refusal(req, refusal)
            raise
        except TimeLimitReached:
            raise in_flight.too_long() from None
        finally:
            inside.pop(me, None)  # a call within this one, as tests make them, has taken it out already
        write_answer(req, resp, self.function, answer)

    def _answer(self, req: Request, resp: falcon.Response, path: dict[str, Any]) -> Any:
        session = self._session(req) if self._with_session else None
        if self.function.limits:
            self._limits.count(req, session)
        call: Call[Any, Any, SignedIn] = Call(
            body=self._body(req),
            params=self._params(req),
            path=path,
            session=session,
            req=req,
            resp=resp,
            surroundings=self._surroundings,
        )
        return self.function.handler(call)

    def _session(self, req: Request) -> SignedIn | None:
        try:
            session = self._authenticate(req)
            if session is None and self._needs_session:
                raise Unauthenticated
        except (Unauthenticated, Forbidden):
            self._limits.count(req, None)  # guesses count against their address
            raise
        return session

    def _body(self, req: Request) -> Any:
        if self._decoder is not None:
            return decode_body(req, self._decoder, self._decoders)
        refuse_body(req, self._name)
        return None

    def _params(self, req: Request) -> Any:
        if self._query is not None:
            return decode_query(req, self._query)
        if req.query_string and req.params:
            refuse_query(req.params)
        return None
