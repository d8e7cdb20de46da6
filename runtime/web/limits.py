"""What counts the requests of one endpoint: the buckets of its declaration, and who is counted in each."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress

from runtime.errors import Refusal, Unavailable
from runtime.rate_limits import Hit, Limiter, LimitPolicy, header_of
from runtime.web.client_address import Addresses
from runtime.web.declaration import Function
from runtime.web.incoming import Request
from runtime.web.surroundings import SignedIn


class EndpointLimits:
    """The buckets of one endpoint, sorted by when and by whom they are counted."""

    __slots__ = (
        "_addresses",
        "_at_the_door",
        "_limiter",
        "_may_go_on",
        "_of_address",
        "_of_wallet",
        "_refusals",
        "policy",
    )

    def __init__(
        self, function: Function, limiter: Limiter, quotas: Mapping[str, LimitPolicy], addresses: Addresses
    ) -> None:
        self._limiter = limiter
        self._addresses = addresses
        self._may_go_on = function.method == "GET"
        self._of_address = tuple(bucket for bucket in function.limits if quotas[bucket].per == "address")
        self._of_wallet = tuple(bucket for bucket in function.limits if quotas[bucket].per == "wallet")
        self._refusals = function.refusals
        self._at_the_door = (*self._of_address, *([] if self._refusals is None else [self._refusals]))
        self.policy = header_of(quotas[bucket] for bucket in function.buckets)

    def refuse_spent(self, req: Request) -> None:
        """Raise RateLimited if it is known here that the address has used up a bucket: nothing is asked for that."""
        if not self._limiter.any_spent or not self._at_the_door:
            return
        address = self._addresses.of(req)
        for bucket in self._at_the_door:
            decision = self._limiter.spent(bucket, address)
            if decision is not None:
                req.limits = (decision,)
                decision.enforce()

    def count(self, req: Request, session: SignedIn | None) -> None:
        """Count a request; raise RateLimited if a bucket is used up. Without a session its address is counted alone."""
        hits: list[Hit] = []
        if self._of_address:
            address = self._addresses.of(req)
            hits = [(bucket, address) for bucket in self._of_address]
        if session is not None:
            hits += [(bucket, session.wallet) for bucket in self._of_wallet]
        try:
            count_hits(req, self._limiter, *hits)
        except Unavailable:
            if not self._may_go_on:  # reads go on while nothing can be counted
                raise

    def count_refusal(self, req: Request, refusal: Refusal) -> None:
        """Count a request that was refused for what it is, unless it was accepted before; the refusal stands."""
        if self._refusals is None or req.accepted or refusal.retryable:
            return
        note_hits(req, self._limiter, (self._refusals, self._addresses.of(req)))


def count_hits(req: Request, limiter: Limiter, *hits: Hit) -> None:
    """Count a request and keep what is left for its header fields; raise RateLimited if a bucket is used up."""
    if not hits:
        return
    decisions = limiter.count(*hits)
    req.limits += decisions
    for decision in decisions:
        decision.enforce()


def note_hits(req: Request, limiter: Limiter, *hits: Hit) -> None:
    """Count a request that is refused already, whatever is left for it."""
    with suppress(Unavailable):
        req.limits += limiter.count(*hits)
