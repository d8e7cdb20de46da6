"""The line between a browser and a house, as the browser's proxy: it breaks in every way in which lines break."""

from __future__ import annotations

import re
import socket
from contextlib import suppress
from dataclasses import dataclass
from threading import Condition, Thread
from types import TracebackType

from tests.page.cable import CHUNK_BYTES, Cable

STREAM = re.compile(rb"^GET \S+/api/stream\b")
BET = re.compile(rb"^POST \S+/api/bets ")
EVENT_ID = re.compile(rb"\nid: (\S+)\n")
LAST_EVENT_ID = re.compile(rb"(?im)^last-event-id: *(.*?)\r$")
WAIT_S_MAX = 20
ID_BYTES_MAX = 200


@dataclass(eq=False, slots=True)
class Connection:
    """Two ends, and what is to become of what passes between them."""

    near: socket.socket
    far: socket.socket
    stream: int | None = None
    """Which request for the stream it carries, counted from 0."""
    silent: bool = False
    loses_answer: bool = False
    rest: bytes = b""

    def end(self) -> None:
        """Break it."""
        for end in (self.near, self.far):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


class Line(Cable):
    """Listen on a port of loopback as the proxy of a browser that asks one house."""

    def __init__(self, port: int) -> None:
        """`port` is where the house listens on loopback."""
        super().__init__(port)
        self.resumed_at: list[str] = []
        """The Last-Event-ID of every request for the stream; empty where there was none."""
        self.brought: set[str] = set()
        """The ids of the events that came down, whether they were read or not."""
        self.is_up = True
        self._changed = Condition()
        self._open: set[Connection] = set()
        self._answered: set[int] = set()
        self._loses_next_answer = False
        self._hushes_streams = False

    def __exit__(self, kind: type[BaseException] | None, ex: BaseException | None, at: TracebackType | None) -> None:
        self.go_down()
        super().__exit__(kind, ex, at)

    def cut(self) -> None:
        """Break every connection that there is; new ones are taken."""
        with self._changed:
            ended, self._open = self._open, set()
        for connection in ended:
            connection.end()

    def go_down(self) -> None:
        """Break every connection, and take none until `come_up`."""
        with self._changed:
            self.is_up = self._hushes_streams = False
            self.cut()

    def come_up(self) -> None:
        """Take connections again."""
        self.is_up = True

    def fall_silent(self) -> None:
        """Let the streams that are read bring nothing more, without an end; new ones flow."""
        with self._changed:
            for connection in self._open:
                connection.silent = connection.stream is not None

    def lose_next_answer(self) -> None:
        """Let the next bet reach the house, and go down when its answer comes.

        Until then streams bring nothing, those that are asked for meanwhile too: one might bring the bet before.
        """
        self._loses_next_answer = self._hushes_streams = True
        self.fall_silent()

    def wait_for_stream(self, after: int) -> str:
        """Wait until the request for the stream that follows `after` others brings events; return where it resumes."""
        with self._changed:
            assert self._changed.wait_for(lambda: after in self._answered, WAIT_S_MAX), "no stream was asked for"
            return self.resumed_at[after]

    def _take(self, near: socket.socket) -> None:
        try:
            connection = Connection(near, socket.create_connection(self._to))
        except OSError:
            near.close()
            return
        with self._changed:
            is_taken = self.is_up
            if is_taken:
                self._open.add(connection)
        if not is_taken:
            near.close()
            connection.far.close()
            return
        Thread(target=self._pass_up, args=(connection,), daemon=True).start()
        Thread(target=self._pass_down, args=(connection,), daemon=True).start()

    def _pass_up(self, connection: Connection) -> None:
        with connection.near, suppress(OSError):
            while data := connection.near.recv(CHUNK_BYTES):
                self._look(connection, data)
                connection.far.sendall(data)
        connection.end()
        with self._changed:
            self._open.discard(connection)

    def _look(self, connection: Connection, data: bytes) -> None:
        if STREAM.match(data):
            found = LAST_EVENT_ID.search(data)
            with self._changed:
                connection.stream = len(self.resumed_at)
                connection.silent = self._hushes_streams
                self.resumed_at.append(found[1].decode() if found else "")
        if self._loses_next_answer and BET.match(data):
            connection.loses_answer, self._loses_next_answer = True, False

    def _pass_down(self, connection: Connection) -> None:
        with connection.far, suppress(OSError):
            while data := connection.far.recv(CHUNK_BYTES):
                if connection.loses_answer:
                    self.go_down()
                    break
                if connection.silent:
                    continue
                connection.near.sendall(data)
                if connection.stream is not None:
                    self._note_ids(connection, connection.stream, data)
        connection.end()

    def _note_ids(self, connection: Connection, stream: int, data: bytes) -> None:
        text = connection.rest + data
        ids = {found.decode() for found in EVENT_ID.findall(text)}
        with self._changed:
            self.brought |= ids
            if ids:
                self._answered.add(stream)
                self._changed.notify_all()
        connection.rest = text[-ID_BYTES_MAX:]  # an id may be cut in two
