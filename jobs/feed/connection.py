"""A WebSocket connection to an exchange: text out, frames in, and every failure of the network as one kind of error."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.frames import CloseCode
from websockets.sync.client import ClientConnection, connect

FRAME_BYTES_MAX = 262_144
"""The largest that an exchange sends is Bitstamp's order book of some 8 KB."""
TEXT_LENGTH_MAX = 200
_library = logging.getLogger(f"{__name__}.websockets")
_library.setLevel(logging.WARNING)  # it tells of every handshake, which who connects tells too
_UNREADABLE = (CloseCode.PROTOCOL_ERROR, CloseCode.INVALID_DATA, CloseCode.MESSAGE_TOO_BIG)


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long a connection may take for what, in seconds."""

    open_s: float = 10.0
    """To connect, encryption and handshake included."""
    close_s: float = 1.0
    """For the other side to answer a goodbye: a connection that died without a word never does."""
    look_s: float = 0.25
    """How often who listens looks up while nothing comes."""


class ConnectionFailed(Exception):
    """There is no connection, or none any more; says why."""

    def __init__(self, text: str, *, unreadable: bool) -> None:
        super().__init__(text)
        self.unreadable = unreadable
        """The other side sent what no WebSocket sends, or more than anybody wants."""


class Connection:
    """An open connection."""

    def __init__(self, client: ClientConnection, timeouts: Timeouts) -> None:
        self._client = client
        self._timeouts = timeouts

    def send(self, text: str) -> None:
        """Send a message."""
        self._client.send(text)

    def receive(self) -> bytes | None:
        """Return the next message, None if none came until it is time to look up."""
        try:
            return self._client.recv(self._timeouts.look_s, decode=False)
        except TimeoutError:
            return None


@contextmanager
def connected(url: str, timeouts: Timeouts) -> Iterator[Connection]:
    """Connect for the length of the block; raise ConnectionFailed whenever the connection fails.

    The library answers pings. It sends none: who listens for prices misses them before a ping would miss its answer.
    A proxy that the environment names was meant for others. Frames are small, so they are not compressed.
    """
    try:
        with connect(
            url,
            proxy=None,
            compression=None,
            open_timeout=timeouts.open_s,
            close_timeout=timeouts.close_s,
            ping_interval=None,
            max_size=FRAME_BYTES_MAX,
            logger=_library,
        ) as client:
            yield Connection(client, timeouts)
    except ConnectionClosed as ex:
        unreadable = ex.sent is not None and not ex.rcvd_then_sent and ex.sent.code in _UNREADABLE
        raise ConnectionFailed(shown(str(ex)), unreadable=unreadable) from ex
    except (OSError, WebSocketException, ValueError) as ex:  # a host's name that cannot be encoded is a ValueError
        raise ConnectionFailed(shown(f"{type(ex).__name__}: {ex}"), unreadable=False) from ex


def shown(text: str) -> str:
    """Return what somebody else wrote so that it can stand in a log line and on a terminal."""
    return re.sub(r"\s+", " ", "".join(one if one.isprintable() else " " for one in text)).strip()[:TEXT_LENGTH_MAX]
