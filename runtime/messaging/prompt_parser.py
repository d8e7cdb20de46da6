"""Look whether a pooled connection is clean without going round gevent's event loop.

redis-py looks at each connection before each command by a poll of 0 ms. Under gevent that is a wait like any other: the
command leaves only after the loop has come round, and has served whatever else was waiting.
"""

from __future__ import annotations

import _socket
from socket import MSG_DONTWAIT, MSG_PEEK

import redis
from redis._parsers import _HiredisParser
from redis._parsers.socket import SERVER_CLOSED_CONNECTION_ERROR


class PromptParser(_HiredisParser):
    """redis-py's parser, which asks the kernel alone whether there is something to read now."""

    def can_read(self, timeout: float = 0) -> bool:
        """Tell whether there is something to read; raise ConnectionError if the server has hung up."""
        sock = self._sock
        # What TLS has decrypted already lies in its own buffer, where the kernel does not see it.
        if timeout or sock is None or hasattr(sock, "pending") or self._reader.has_data():
            return bool(super().can_read(timeout))
        return _holds_data(sock.fileno())


def _holds_data(descriptor: int) -> bool:
    # The class below `socket.socket`: gevent puts its own in that one's place, and would wait.
    plain = _socket.socket(fileno=descriptor)
    try:
        if not plain.recv(1, MSG_PEEK | MSG_DONTWAIT):
            raise redis.ConnectionError(SERVER_CLOSED_CONNECTION_ERROR)
    except BlockingIOError:
        return False
    finally:
        plain.detach()
    return True
