"""A request's body whose errors a function can answer: they are the client's, and say so."""

from __future__ import annotations

import logging
from io import BytesIO
from typing import Any

from gunicorn.http.body import Body, LengthReader
from gunicorn.http.errors import ParseException
from gunicorn.http.unreader import SocketUnreader

from runtime.errors import InvalidRequest
from runtime.server.connection import Connection
from runtime.server.head import PlainRequest

logger = logging.getLogger(__name__)
DRAIN_BYTES = 8_192


class BodyReader:
    """gunicorn's reader of a body. After an error nobody can tell where the next request begins: this was the last."""

    def __init__(self, reader: Any, request: Any, address: str) -> None:
        self._reader = reader
        self._request = request
        self._address = address

    def read(self, size: int) -> bytes:
        """Read up to so many bytes; raise InvalidRequest if they are no body, or do not come."""
        try:
            data: bytes = self._reader.read(size)
        except ParseException as ex:
            raise self._refused(f"The body's chunks cannot be read: {ex}.") from ex
        except OSError as ex:
            raise self._refused("The body ended before its last chunk, or the client left.") from ex
        return data

    def _refused(self, detail: str) -> InvalidRequest:
        self._request.force_close()
        logger.warning("body refused: %s", detail, extra={"fields": {"address": self._address}})
        return InvalidRequest(detail, field="$")


def drain(body: Body) -> bool:
    """Read what the app left, to come to the next request; False if nobody can tell where that begins."""
    try:
        while not body.failed and body.read(DRAIN_BYTES):
            pass
    except InvalidRequest:  # the answer has gone out, and needs no second one
        return False
    return not body.failed


def give_body(request: PlainRequest, client: Connection, addr: Any, data: bytes) -> SocketUnreader | None:
    """Give the request its body; return what reads the connection on, if the body is not here as a whole."""
    body = data[request.body_start : request.body_start + request.length]
    if len(body) == request.length:
        request.environ["wsgi.input"] = request.body = BytesIO(body)
        return None
    unreader = SocketUnreader(client)
    unreader.unread(body)
    reader = BodyReader(LengthReader(unreader, request.length), request, host_of(addr))
    request.environ["wsgi.input"] = request.body = Body(reader)
    return unreader


def host_of(addr: Any) -> str:
    """Return a client's address; those on a Unix socket have none."""
    return str(addr[0]) if isinstance(addr, tuple) else ""
