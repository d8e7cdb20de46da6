"""A proxy before a PostgreSQL that stops at a moment of the test's choice."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress


class Cutter:
    """Carry bytes to and fro."""

    def __init__(self, server: str) -> None:
        """`server` is the path of its socket."""
        self._server = server
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listening.getsockname()[1])
        self._going = threading.Event()
        self._going.set()

    def stall(self) -> None:
        """Carry nothing on, and keep every connection: as a server that is stopped, or behind a partition."""
        self._going.clear()

    def go_on(self) -> None:
        """Carry on what was held up."""
        self._going.set()

    def run(self) -> None:
        """Serve until closed."""
        with suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def close(self) -> None:
        """Take no more connections."""
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()

    def _serve(self, client: socket.socket) -> None:
        with client, socket.socket(socket.AF_UNIX) as server, suppress(OSError):
            server.connect(self._server)
            threading.Thread(target=self._answer, args=(server, client), daemon=True).start()
            while data := client.recv(1 << 16):
                self._going.wait()
                server.sendall(data)
            for one in (client, server):
                one.shutdown(socket.SHUT_RDWR)

    @staticmethod
    def _answer(server: socket.socket, client: socket.socket) -> None:
        with suppress(OSError):
            while data := server.recv(1 << 16):
                client.sendall(data)
            client.shutdown(socket.SHUT_RDWR)


@contextmanager
def cutting(server: str) -> Iterator[Cutter]:
    """Run a proxy for the length of the block."""
    cutter = Cutter(server)
    threading.Thread(target=cutter.run, daemon=True).start()
    try:
        yield cutter
    finally:
        cutter.close()
