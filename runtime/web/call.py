"""One request as a handler sees it: the decoded body and query, the session, and the parts of the process."""

from __future__ import annotations

from typing import Any, Generic, TypeVar

import falcon

from runtime.function_settings import FunctionSettings, own_settings
from runtime.rate_limits import Hit, LimitDecision
from runtime.web.header_fields import preferred_type, prefers
from runtime.web.incoming import Request
from runtime.web.limits import count_hits, note_hits
from runtime.web.surroundings import Surroundings

B = TypeVar("B")
P = TypeVar("P")
S = TypeVar("S")
F = TypeVar("F", bound=FunctionSettings)


class Call(Generic[B, P, S]):
    """A request with a body of type B, for a process with the parts P and sessions of type S.

    `params` holds the Struct declared as `query`; do not assign to anything.
    """

    __slots__ = ("body", "params", "path", "req", "resp", "session", "surroundings")

    def __init__(
        self,
        *,
        body: B,
        params: Any,
        path: dict[str, Any],
        session: S | None,
        req: Request,
        resp: falcon.Response,
        surroundings: Surroundings,
    ) -> None:
        self.body = body
        self.params = params
        self.path = path
        self.session = session
        self.req = req
        self.resp = resp
        self.surroundings = surroundings

    @property
    def parts(self) -> P:
        """The shared parts that wiring built, as far as they are for whoever asks."""
        parts: P = self.surroundings.parts_of(self.session)  # type: ignore[arg-type]  # what it is, the app was told
        return parts

    @property
    def request_id(self) -> str:
        """The request's id, as in `X-Request-Id`."""
        return self.req.request_id

    @property
    def received_ms(self) -> int:
        """Server time when the request was received, Unix milliseconds."""
        return self.req.received_ms

    @property
    def address(self) -> str:
        """The client's address as rate limits count it."""
        return self.surroundings.addresses.of(self.req)

    @property
    def raw_body(self) -> bytes:
        """The body's bytes as they came, for signatures over them; empty unless a body is declared."""
        return self.req.raw_body

    def own_settings(self, form: type[F]) -> F:
        """Return the settings that the function declares by `settings=form`; no other function is handed them."""
        function = self.req.function
        return own_settings(self.surroundings.function_settings, "" if function is None else function.name, form)

    def header(self, name: str) -> str | None:
        """Return a request header field."""
        return self.req.get_header(name)

    def preferred_type(self, *offered: str) -> str:
        """Return which of the offered media types the client wants most; the first if it says nothing of them."""
        return preferred_type(self.req.get_header("Accept") or "", offered)

    def prefers(self, preference: str) -> bool:
        """Tell whether the client asks for something by the field Prefer."""
        prefer = self.req.get_header("Prefer")
        return prefer is not None and prefers(prefer, preference)

    def count(self, *hits: Hit) -> None:
        """Count the call in buckets of `limits_by_handler`; raise RateLimited if one is used up."""
        count_hits(self.req, self.surroundings.limiter, *hits)

    def note(self, *hits: Hit) -> None:
        """Count the call, which is refused anyway: what is used up by it refuses those that come after."""
        note_hits(self.req, self.surroundings.limiter, *hits)

    def accept(self) -> None:
        """Say that the request is right in itself: if it is refused from here on, that does not count as a refusal."""
        self.req.accepted = True

    def refuse_spent(self, bucket: str, who: str) -> None:
        """Raise RateLimited if it is known here that `who` has used up a bucket; nothing is asked for that."""
        limiter = self.surroundings.limiter
        decision = limiter.spent(bucket, who) if limiter.any_spent else None
        if decision is not None:
            self.report_limit(decision)
            decision.enforce()

    def report_limit(self, decision: LimitDecision) -> None:
        """Tell the client what is left of a limit that was counted elsewhere."""
        self.req.limits += (decision,)
