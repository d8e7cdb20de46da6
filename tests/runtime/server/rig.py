"""Run a gunicorn over the echo app and speak to it in bytes."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tests.waiting import wait_until

ROOT = Path(__file__).resolve().parents[3]
OURS = "runtime.server.TapWorker"
THEIRS = "gevent"
PATIENCE_S = 20.0


@dataclass(frozen=True)
class Server:
    """A running server."""

    worker: str
    port: int
    log: Path
    process: subprocess.Popen[bytes]

    def connect(self) -> socket.socket:
        """Open a connection."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE_S)

    def tell(self, *sends: bytes) -> bytes:
        """Send something in one or more packets, then nothing more; return all that comes back."""
        with self.connect() as client:
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            # A server may answer and close before it heard all.
            with suppress(BrokenPipeError, ConnectionResetError, OSError):
                for data in sends:
                    client.sendall(data)
                client.shutdown(socket.SHUT_WR)
            return read_all(client)

    def ask(self, path: str) -> bytes:
        """GET something and return the body."""
        return self.tell(get(path)).partition(b"\r\n\r\n")[2]


@contextmanager
def serving(folder: Path, worker: str, *options: str) -> Iterator[Server]:
    """Run a server until the end of the block; it must then stop cleanly, if it has not already."""
    log = folder / f"{worker}.log"
    command = [
        *(sys.executable, "-m", "gunicorn", "tests.runtime.server.echo:app", "-k", worker, "-b", "127.0.0.1:0"),
        *("--no-control-socket", "--graceful-timeout", "5" if worker == OURS else "1", "--keep-alive", "75", *options),
    ]
    with log.open("wb") as out:
        process = subprocess.Popen(
            command, cwd=ROOT, stdout=out, stderr=out, env={**os.environ, "PYTHONPATH": str(ROOT)}
        )
    try:
        found = wait_until(
            lambda: re.search(r"Listening at: http://[\d.]+:(\d+)", log.read_text()), PATIENCE_S, what="gunicorn"
        )
        assert found is not None
        server = Server(worker, int(found[1]), log, process)
        assert server.ask("/patched") == b"True", log.read_text()
        yield server
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(PATIENCE_S)
    assert process.returncode == 0, log.read_text()


def get(path: str, *fields: str, method: str = "GET") -> bytes:
    """Write a request without a body."""
    return "\r\n".join([f"{method} {path} HTTP/1.1", "Host: a", *fields, "", ""]).encode("latin-1")


def post(path: str, body: bytes, *fields: str) -> bytes:
    """Write a request with a body of known length."""
    return get(path, f"Content-Length: {len(body)}", *fields, method="POST") + body


def read_all(client: socket.socket) -> bytes:
    """Read to the end, be it a friendly one or not."""
    data = b""
    with suppress(ConnectionResetError):
        while piece := client.recv(65_536):
            data += piece
    return data


def read_until(client: socket.socket, end: bytes) -> bytes:
    """Read to a certain piece of text."""
    data = b""
    while end not in data:
        piece = client.recv(65_536)
        assert piece, data
        data += piece
    return data


def read_body(client: socket.socket) -> bytes:
    """Read one answer whose length is told, and return its body."""
    head, _, body = read_until(client, b"\r\n\r\n").partition(b"\r\n\r\n")
    found = re.search(rb"Content-Length: (\d+)", head)
    assert found is not None, head
    while len(body) < int(found[1]):
        body += client.recv(65_536)
    return body


def comparable(answer: bytes) -> bytes:
    """Return an answer without what differs from second to second."""
    return re.sub(rb"Date: [^\r]+", b"Date: *", answer)


def statuses(answer: bytes) -> Sequence[int]:
    """Return the status of each answer in what was read from a connection."""
    return [int(status) for status in re.findall(rb"HTTP/1\.\d (\d{3}) ", answer)]
