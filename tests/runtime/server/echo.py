"""A WSGI app with every manner of answer, good and bad, for the servers that are compared."""

from __future__ import annotations

import gc
import json
import os
import socket
import time
from collections import Counter
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import gevent
import gevent.socket

from tests.runtime.server.offered import Left, Offered
from tests.runtime.server.woken import woken

Environ = dict[str, Any]
Start = Callable[..., Callable[[bytes], None]]
TEXT = ("Content-Type", "text/plain")
NOT_COMPARABLE = {"REMOTE_PORT", "SERVER_PORT", "HTTP_HOST", "gunicorn.socket", "wsgi.errors"}

served = 0
opened: Counter[str] = Counter()


def text(start: Start, body: bytes, status: str = "200 OK", *headers: tuple[str, str]) -> list[bytes]:
    """Answer with a text of known length."""
    start(status, [TEXT, ("Content-Length", str(len(body))), *headers])
    return [body]


def echo(environ: Environ, start: Start) -> list[bytes]:
    """Tell all that was understood of the request."""
    body = environ["wsgi.input"].read()
    said = {
        name: value if isinstance(value, str | bool | int) else type(value).__name__
        for name, value in environ.items()
        if name not in NOT_COMPARABLE and name not in {"wsgi.input", "wsgi.early_hints"}
    }
    said["body"] = body.decode("latin-1")
    said["names"] = " ".join(sorted(environ))
    return text(start, json.dumps(said, sort_keys=True).encode())


def lines(environ: Environ, start: Start) -> list[bytes]:
    """Read the body in every way that a file can be read."""
    body = environ["wsgi.input"]
    parts = [
        body.read(3),
        body.readline(),
        body.readline(2),
        next(body, b""),
        *body.readlines(),
        body.read(),
        body.read(5),
    ]
    return text(start, repr(parts).encode())


def first_bytes(environ: Environ, start: Start) -> list[bytes]:
    """Read a part of the body."""
    return text(start, environ["wsgi.input"].read(4))


def unread(_environ: Environ, start: Start) -> list[bytes]:
    """Leave the body alone."""
    return text(start, b"not read")


def count(_environ: Environ, start: Start) -> list[bytes]:
    """Tell how many were counted before."""
    global served  # noqa: PLW0603
    served += 1
    return text(start, b"%d" % served)


def block(environ: Environ, start: Start) -> list[bytes]:
    """Hold the whole worker up until a file appears."""
    _wait_for(environ, lambda: None)
    return text(start, b"unblocked")


def wait(environ: Environ, start: Start) -> list[bytes]:
    """Be busy until a file appears; others are served meanwhile."""
    _wait_for(environ, lambda: gevent.sleep(0.01))
    return text(start, b"waited")


def _wait_for(environ: Environ, pause: Callable[[], object]) -> None:
    begun, path = (Path(name) for name in environ["QUERY_STRING"].split(","))
    begun.touch()
    deadline_s = time.monotonic() + 20
    while not path.exists() and time.monotonic() < deadline_s:
        pause()


class Events:
    """An endless stream that knows whether it was closed."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._number = 0
        opened[name] += 1

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        if self._number:
            gevent.sleep(3600 if self._name.startswith("quiet") else 0.01)
        self._number += 1
        return b"data: %d\n\n" % self._number + b"\n" * (100_000 if self._name.startswith("flood") else 0)

    def close(self) -> None:
        """Count it out."""
        opened[self._name] -= 1


def events(environ: Environ, start: Start) -> Events:
    """Send events for ever."""
    start("200 OK", [("Content-Type", "text/event-stream")])
    return Events(environ["QUERY_STRING"])


def offers(environ: Environ, start: Start) -> Offered:
    """Send some events past the stream's own greenlet."""
    start("200 OK", [("Content-Type", "text/event-stream")])
    return Offered(environ["gunicorn.socket"].sink, int(environ["QUERY_STRING"]))


def left(environ: Environ, start: Start) -> Left:
    """Send some events of a stream that its own greenlet leaves."""
    start("200 OK", [("Content-Type", "text/event-stream")])
    return Left(environ["gunicorn.socket"].sink, environ["QUERY_STRING"], opened)


def sink(environ: Environ, start: Start) -> list[bytes]:
    """Tell whether others than its greenlet may send this answer."""
    return text(start, str(environ["gunicorn.socket"].sink is not None).encode())


def streams(environ: Environ, start: Start) -> list[bytes]:
    """Tell how many streams of a name are open."""
    return text(start, b"%d" % opened[environ["QUERY_STRING"]])


def pid(_environ: Environ, start: Start) -> list[bytes]:
    """Tell which process answers."""
    return text(start, b"%d" % os.getpid())


