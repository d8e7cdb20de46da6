"""What lets connections into a worker: its listening sockets, and those that a worker which retires hands over.

A connection that is kept alive cannot be closed without a risk: a request may be on its way. So a worker that another
one replaces closes none. Between two requests, and with what was read of the next one, a connection goes over a Unix
socket to whichever worker takes it, as a file descriptor; the client notices nothing.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

from gevent import Greenlet, socket, spawn
from gevent.lock import Semaphore
from gevent.pool import Pool
from gevent.server import StreamServer

CARRIED_BYTES_MAX = 65_536
LEAD = b"+"
"""Begins every message, since one without a byte could not be told from an end."""
_FD_BYTES = array("i").itemsize
Handle = Callable[[Any, Any, Any, bytes], None]
"""handle(listener, client, addr, data): serve a connection, of which `data` was read already."""


class Handover:
    """The two ends of the way from worker to worker, which all of them inherit."""

    def __init__(self, ends: Iterable[Any]) -> None:
        """`ends` are a pair of sockets for datagrams, as the master made them."""
        out, into = (socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM, fileno=end.detach()) for end in ends)
        self._out, self._into = out, into
        self._alone = Semaphore()

    def give(self, client: Any, data: bytes) -> None:
        """Give a connection away, with what was read of its next request; the caller closes its own end."""
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array("i", [client.fileno()]))]
        with self._alone:  # gevent lets only one wait for a socket
            while True:
                # The kernel holds a few on the way; somebody else may take the room that there was.
                with suppress(TimeoutError):
                    self._out.sendmsg([LEAD, data], rights)
                    return

    def take(self) -> tuple[Any, bytes] | None:
        """Wait for a connection that another worker gives away; None if there is no room for its descriptor."""
        data, ancillary, _, _ = self._into.recvmsg(CARRIED_BYTES_MAX, socket.CMSG_LEN(_FD_BYTES))
        descriptors = array("i")
        for _, _, carried in ancillary:
            descriptors.frombytes(carried[:_FD_BYTES])
        return (socket.socket(fileno=descriptors[0]), data[len(LEAD) :]) if descriptors else None


class Door:
    """The listening sockets of a worker, and the connections that came in by them."""

    def __init__(
        self, sockets: list[Any], handle: Handle, most: int, handover: Handover | None, *, alone: bool
    ) -> None:
        """`most` connections may be inside at once; a worker that is `alone` need not leave any to others."""
        self._pool = Pool(most)
        self._handle = handle
        self._handover = handover
        self._taker: Greenlet | None = None
        self._listener = sockets[0]
        self._servers = [StreamServer(one, handle=self._handler(one), spawn=self._pool) for one in sockets]
        for server in self._servers if not alone else ():
            server.max_accept = 1

    @property
    def inside(self) -> int:
        """How many connections are inside."""
        return len(self._pool)

    def open(self) -> None:
        """Let connections in."""
        for server in self._servers:
            server.start()
        if self._handover is not None:
            self._taker = spawn(self._take, self._handover)

    def shut(self) -> None:
        """Let nobody in any more; those inside stay."""
        if self._taker is not None:
            self._taker.kill()
        for server in self._servers:
            server.close()

    def clear(self) -> None:
        """End what is inside still."""
        self._pool.kill(timeout=1)

    def _handler(self, listener: Any) -> Callable[[Any, Any], None]:
        return lambda client, addr: self._handle(listener, client, addr, b"")

    def _take(self, handover: Handover) -> None:
        while True:
            taken = handover.take()
            if taken is None:
                continue
            client, data = taken
            try:
                addr = client.getpeername()
            except OSError:  # it has left on the way
                client.close()
                continue
            self._pool.spawn(self._handle, self._listener, client, addr, data)
