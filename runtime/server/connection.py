"""A client's socket that is waited for only so long, and the same socket on loan to gunicorn's own path."""

from __future__ import annotations

import math
import time
from contextlib import suppress
from typing import Any

from gevent import socket

from runtime.web.sink import Sink

READ_BYTES = 8_192
NEVER = math.inf


class _Dismissed(OSError):
    """Thrown at the wait for a next request that nobody waits for any longer."""


class Connection(socket.socket):  # type: ignore[misc]
    """A connection to a client: it is due when what it is waited for should have come.

    Nobody is woken by a timer, which every request would have to start and stop. The worker looks once a second for
    clients that are due and ends them; whoever waits then reads the end of the data, or fails to write on.
    """

    __slots__ = ("_allowance_s", "_ended", "_read_due_s", "_reading", "due_s", "idle", "quiet", "send_s", "sink")

    def __init__(self, accepted: socket.socket, send_s: float) -> None:
        super().__init__(accepted.family, accepted.type, accepted.proto, fileno=accepted.detach())
        self.send_s = send_s
        self.due_s = NEVER
        self.idle = False
        self.quiet = False
        """Whether the wait for a next request was given up, and not by the client."""
        self.sink: Sink | None = None
        """The answer that is under way, while it takes chunks from others than its own greenlet."""
        self._allowance_s = NEVER
        self._read_due_s = NEVER
        self._reading = False
        self._ended = False

    def allow(self, seconds: float) -> None:
        """Allow that long for all that is read from here on, counted from the first time that it lets us wait."""
        self._allowance_s = seconds
        self._read_due_s = NEVER

    def receive(self, idle_s: float) -> bytes:
        """Wait for the first bytes of a request, while all other connections are served; b"" at the end."""
        self.allow(idle_s)
        self.idle = True
        try:
            self._wait(self._read_event)
        except _Dismissed:
            pass  # A request that came at this very moment is still answered.
        finally:
            self.idle = False
        if self._ended:
            return b""
        try:
            data: bytes = self._sock.recv(READ_BYTES)
        except BlockingIOError:
            self.quiet = True
            return b""
        return data

    def recv(self, *args: Any) -> bytes:
        """Read on, but only as often as the event loop comes round, whatever waits: others are served too."""
        self._wait(self._read_event)
        if self._ended:
            return b""
        data: bytes = super().recv(*args)
        return data

    def give_way(self) -> None:
        """Let others be served, and a client that does not take its answers wait for the next."""
        self._wait(self._write_event)

    def push(self, data: bytes) -> None:
        """Send all of `data`, mostly by one call of the kernel."""
        sent = self.send(data)
        while sent < len(data):
            sent += self.send(memoryview(data)[sent:])

    def push_now(self, data: bytes) -> int:
        """Send what the kernel takes at once; return how much that was. Whoever waits for the rest meets the error."""
        try:
            return int(self._sock.send(data))
        except OSError:
            return 0

    def shutdown(self, how: int) -> None:
        """End the connection in the kernel: who reads finds the end, who writes an error, as if the client had left.

        gevent's own would throw a "file descriptor was closed" at them, which looks like a fault of ours.
        """
        self._sock.shutdown(how)

    def dismiss(self) -> None:
        """Let an idle client go."""
        self.hub.cancel_wait(self._read_event, _Dismissed())

    def end(self) -> None:
        """Give up what is waited for. Whatever comes after that is no longer read: it would be out of place."""
        if self.idle:
            self.dismiss()
            return
        self.due_s = NEVER
        self._ended = True
        with suppress(OSError):  # it may have left already
            self.shutdown(socket.SHUT_RD if self._reading else socket.SHUT_RDWR)

    def _wait(self, watcher: Any, timeout_exc: Any = None) -> None:
        now_s = time.monotonic()
        self._reading = watcher is self._read_event
        if not self._reading:
            self.due_s = now_s + self.send_s
        else:
            if self._read_due_s == NEVER:
                self._read_due_s = now_s + self._allowance_s
            self.due_s = self._read_due_s
        try:
            super()._wait(watcher, timeout_exc)
        except _Dismissed:
            if self.idle:
                raise
            # The next request was faster, and this is the wait for the rest of it.
            super()._wait(watcher, timeout_exc)
        finally:
            self.due_s = NEVER


class Loan:
    """A client's socket as gunicorn's own path gets it for one request, with what was already read put back.

    Closing ends the loan. The client stays connected if `keep` was called before.
    """

    def __init__(self, client: Connection, data: bytes) -> None:
        self._client = client
        self._data = data
        self.kept: bytes | None = None
        """What was read behind the request, once it is certain that the connection goes on."""

    def keep(self, data: bytes) -> None:
        """Let the connection go on with `data` after the loan."""
        self.kept = data

    def recv(self, size: int) -> bytes:
        """Read what was put back, then from the client."""
        if not self._data:
            return self._client.recv(size)
        data, self._data = self._data[:size], self._data[size:]
        return data

    def close(self) -> None:
        """End the loan."""
        if self.kept is None:
            self._client.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)