def garbage(environ: Environ, start: Start) -> list[bytes]:
    """Stop the garbage collector, or start it again and tell what it finds."""
    if environ["QUERY_STRING"] == "leave":
        gc.collect()
        gc.disable()
        return text(start, b"left")
    gc.enable()
    return text(start, b"%d" % gc.collect())


def patched(_environ: Environ, start: Start) -> list[bytes]:
    """Tell whether the standard library is gevent's."""
    whole = socket.socket is gevent.socket.socket and time.sleep is gevent.sleep
    return text(start, str(whole).encode())


def pieces(environ: Environ, start: Start) -> Iterator[bytes]:
    """Send three pieces, one of them empty, of a length that is told or not."""
    told = [("Content-Length", "8")] if environ["QUERY_STRING"] == "told" else []
    start("200 OK", [TEXT, *told])
    yield b"one "
    yield b""
    yield b"two "


def big(_environ: Environ, start: Start) -> list[bytes]:
    """Send more than the kernel takes at once."""
    return text(start, b"0123456789abcdef" * 500_000)


def file(environ: Environ, start: Start) -> Any:
    """Send what is in a file."""
    start("200 OK", [TEXT])
    return environ["wsgi.file_wrapper"](BytesIO(b"from a file"), 4)


def written(_environ: Environ, start: Start) -> list[bytes]:
    """Use the old way to write."""
    write = start("200 OK", [TEXT])
    write(b"written ")
    return [b"returned"]


def hints(environ: Environ, start: Start) -> list[bytes]:
    """Send an early hint before the answer."""
    environ["wsgi.early_hints"]([("Link", "</a.css>; rel=preload")])
    return text(start, b"hinted")


def status(environ: Environ, start: Start) -> list[bytes]:
    """Answer with the status of the query, with a body whether it may have one or not."""
    return text(start, b"body", environ["QUERY_STRING"].replace("%20", " "))


def header(environ: Environ, start: Start) -> list[bytes]:
    """Answer with a field that is not allowed."""
    bad = {
        "value": ("X-Bad", "a\r\nX-Smuggled: b"),
        "name": ("X Bad", "a"),
        "hop": ("Connection", "close"),
        "type": ("X-Bad", 1),
        "space": ("X-Good", " a\t"),
    }
    return text(start, b"headers", "200 OK", bad[environ["QUERY_STRING"]])  # type: ignore[arg-type]


def length(environ: Environ, start: Start) -> list[bytes]:
    """Say another length than there is."""
    start("200 OK", [TEXT, ("Content-Length", environ["QUERY_STRING"])])
    return [b"abc", b"def"]


def untold(_environ: Environ, start: Start) -> list[bytes]:
    """Say no length."""
    start("200 OK", [TEXT])
    return [b"abc", b"", b"def"]


def nothing(_environ: Environ, start: Start) -> list[bytes]:
    """Answer without a body or its length."""
    start("200 OK", [TEXT])
    return []


class Mishap(Exception):
    """What goes wrong in an app."""


def crash(environ: Environ, start: Start) -> Any:
    """Fail, sooner or later."""
    when = environ["QUERY_STRING"]
    if when == "start":
        start("200 OK", [TEXT])
    if when == "late":
        start("200 OK", [TEXT])
        return _then_crash()
    if when == "type":
        start("200 OK", [TEXT])
        return [b"good", "bad"]
    if when == "silent":
        return [b"no start"]
    if when == "twice":
        start("200 OK", [TEXT])
        start("200 OK", [TEXT])
    if when == "timeout":
        raise gevent.Timeout
    if when == "oserror":
        raise OSError(5, "disk")
    raise Mishap(when)


def _then_crash() -> Iterator[bytes]:
    yield b"begun"
    raise Mishap


def replaced(_environ: Environ, start: Start) -> list[bytes]:
    """Take the first answer back."""
    start("200 OK", [("X-First", "1"), TEXT])
    try:
        raise Mishap
    except Mishap as ex:
        start("418 Teapot", [("X-Second", "2"), ("Content-Length", "3")], (type(ex), ex, ex.__traceback__))
    return [b"tea"]


def leave(_environ: Environ, _start: Start) -> list[bytes]:
    """Try to end the process."""
    raise SystemExit(3)


ROUTES: dict[str, Callable[[Environ, Start], Any]] = {
    f"/{route.__name__}": route
    for route in (
        *(echo, lines, first_bytes, unread, count, block, wait, events, offers, left, sink, streams, pid),
        *(garbage, patched, pieces, big, woken),
        *(file, written, hints, status, header, length, untold, nothing, crash, replaced, leave),
    )
}


def app(environ: Environ, start: Start) -> Any:
    """Answer."""
    return ROUTES.get(environ["PATH_INFO"], echo)(environ, start)
