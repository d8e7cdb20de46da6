"""A gunicorn worker: plain requests take a short way, all others gunicorn's own; the answers are the same.

One connection is one greenlet. It goes back to the event loop before each request, so that a client which sends
without pause, or pipelines, waits like all others.
"""

from __future__ import annotations

import gc
import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from errno import ECONNRESET, ENOTCONN, EPIPE
from functools import partial
from typing import Any

import gevent
from gevent.event import Event
from gevent.socket import SHUT_RDWR, socket
from gunicorn.http.wsgi import _make_early_hints_callback
from gunicorn.workers.ggevent import GeventWorker

from runtime.server.answer import Answer
from runtime.server.body import BodyReader, drain, give_body, host_of
from runtime.server.connection import Connection, Loan
from runtime.server.door import Door, Handover
from runtime.server.head import PlainRequest, read_head
from runtime.server.origin import is_ordinary, origin_of
from runtime.server.problems import problem_answer
from runtime.server.streams import Left, Parked, Streams
from runtime.systemd import systemd

HEAD_S = 10.0
"""How long a client may take to send the head of a request, once it has begun."""
BODY_S = 10.0
"""How long it may keep a function waiting for the request's body, in all."""
SEND_S = 60.0
"""How long it may take nothing of an answer that is ready."""
GC_THRESHOLDS = (50_000, 20, 50)
"""Requests leave no cycles behind, so the collector is for what a bug or a library leaves."""
SWITCH_S = 0.1
"""How long what is under way may go on before the event loop looks at the network again.

An iteration of the loop begins every request that has come, however many there are; of the greenlets that something has
woken it runs those of 5 ms, if left alone. In a rush that would be a few answers for thousands of new requests.
"""
RETIRE = signal.SIGUSR2
"""Tells a worker that another one takes its place: its connections go there, and it ends when all have gone."""
RETIRE_S = 20.0
"""How long it may take until what is under way then is answered."""
LOOK_S = 0.02
_CLIENT_LEFT = (EPIPE, ECONNRESET, ENOTCONN)


