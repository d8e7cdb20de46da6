"""An app that answers with a word of the functions that its worker has taken up."""

from __future__ import annotations

import importlib
import os
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import gevent

WORD = importlib.import_module("functions.which").WORD


def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Answer; `/wait?FILE` once there is such a file, `/events` without an end."""
    if environ["PATH_INFO"] == "/events":
        start_response("200 OK", [("Content-Type", "text/event-stream")])
        return _events()
    began = Path(environ["QUERY_STRING"])
    if environ["PATH_INFO"] == "/wait":
        began.with_suffix(".begun").touch()
        while not began.exists():
            gevent.sleep(0.01)
    body = f"{WORD} {os.getpid()} ".encode() + environ["wsgi.input"].read()
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    return [body]


def _events() -> Iterator[bytes]:
    while True:
        yield f"data: {WORD} {time.monotonic()}\n\n".encode()
        gevent.sleep(0.05)
