"""What goes out: handlers' answers, and every error as problem+json."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import falcon
import msgspec

from runtime.error_codes import CODES, plain_code
from runtime.errors import Refusal, Unavailable
from runtime.web.declaration import Function, Reply, Stream
from runtime.web.incoming import Request

logger = logging.getLogger(__name__)

JSON = "application/json"
PROBLEM_JSON = "application/problem+json"
RETRY_AFTER_S = 1
"""Retry-After of a retryable refusal that does not know better."""
STREAM_HEADERS = {
    "Cache-Control": "no-cache, no-transform",
    "X-Accel-Buffering": "no",
}
_encode = msgspec.json.Encoder().encode


def write_answer(req: Request, resp: falcon.Response, function: Function, answer: Any) -> None:
    """Write what a handler returned."""
    if isinstance(answer, msgspec.Struct):
        resp.data = _encode(answer)
        resp.content_type = JSON
        resp.status = function.status
    elif isinstance(answer, Reply):
        _write_reply(resp, function, answer)
    elif isinstance(answer, Stream):
        _write_stream(req, resp, answer)
    elif answer is None:
        resp.status = 204
    else:
        whose = f"{function.name} in functions/{Path(function.file).name}"
        raise TypeError(f"{whose} returned {type(answer).__name__}; return a Struct, Reply, Stream or None")


def _write_reply(resp: falcon.Response, function: Function, reply: Reply) -> None:
    body = reply.body
    if isinstance(body, bytes):
        resp.data = body
    elif isinstance(body, str):
        resp.data = body.encode()
    elif body is not None:
        resp.data = _encode(body)
    resp.status = reply.status or (204 if body is None else function.status)
    if body is not None:
        resp.content_type = reply.content_type or function.media
    for name, value in reply.headers.items():
        resp.set_header(name, value)


def _write_stream(req: Request, resp: falcon.Response, stream: Stream) -> None:
    resp.content_type = stream.content_type
    for name, value in (STREAM_HEADERS | dict(stream.headers)).items():
        resp.set_header(name, value)
    if req.method == "HEAD":  # Falcon drops the body of a HEAD, and nobody would close it
        close = getattr(stream.iterator, "close", None)
        if close is not None:
            close()
        return
    resp.stream = stream.iterator


def write_refusal(req: Request, resp: falcon.Response, refusal: Refusal, _fields: dict[str, Any]) -> None:
    """Write a refusal as problem+json."""
    resp.status = refusal.status
    resp.data = _encode(refusal.problem(req.request_id))
    resp.content_type = PROBLEM_JSON
    resp.text = None
    resp.stream = None
    if refusal.retry_after_s is not None or refusal.retryable:
        resp.set_header("Retry-After", str(refusal.retry_after_s or RETRY_AFTER_S))
    if refusal.status == 401:
        resp.set_header("WWW-Authenticate", 'Bearer realm="taptrade"')
    resp.context.code = refusal.code


def write_http_error(req: Request, resp: falcon.Response, error: falcon.HTTPError) -> None:
    """Write one of Falcon's own errors (no such address, wrong method, ...) as problem+json."""
    code = plain_code(error.status_code)
    resp.data = plain_problem(error.status_code, error.description or CODES[code].meaning, req.request_id)
    resp.content_type = PROBLEM_JSON
    resp.context.code = code


def plain_problem(status: int, detail: str, request_id: str) -> bytes:
    """Build the problem of an HTTP error that has no code of its own."""
    return _encode(
        {
            "type": "about:blank",
            "title": http_status(status)[4:],
            "status": status,
            "code": plain_code(status),
            "detail": detail,
            "request_id": request_id,
            "retryable": False,
        }
    )


def http_status(status: int) -> str:
    """Return a status with its phrase, such as `404 Not Found`."""
    text: str = falcon.code_to_http_status(status)
    return text


def write_outage(req: Request, resp: falcon.Response, error: Exception, _fields: dict[str, Any]) -> None:
    """Answer 503 when a part that others depend on (Redis) is away."""
    logger.warning("a part is away: %s: %s", type(error).__name__, error)
    write_refusal(req, resp, Unavailable(retry_after_s=RETRY_AFTER_S), _fields)


def write_crash(req: Request, resp: falcon.Response, error: Exception, _fields: dict[str, Any]) -> None:
    """Answer 500 without a word about the inside; the log has it, under the request's id."""
    logger.error("unhandled error in %s %s", req.method, req.path, exc_info=error)
    resp.stream = None
    resp.text = None
    resp.status = 500
    write_http_error(req, resp, falcon.HTTPInternalServerError())