class TapWorker(GeventWorker):  # type: ignore[misc]
    """Serve the WSGI app."""

    alive: bool

    head_s = HEAD_S
    body_s = BODY_S
    send_s = SEND_S

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.ways: Any = None
        """The ends of the way to other workers, as the master made them, if it replaces workers."""
        self.answers: Callable[[], object] = lambda: None
        """Called once, when requests are answered from here on."""
        self._clients: set[Connection] = set()
        self._streams = Streams(lambda: self._retiring or not self.alive)
        self._ordinary = is_ordinary(self.cfg, os.environ)
        self._handover: Handover | None = None
        self._retiring = False

    def patch(self) -> None:
        """Let gevent have all sockets, those between workers too."""
        super().patch()
        self._handover = None if self.ways is None or not self._ordinary else Handover(self.ways)

    def init_signals(self) -> None:
        """Hear of a replacement too."""
        super().init_signals()
        signal.signal(RETIRE, lambda *_: gevent.spawn(self._hand_over))

    def run(self) -> None:
        """Serve until told to stop."""
        if not self._ordinary:
            self.log.warning("every request takes gunicorn's own way: a setting asks for what only that can do")
        # What start-up left is there to stay; the collector need not look through it again and again.
        gc.collect()
        gc.freeze()
        gc.set_threshold(*GC_THRESHOLDS)
        gevent.setswitchinterval(SWITCH_S)
        if self.cfg.is_ssl:
            super().run()
            return
        for one in self.sockets:
            one.setblocking(True)
        alone = self.cfg.workers == 1
        self._door = Door(self.sockets, self._let_in, self.worker_connections, self._handover, alone=alone)
        self._ends = Event()
        self._door.open()
        self.notify()
        self.answers()
        while self.alive:
            self._ends.wait(1.0)
            self.notify()
        self._leave()

    def _leave(self) -> None:
        """Let nobody in, and give what is under way some time."""
        self._door.shut()
        until_s = time.monotonic() + self.cfg.graceful_timeout
        while (self._door.inside or self._clients) and time.monotonic() < until_s:
            self.notify()
            gevent.sleep(0.1)
        if self._door.inside:
            self.log.warning("Worker graceful timeout (pid:%s)", self.pid)
            self._door.clear()

    def _moves(self, client: Connection, data: bytes) -> bool:
        """Give a connection to another worker, if this one retires; tell whether it went."""
        if not self._retiring or self._handover is None:
            return False
        self._handover.give(client, data)
        return True

    def _hand_over(self) -> None:
        """Give every connection to the workers that stay, each when its request is answered, and end."""
        self._retiring = True
        self._door.shut()
        until_s = time.monotonic() + RETIRE_S
        while self._clients and time.monotonic() < until_s:
            self._retire()
            gevent.sleep(LOOK_S)
        self.alive = False
        self._ends.set()

    def notify(self) -> None:
        """Tell the master that we live, each second, and end the clients that are due."""
        super().notify()
        systemd.alive()
        if not self.alive:
            self._retire()
        now_s = time.monotonic()
        for client in list(self._clients):
            if client.due_s <= now_s:
                client.end()

    def handle_exit(self, sig: int, frame: Any) -> None:
        """Begin to stop: running requests are answered, nobody is waited for."""
        super().handle_exit(sig, frame)
        gevent.spawn(self._retire)

    def _retire(self) -> None:
        for client in list(self._clients):
            if client.idle:
                client.dismiss()
        self._streams.retire()

    def _let_in(self, listener: socket, client: socket, addr: Any, data: bytes) -> None:
        """Serve one connection, of which `data` was read already by the worker that it comes from."""
        if not self._ordinary or not isinstance(addr, tuple):
            self.handle(listener, client, addr)
            return
        ours = Connection(client, self.send_s)
        self._clients.add(ours)
        self._attend(listener, ours, addr, data, None)

    def _attend(
        self, listener: socket, client: Connection, addr: Any, data: bytes | None, parked: Parked | None
    ) -> None:
        """Serve a connection to its end, from a parked stream on if there is one; or until its stream is parked."""
        try:
            if parked is not None:
                fail = partial(self._fail, parked.answer.req, parked.answer, client, addr)
                data = b"" if self._streams.go_on(parked, fail) else None
            self._converse(listener, client, addr, data)
        except Left as ex:
            ex.parked.begin = partial(gevent.spawn, self._attend, listener, client, addr, None, ex.parked)
            return
        except OSError as ex:
            if ex.errno not in _CLIENT_LEFT:
                self.log.exception("Socket error processing request.")
        except BaseException:
            self._part(client)
            raise
        self._part(client)

    def _part(self, client: Connection) -> None:
        self._clients.discard(client)
        client.close()

    def _converse(self, listener: socket, client: Connection, addr: tuple[Any, ...], data: bytes | None) -> None:
        """Answer one request after the other, until the connection's end, or until another worker goes on with it."""
        origin = origin_of(self.cfg, listener, client, addr)
        while data is not None:
            if self._moves(client, data):
                return
            if data:
                client.give_way()
            else:
                data = client.receive(self.cfg.keepalive or self.head_s)
                if not data:
                    if client.quiet:
                        self._moves(client, data)
                    return
            request = read_head(data, origin.environ, origin.schemes)
            if request is None:
                data = self._ask_gunicorn(listener, client, addr, data)
            else:
                data = self._answer(request, client, addr, data)

    def _ask_gunicorn(self, listener: socket, client: Connection, addr: Any, data: bytes) -> bytes | None:
        """Have one request answered gunicorn's way; return what was read behind it, None if the connection ends."""
        client.allow(self.head_s)
        loan = Loan(client, data)
        super().handle(listener, loan, addr)
        return loan.kept

    def handle_request(self, listener_name: Any, req: Any, sock: Any, addr: Any) -> None:
        """Answer one request gunicorn's way, and end a loan when the connection goes on."""
        loan = isinstance(sock, Loan)
        if loan:
            sock.allow(self.body_s)
        req.body.reader = BodyReader(req.body.reader, req, host_of(addr))
        super().handle_request(listener_name, req, sock, addr)
        if loan:
            if drain(req.body):
                sock.keep(req.unreader.take_buffered())
            raise StopIteration

    def _answer(self, request: PlainRequest, client: Connection, addr: Any, data: bytes) -> bytes | None:
        """Answer a plain request; return what was read behind it, None if the connection ends."""
        unreader = give_body(request, client, addr, data)
        if unreader is not None:
            client.allow(self.body_s)
        answer = Answer(request, client, self.cfg)
        answer.can_be_left = unreader is None and len(data) == request.body_start + request.length
        request.environ["wsgi.early_hints"] = _make_early_hints_callback(request, client, answer)
        client.sink = answer
        try:
            self._call(request, answer)
        except OSError:
            raise
        except (Exception, SystemExit, gevent.Timeout) as ex:  # noqa: BLE001  whatever an app raises is answered
            self._fail(request, answer, client, addr, ex)
            return None
        finally:
            client.sink = None
        if answer.should_close():
            return None
        if unreader is None:
            return data[request.body_start + request.length :]
        return unreader.take_buffered() if drain(request.body) else None

    def _call(self, request: PlainRequest, answer: Answer) -> None:
        """Let the app answer."""
        self.nr += 1
        if self.nr >= self.max_requests and self.alive:
            self.log.info("Autorestarting worker after current request.")
            self.alive = False
        chunks = self.wsgi(request.take_environ(), answer.start_response)
        if not self.alive or not self.cfg.keepalive:
            answer.force_close()
        try:
            if type(chunks) is list:
                for chunk in chunks:
                    answer.write(chunk)
            else:
                self._streams.feed(chunks, answer)
            answer.close()
        except Left:
            chunks = []
            raise
        finally:
            close = getattr(chunks, "close", None)
            if close is not None:
                close()

    def handle_error(self, req: Any, client: Any, addr: Any, exc: BaseException) -> None:
        """Answer a request that cannot be read, or whose function broke off."""
        with suppress(OSError):  # the client may have left
            client.sendall(problem_answer(exc, req, host_of(addr)))

    def _fail(self, request: PlainRequest, answer: Answer, client: Connection, addr: Any, error: BaseException) -> None:
        """Answer 500, unless another answer has begun: then all that is left is to break it off."""
        if not answer.headers_sent:
            self.handle_error(request, client, addr, error)
            return
        self.log.error("Error handling request", exc_info=error)
        answer.flush()
        client.shutdown(SHUT_RDWR)
