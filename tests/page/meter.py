"""A cable to the house that counts what comes through it until the browser asks for the stream."""

from __future__ import annotations

import socket
from contextlib import suppress
from threading import Event, Lock, Thread

from tests.page.cable import CHUNK_BYTES, Cable

STREAM = b"GET /api/stream"


class Meter(Cable):
    """Listen on a port of loopback and pass everything on; `bytes` came down it before the stream was asked for."""

    def __init__(self, port: int) -> None:
        """`port` is where the house listens on loopback."""
        super().__init__(port)
        self.bytes = 0
        self.stream_asked = Event()
        self._lock = Lock()

    def _take(self, near: socket.socket) -> None:
        far = socket.create_connection(self._to)
        Thread(target=self._pass_up, args=(near, far), daemon=True).start()
        Thread(target=self._pass_down, args=(far, near), daemon=True).start()

    def _pass_up(self, near: socket.socket, far: socket.socket) -> None:
        with far, suppress(OSError):
            while data := near.recv(CHUNK_BYTES):
                if STREAM in data:
                    self.stream_asked.set()
                far.sendall(data)
            far.shutdown(socket.SHUT_RDWR)

    def _pass_down(self, far: socket.socket, near: socket.socket) -> None:
        with near, suppress(OSError):
            while data := far.recv(CHUNK_BYTES):
                if not self.stream_asked.is_set():
                    with self._lock:
                        self.bytes += len(data)
                near.sendall(data)
            near.shutdown(socket.SHUT_RDWR)
