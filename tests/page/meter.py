"""A cable to the house that counts what comes through it until the browser asks for the stream."""

from __future__ import annotations

import socket
from contextlib import suppress
from threading import Event, Lock, Thread
from types import TracebackType
from typing import Self

STREAM = b"GET /api/stream"
CHUNK_BYTES = 65_536


class Meter:
    """Listen on a port of loopback and pass everything on; `bytes` came down it before the stream was asked for."""

    def __init__(self, port: int) -> None:
        """`port` is where the house listens on loopback."""
        self.bytes = 0
        self.stream_asked = Event()
        self._to = ("127.0.0.1", port)
        self._lock = Lock()
        self._door = socket.create_server(("127.0.0.1", 0))

    @property
    def url(self) -> str:
        """Where a browser finds it."""
        return f"http://127.0.0.1:{self._door.getsockname()[1]}"

    def __enter__(self) -> Self:
        Thread(target=self._listen, daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, ex: BaseException | None, at: TracebackType | None) -> None:
        with suppress(OSError):  # wakes whoever listens
            self._door.shutdown(socket.SHUT_RDWR)
        self._door.close()

    def _listen(self) -> None:
        while True:
            try:
                near, _ = self._door.accept()
            except OSError:
                return
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
