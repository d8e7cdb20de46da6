"""Follow the event stream over any number of connections: each goes on where the one before broke off.

`bet`, `balance` and `column` come without gap or repeat, since the cursor leads into the database. `price` and `grid`
come with the newest only; grids are asked for by their differences and given whole. A cursor that is no longer known
gets `reset`, with a fresh snapshot.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator
from contextlib import suppress
from threading import Event as Flag

import httpx

from taptrade.client import over_http
from taptrade.client.sse import SseParser, StreamEvent
from taptrade.client.standing import Standing

__all__ = ["AsyncEventStream", "EventStream", "SseParser", "StreamEvent"]

SILENCE_S = 40.0
"""Longer than two heartbeats: a stream that is silent for so long is dead."""
CONNECT_S = 5.0
_TIMEOUT = httpx.Timeout(SILENCE_S, connect=CONNECT_S)


def _nothing() -> None:
    """Renew no session."""


async def _nothing_async() -> None:
    """Renew no session."""


class EventStream:
    """The stream at `url`, read for as long as `stop` is not set.

    A connection that breaks is opened again with the last id that was read, so the server goes on from there. `renew`
    is called when the session has ended.
    """

    def __init__(
        self,
        url: str,
        *,
        token: Callable[[], str],
        stop: Flag,
        on_connect: Callable[[int], None] = lambda _: None,
        renew: Callable[[], None] = _nothing,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._standing = Standing(url)
        self._token = token
        self._stop = stop
        self._on_connect = on_connect
        self._renew = renew
        self._transport = transport
        self._connections = 0

    def events(self) -> Iterator[StreamEvent]:
        """Give events until `stop` is set; raise ApiError only where trying again cannot help."""
        with httpx.Client(transport=self._transport, **over_http.settings(self._standing.url, _TIMEOUT)) as http:
            while not self._stop.is_set():
                # A server restarts, a line breaks: the wait and the next connection follow.
                with suppress(httpx.TransportError, httpx.DecodingError):
                    yield from self._connection(http)
                self._stop.wait(self._standing.wait_s())

    def _connection(self, http: httpx.Client) -> Iterator[StreamEvent]:
        with http.stream("GET", self._standing.url, headers=self._standing.headers(self._token())) as response:
            if not response.is_success:
                response.read()
                self._standing.refused(response)
                if response.status_code == httpx.codes.UNAUTHORIZED:
                    self._renew()
                return
            self._connections += 1
            self._on_connect(self._connections)
            parser = self._standing.parser()
            for chunk in response.iter_bytes():
                for event in self._standing.heard(parser, chunk):
                    yield event
                    if self._stop.is_set():
                        return


class AsyncEventStream:
    """The same for asyncio: the stream ends with the task that reads it."""

    def __init__(
        self,
        url: str,
        *,
        token: Callable[[], str],
        renew: Callable[[], Awaitable[None]] = _nothing_async,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._standing = Standing(url)
        self._token = token
        self._renew = renew
        self._transport = transport

    async def events(self) -> AsyncGenerator[StreamEvent, None]:
        """Give events; raise ApiError only where trying again cannot help."""
        async with httpx.AsyncClient(
            transport=self._transport, **over_http.settings(self._standing.url, _TIMEOUT)
        ) as http:
            while True:
                with suppress(httpx.TransportError, httpx.DecodingError):
                    async for event in self._connection(http):
                        yield event
                await asyncio.sleep(self._standing.wait_s())

    async def _connection(self, http: httpx.AsyncClient) -> AsyncIterator[StreamEvent]:
        async with http.stream("GET", self._standing.url, headers=self._standing.headers(self._token())) as response:
            if not response.is_success:
                await response.aread()
                self._standing.refused(response)
                if response.status_code == httpx.codes.UNAUTHORIZED:
                    await self._renew()
                return
            parser = self._standing.parser()
            async for chunk in response.aiter_bytes():
                for event in self._standing.heard(parser, chunk):
                    yield event
