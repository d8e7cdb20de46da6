"""The stream's reader: events out of any chunks, and a reconnect without gap or repeat."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from threading import Event as Flag

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from taptrade.client import ApiError
from taptrade.client.stream import EventStream, SseParser, StreamEvent

TEXT = (
    b": hello\n\nretry: 250\n\nid: e.1\nevent: price\ndata: {}\n\n"
    b"id: e.2\r\nevent: bet\r\ndata: a\r\ndata:b\r\n\r\nid: e.3\rdata\r\revent: x\n\ndata: end \n\n"
)
EVENTS = [
    StreamEvent("e.1", "price", b"{}"),
    StreamEvent("e.2", "bet", b"a\nb"),
    StreamEvent("e.3", "message", b""),
    StreamEvent("e.3", "message", b"end "),
]


@given(st.lists(st.integers(0, len(TEXT))))
def test_chunks_make_no_difference(cuts: list[int]) -> None:
    parser = SseParser()
    places = sorted({0, len(TEXT), *cuts})
    chunks = [TEXT[start:end] for start, end in pairwise(places)]
    assert [event for chunk in chunks for event in parser.feed(chunk)] == EVENTS
    assert parser.retry_ms == 250


def test_an_event_that_is_not_complete_does_not_move_the_place() -> None:
    parser = SseParser()
    assert [event.id for event in parser.feed(b"id: 1\ndata: x\n\nid: 2\ndata: y\n")] == ["1"]


class Streams:
    """Answers each connection with the next response and keeps the place that was asked for."""

    def __init__(self, *responses: httpx.Response | Exception) -> None:
        self.places: list[str | None] = []
        self.tokens: list[str] = []
        self.stop = Flag()
        self._responses = iter(responses)

    def events(self) -> Iterator[StreamEvent]:
        stream = EventStream(
            "http://127.0.0.1:1/api/stream",
            token=lambda: f"t{len(self.tokens)}",
            stop=self.stop,
            transport=httpx.MockTransport(self._answer),
        )
        return stream.events()

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.places.append(request.headers.get("Last-Event-ID"))
        self.tokens.append(request.headers["Authorization"])
        response = next(self._responses)
        if isinstance(response, Exception):
            raise response
        return response


def stream(*ids: str) -> httpx.Response:
    text = "retry: 1\n\n" + "".join(f"id: {name}\nevent: bet\ndata: {name}\n\n" for name in ids)
    return httpx.Response(200, content=text.encode())


def test_a_broken_stream_goes_on_where_it_broke_off() -> None:
    server = Streams(
        stream("1", "2"), httpx.ConnectError("down"), httpx.Response(503), httpx.Response(401), stream("3")
    )
    events = server.events()
    assert [next(events).id for _ in range(3)] == ["1", "2", "3"]
    assert server.places == [None, "2", "2", "2", "2"]
    assert server.tokens == ["Bearer t0", "Bearer t1", "Bearer t2", "Bearer t3", "Bearer t4"]


def test_a_set_flag_ends_the_stream() -> None:
    server = Streams(stream("1", "2"))
    events = server.events()
    assert next(events).id == "1"
    server.stop.set()
    assert list(events) == []


def test_what_waiting_cannot_mend_is_raised() -> None:
    server = Streams(httpx.Response(404, json={"code": "NOT_FOUND", "detail": "no such path"}))
    with pytest.raises(ApiError, match="NOT_FOUND"):
        next(server.events())
