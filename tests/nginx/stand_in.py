"""An API to stand behind nginx in tests: it answers, streams, breaks off or keeps silent, and remembers all it got."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self


class StandIn:
    """The server, on a free port of loopback.

    `/readyz` says whether `is_ready`, `/drop` breaks off, `/hang` keeps silent, `/api/stream` sends one event at once
    and one when `go_on` is set, everything else tells what arrived, with a field X-Hold not before `go_on` is set.
    """

    def __init__(self) -> None:
        self.requests: list[tuple[str, str]] = []
        self.is_ready = True
        self.go_on = threading.Event()
        self.ending = threading.Event()
        self._server = _Server(self)
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.ending.set()
        self.go_on.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def count(self, method: str, path: str) -> int:
        """Return how often a request arrived."""
        return self.requests.count((method, path))


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, stand_in: StandIn) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.stand_in = stand_in

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Keep quiet about connections that nginx closes."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def do_GET(self) -> None:
        """Answer any request."""
        stand_in = self.server.stand_in
        stand_in.requests.append((self.command, self.path))
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path == "/drop":
            self.close_connection = True
        elif self.path == "/hang":
            stand_in.ending.wait(10)
            self.close_connection = True
        elif self.path == "/api/stream":
            self._stream()
        elif self.path == "/readyz":
            self._answer(200 if stand_in.is_ready else 503, "application/json", b"{}")
        elif self.path == "/page":
            self._answer(200, "text/html; charset=utf-8", b"<p>page")
        elif self.path == "/api/nothing":
            self._answer(404, "application/problem+json", b'{"code":"NOT_FOUND","from":"api"}')
        else:
            if "X-Hold" in self.headers:
                stand_in.go_on.wait(10)
            told = {"headers": {name.lower(): value for name, value in self.headers.items()}, "bytes": len(body)}
            self._answer(200, "application/json", json.dumps(told).encode())

    do_POST = do_OPTIONS = do_GET  # noqa: N815  http.server calls it so

    def _answer(self, status: int, content_type: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("X-Request-Id", self.headers.get("X-Request-Id", ""))
        self.end_headers()
        self.wfile.write(body)

    def _stream(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("X-Accel-Buffering", "no")
        self.send_header("Cache-Control", "no-cache, no-transform")
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(b"event: hello\ndata: 1\n\n")
        self.server.stand_in.go_on.wait(10)
        self.wfile.write(b"event: price\ndata: 2\n\n")

    def log_message(self, *_: Any) -> None:
        """Keep quiet."""
