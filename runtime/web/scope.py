"""Middleware: a request's id and times on its way in, the common header fields and the counts on its way out."""

from __future__ import annotations

import secrets
from typing import Any

import falcon

from runtime.clock import Clock
from runtime.log import REQUEST_ID
from runtime.metrics.table import Metrics
from runtime.rate_limits import header_of
from runtime.web.incoming import Request

REQUEST_ID_LENGTH_MAX = 64
DATA_POLICY = "default-src 'none'; frame-ancestors 'none'"
"""Data that a browser shows as if it were a page runs nothing; nginx/clients.conf says the same."""
NO_FUNCTION = "none"
"""Name in the metrics of requests that reached no function (404, 405)."""


class RequestScope:
    """Give every request an id and its times; answer with the id; count it."""

    def __init__(self, clock: Clock, metrics: Metrics) -> None:
        self._clock = clock
        self._metrics = metrics

    def process_request(self, req: Request, _resp: falcon.Response) -> None:
        """Start the scope."""
        given: str | None = req.env.get("HTTP_X_REQUEST_ID")
        request_id = given if given is not None and _is_decent(given) else secrets.token_hex(8)
        req.request_id = request_id
        REQUEST_ID.set(request_id)
        req.received_ms = self._clock.now_ms()
        req.started_ms = self._clock.monotonic_ms()

    def process_response(self, req: Request, resp: falcon.Response, _resource: Any, _succeeded: bool) -> None:
        """End the scope."""
        resp.set_header("X-Request-Id", req.request_id)
        name = req.function.name if req.function is not None else NO_FUNCTION
        status = str(falcon.http_status_to_code(resp.status))
        self._metrics.count("taptrade_requests_total", name, status)
        self._metrics.observe("taptrade_request_seconds", (self._clock.monotonic_ms() - req.started_ms) / 1000, name)
        code = getattr(resp.context, "code", None)
        if code is not None:
            self._metrics.count("taptrade_errors_total", name, code)


class CommonHeaders:
    """Add what every answer carries: limits, and that nothing of it may be stored or sniffed."""

    def process_response(self, req: Request, resp: falcon.Response, _resource: Any, _succeeded: bool) -> None:
        """Add the header fields that are not there yet."""
        resp.set_header("X-Content-Type-Options", "nosniff")
        if resp.get_header("Cache-Control") is None:
            resp.set_header("Cache-Control", "no-store")
        # A browser is led to what is read, never to what is sent.
        if req.method == "GET" and resp.get_header("Content-Security-Policy") is None:
            resp.set_header("Content-Security-Policy", DATA_POLICY)
        if req.policy:
            resp.set_header("RateLimit-Policy", req.policy)
            if req.limits:
                resp.set_header("RateLimit", header_of(req.limits))


def _is_decent(text: str) -> bool:
    """Tell whether a caller's id may go into logs and header fields: short, of letters, digits, `-`, `_` and `.`."""
    return (
        0 < len(text) <= REQUEST_ID_LENGTH_MAX
        and text.isascii()
        and text.replace("-", "").replace("_", "").replace(".", "").isalnum()
    )
