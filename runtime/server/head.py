"""Read the head of a plain request; whatever is not plain beyond doubt is left to gunicorn's parser.

Plain is a strict subset of what gunicorn accepts, read to the same environ. The two can therefore differ in speed
only, never in where a request ends or in what it says: a head that could be read in two ways is not plain.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote_to_bytes

HEAD_BYTES_MAX = 4_094
"""gunicorn's limit for the request line. A whole head within it has no line that is over a limit."""
FIELDS_MAX = 100
LENGTH_DIGITS_MAX = 15
METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"))
NOT_PLAIN = frozenset(("TRANSFER-ENCODING", "EXPECT", "UPGRADE", "HTTP2-SETTINGS"))
_TOKEN = re.compile(r"[!#$%&'*+\-.^`|~0-9A-Za-z]+")  # RFC 9110, but for `_`, which `-` becomes in an environ
_KEYS_MAX = 1_000
_KEY_LENGTH_MAX = 64
_keys: dict[str, str] = {}
"""The environ's keys of the plain field names met so far."""


class PlainRequest:
    """What gunicorn's response and error page ask of a request."""

    __slots__ = ("body", "body_start", "closing", "environ", "length", "method", "query", "uri")

    version = (1, 1)
    headers: tuple[tuple[str, str], ...] = ()

    def __init__(self, method: str, uri: str, query: str, environ: dict[str, Any]) -> None:
        self.method = method
        self.uri = uri
        self.query = query
        self.environ = environ
        self.body: Any = None
        self.body_start = 0
        self.length = 0
        self.closing = False

    def take_environ(self) -> dict[str, Any]:
        """Hand the environ over. It leads back here, and a cycle would be left to the garbage collector."""
        environ, self.environ = self.environ, {}
        return environ

    def force_close(self) -> None:
        """Let this be the last request of its connection."""
        self.closing = True

    def should_close(self) -> bool:
        """Tell whether the client wants the connection closed after the answer."""
        return self.closing


def read_head(data: bytes, origin: Mapping[str, Any], schemes: Mapping[str, str]) -> PlainRequest | None:
    """Read the head at the start of `data`; None when it is not complete or not plain.

    `origin` is the part of the environ that all requests of the connection share, `schemes` the environ's keys of the
    fields by which this client may say that it was asked over TLS, each with the value that says so.
    """
    end = data.find(b"\r\n\r\n")
    if not 0 < end <= HEAD_BYTES_MAX:
        return None
    lines = data[:end].decode("latin-1").split("\r\n")
    text = "".join(lines)
    # Neither control characters, among them tab, CR and LF on their own, nor anything beyond ASCII.
    if not text.isascii() or not text.isprintable() or len(lines) > FIELDS_MAX:
        return None
    request = _read_request_line(lines[0], origin)
    if request is None or not _read_fields(lines, request.environ) or not _read_meaning(request, schemes):
        return None
    request.body_start = end + 4
    return request


def _read_request_line(line: str, origin: Mapping[str, Any]) -> PlainRequest | None:
    words = line.split(" ")
    if len(words) != 3:
        return None
    method, uri, version = words
    if version != "HTTP/1.1" or method not in METHODS or uri[:1] != "/" or uri[:2] == "//" or "#" in uri:
        return None
    path, _, query = uri.partition("?")
    if "%" in path:
        path = unquote_to_bytes(path).decode("latin-1")
    environ = dict(origin)
    environ["REQUEST_METHOD"] = method
    environ["RAW_URI"] = uri
    environ["PATH_INFO"] = path
    environ["QUERY_STRING"] = query
    return PlainRequest(method, uri, query, environ)


def _read_fields(lines: list[str], environ: dict[str, Any]) -> bool:
    """Put the header fields into the environ; False when one of them is odd or repeated."""
    fields = iter(lines)
    next(fields)
    for line in fields:
        name, colon, value = line.partition(":")
        key = _keys.get(name) or _key(name)
        if not colon or key is None or key in environ:
            return False
        environ[key] = value.strip(" ")
    return True


def _key(name: str) -> str | None:
    """Return the environ's key of a field; None for names that are not plain."""
    upper = name.upper()
    if not _TOKEN.fullmatch(name) or upper in NOT_PLAIN:
        return None
    key = upper.replace("-", "_")
    if upper not in {"CONTENT-TYPE", "CONTENT-LENGTH"}:
        key = "HTTP_" + key
    if len(name) <= _KEY_LENGTH_MAX:
        if len(_keys) >= _KEYS_MAX:  # somebody makes names up
            _keys.clear()
        _keys[name] = key
    return key


def _read_meaning(request: PlainRequest, schemes: Mapping[str, str]) -> bool:
    """Take from the fields what concerns the connection; False when it is odd."""
    environ = request.environ
    if "HTTP_HOST" not in environ:
        return False
    length = environ.get("CONTENT_LENGTH")
    if length is not None:
        if not length.isdigit() or len(length) > LENGTH_DIGITS_MAX:
            return False
        request.length = int(length)
    connection = environ.get("HTTP_CONNECTION")
    if connection is not None:
        connection = connection.lower()
        if connection not in {"close", "keep-alive"}:
            return False
        request.closing = connection == "close"
    said = [environ[key] == secure for key, secure in schemes.items() if key in environ]
    if said:
        environ["wsgi.url_scheme"] = "https" if said[0] else "http"
    return len(said) <= 1
