"""What the server answers by itself, as problem+json: a request that cannot be read, a function that broke off."""

from __future__ import annotations

import logging
import secrets
from typing import Any

from gunicorn.http.errors import (
    ConfigurationProblem,
    ExpectationFailed,
    ForbiddenProxyRequest,
    InvalidResponseHeader,
    InvalidResponseHeaderName,
    LimitRequestHeaders,
    LimitRequestLine,
    ParseException,
    UnsupportedTransferCoding,
)

from runtime.error_codes import CODES, plain_code
from runtime.errors import Refusal
from runtime.log import REQUEST_ID
from runtime.server.answer import date
from runtime.web.answers import PROBLEM_JSON, http_status, plain_problem

logger = logging.getLogger(__name__)

STATUSES: tuple[tuple[type[Exception], int], ...] = (
    (LimitRequestLine, 414),
    (LimitRequestHeaders, 431),
    (ExpectationFailed, 417),
    (UnsupportedTransferCoding, 501),
    (ForbiddenProxyRequest, 403),
    # How we are set up, and what a function tried to send, is no fault of the client's.
    (ConfigurationProblem, 500),
    (InvalidResponseHeader, 500),
    (InvalidResponseHeaderName, 500),
    (ParseException, 400),
)
"""Which status tells an error: the first that fits, 500 where none does."""
SAID_CHARACTERS_MAX = 200


def problem_answer(error: BaseException, request: Any, address: str) -> bytes:
    """Log in one line what ended a request, and return the whole answer to it; `request` is None if it was not read."""
    if isinstance(error, Refusal):  # of its body, which was logged and which its function had no answer to
        status, detail = error.status, error.detail
    else:
        status = next((status for kind, status in STATUSES if isinstance(error, kind)), 500)
        detail = _crashed(error, request) if status == 500 else _refused(error, status, address)
    return _answer(status, detail, with_body=getattr(request, "method", "") != "HEAD")


def _crashed(error: BaseException, request: Any) -> str:
    method, uri = getattr(request, "method", "?"), getattr(request, "uri", "?")
    logger.error("error handling %s %s", method, uri, exc_info=error)
    return CODES["INTERNAL_ERROR"].meaning


def _refused(error: BaseException, status: int, address: str) -> str:
    said = str(error)[:SAID_CHARACTERS_MAX]
    REQUEST_ID.set(secrets.token_hex(8))  # else it is that of the request before on this connection
    logger.warning("request refused: %s", said, extra={"fields": {"address": address, "status": status}})
    code = plain_code(status)
    return f"The request cannot be read: {said}." if code == "INVALID_REQUEST" else CODES[code].meaning


def _answer(status: int, detail: str, *, with_body: bool) -> bytes:
    request_id = REQUEST_ID.get() or secrets.token_hex(8)
    body = plain_problem(status, detail, request_id)
    lines = (
        f"HTTP/1.1 {http_status(status)}",
        f"Date: {date()}",
        "Connection: close",
        f"Content-Type: {PROBLEM_JSON}",
        f"Content-Length: {len(body)}",
        "Cache-Control: no-store",
        "X-Content-Type-Options: nosniff",
        f"X-Request-Id: {request_id}",
    )
    head = "".join(f"{line}\r\n" for line in (*lines, "")).encode()
    return head + body if with_body else head
