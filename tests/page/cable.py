"""A cable from a browser to a house: a port of loopback, at which each connection is passed on in both directions."""

from __future__ import annotations

import socket
from contextlib import suppress
from threading import Thread
from types import TracebackType
from typing import Self

CHUNK_BYTES = 65_536


class Cable:
    """Listen as a context; what becomes of a connection is for a subclass to say."""

    def __init__(self, port: int) -> None:
        """`port` is where the house listens on loopback."""
        self._to = ("127.0.0.1", port)
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
            self._take(near)

    def _take(self, near: socket.socket) -> None:
        """Begin to pass a browser's connection on."""
        raise NotImplementedError
