"""Who asks at a Unix socket is answered alike, and believed: only who is let in can open it."""

from __future__ import annotations

import json
import socket
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.runtime.server.rig import OURS, PATIENCE_S, get, post, read_body, serving

HTTPS = "X-Forwarded-Proto: https"
CHUNKED = get("/echo", "Transfer-Encoding: chunked", HTTPS, method="POST") + b"3\r\nabc\r\n0\r\n\r\n"


@pytest.fixture(scope="module")
def path() -> Iterator[Path]:
    """Run our server with a socket beside its port, and return where that is."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "api.sock")
        with serving(Path(folder), OURS, "-b", f"unix:{path}", "--umask", "0o177"):
            yield path


def echoed(client: socket.socket, request: bytes) -> dict[str, Any]:
    """Return what a server understood of a request."""
    client.sendall(request)
    found: dict[str, Any] = json.loads(read_body(client))
    return found


def test_it_is_for_its_owner_alone(path: Path) -> None:
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_client_there_has_no_address_and_is_believed(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(PATIENCE_S)
        client.connect(str(path))
        first = echoed(client, get("/echo", HTTPS))
        assert (first["REMOTE_ADDR"], first["wsgi.url_scheme"]) == ("", "https")
        assert first["SERVER_NAME"] == "localhost"  # gunicorn's long way would have taken it from Host
        assert "REMOTE_PORT" not in first["names"].split()
        assert echoed(client, post("/echo", b"abc"))["body"] == "abc"
        # What is not plain goes gunicorn's way, on the same connection.
        long_way = echoed(client, CHUNKED)
        assert (long_way["REMOTE_ADDR"], long_way["wsgi.url_scheme"], long_way["body"]) == ("", "https", "abc")
        assert echoed(client, get("/echo"))["wsgi.url_scheme"] == "http"
