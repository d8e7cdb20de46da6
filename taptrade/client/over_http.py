"""How a call goes over HTTP, and what its answer is read as: the same for a blocking and an awaiting client."""

from __future__ import annotations

import ssl
from http.cookiejar import CookieJar, DefaultCookiePolicy
from types import NoneType
from typing import Any, TypedDict, cast
from urllib.parse import urlsplit

import httpx
import msgspec

from taptrade.client.calls import Call, T
from taptrade.client.problems import ApiError, api_error

TIMEOUT_S = 10.0
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class Settings(TypedDict):
    """What httpx's clients are made with, whichever of the two."""

    timeout: httpx.Timeout
    trust_env: bool
    verify: ssl.SSLContext
    cookies: CookieJar


def settings(url: str, timeout: httpx.Timeout | None = None) -> Settings:
    """Return how to speak to a server."""
    return {
        "timeout": timeout or httpx.Timeout(TIMEOUT_S),
        "trust_env": may_use_proxy(url),
        # SSL_CERT_FILE names whom to trust, at this machine's own addresses too.
        "verify": httpx.create_ssl_context(),
        # The token alone says who asks; the session's cookie is for browsers.
        "cookies": CookieJar(DefaultCookiePolicy(allowed_domains=[])),
    }


class Request(TypedDict):
    """The arguments of httpx's `request`."""

    method: str
    url: str
    content: bytes | None
    params: dict[str, str]
    headers: dict[str, str]


def request(url: str, call: Call[Any], token: str) -> Request:
    """Write a call, with the session behind `token` if there is one."""
    headers = dict(call.headers)
    if token:
        headers["Authorization"] = f"Bearer {token}"
    if call.body is not None:
        headers["Content-Type"] = "application/json"
    content = None if call.body is None else msgspec.json.encode(call.body)
    return {
        "method": call.method,
        "url": url + call.path,
        "content": content,
        "params": dict(call.query),
        "headers": headers,
    }


def read(call: Call[T], response: httpx.Response) -> T:
    """Read the answer; raise ApiError where it is a refusal, or not taptrade's."""
    if not response.is_success:
        raise api_error(response)
    if call.answer is NoneType:
        return cast("T", None)
    try:
        return msgspec.json.decode(response.content, type=call.answer)
    except msgspec.DecodeError as ex:
        detail = f"{call.path} answers otherwise than taptrade does: {ex}"
        raise ApiError(response.status_code, f"HTTP_{response.status_code}", detail, {}, None) from ex


def unpacked(ex: httpx.DecodingError) -> httpx.ReadError:
    """Return what an answer that cannot be unpacked is: as lost as one that did not come."""
    return httpx.ReadError(f"the answer cannot be unpacked: {ex}", request=ex.request)


def may_use_proxy(url: str) -> bool:
    """Tell whether a proxy named in the environment may be asked: it cannot reach our own loopback."""
    return urlsplit(url).hostname not in _LOOPBACK
