"""GET /api/stream: prices, grid, results and one's own bets as server-sent events."""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import suppress
from random import SystemRandom
from typing import Annotated

import msgspec

from runtime.auth.credentials import bearer_token
from runtime.errors import Unauthenticated
from runtime.function import Call, Header, OpenQuery, Stream, function
from runtime.stream import sse
from runtime.stream.connection import StreamConnection
from runtime.stream.opening import Opening
from runtime.stream.payloads import EXAMPLES
from runtime.stream.subscriber import Subscriber

SEND_BUFFER_BYTES = 64 * 1024
"""What the kernel may hold for one reader: beyond it a slow one is told the newest price instead of old ones."""
_jitter = SystemRandom()


class StreamQuery(OpenQuery, frozen=True, rename={"appended_id": "lastEventId"}):
    """What to tell, and from where on; an error because of a parameter of theirs would end many clients for good."""

    events: Annotated[str, msgspec.Meta(description="comma-separated event types; empty: all")] = ""
    grid: Annotated[
        str, msgspec.Meta(description="`changes`: a grid comes as `grid_change` where that is possible, else whole")
    ] = ""
    price: Annotated[
        str, msgspec.Meta(description="`brief`: a price comes as `brief_price`, without `sources` and `features`")
    ] = ""
    last_event_id: Annotated[str, msgspec.Meta(description="for clients that lost the header Last-Event-ID")] = ""
    appended_id: Annotated[str, msgspec.Meta(description="the same, as libraries append it to reconnect")] = ""


LAST_EVENT_ID = Header(
    "Last-Event-ID",
    "The `id` of the last event that was read: the stream goes on behind it, or begins anew with `reset`.",
)


@function(
    "GET",
    "/api/stream",
    auth="optional",
    limits=("requests",),
    summary="Live events (server-sent events)",
    query=StreamQuery,
    headers=(LAST_EVENT_ID,),
    events=EXAMPLES,
    errors=("UNAUTHENTICATED", "OVERLOADED"),
    media="text/event-stream",
)
def stream(call: Call[None]) -> Stream:
    """Begin with `hello` and a `snapshot`, or resume after Last-Event-ID; then tell what happens."""
    parts, session = call.parts, call.session
    if session is None and bearer_token(call.req) is not None:
        # Whoever shows a token expects to hear of its bets: a stream without them would look like a quiet evening.
        raise Unauthenticated
    client = call.req.env.get("gunicorn.socket")
    subscriber = Subscriber(
        sse.wanted(call.params.events, changes=call.params.grid == "changes", brief=call.params.price == "brief"),
        user_id=None if session is None else session.user_id,
        session_id=None if session is None else session.id,
        expires_ms=None if session is None else session.expires_ms,
        cut=_bounded(client),
        sink=getattr(client, "sink", None),
    )
    opening = Opening(parts.hub, parts.market, parts.run_id, parts.settings.mode, call.received_ms, _jitter)
    return Stream(StreamConnection(parts.hub, subscriber, opening.chunks(subscriber, _cursor(call)), parts.clock))


def _cursor(call: Call[None]) -> str:
    """Return where the client wants to go on, "" if it is new: of what it was given and what it knows, the latter."""
    query: StreamQuery = call.params
    asked = call.header("Last-Event-ID") or query.appended_id or query.last_event_id
    return asked.rpartition(",")[2].strip()


def _bounded(client: socket.socket | None) -> Callable[[], None] | None:
    """Bound what waits in the kernel for a reader; return what closes its connection under a blocked write."""
    if client is None:
        return None
    with suppress(OSError):
        client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)

    def cut() -> None:
        with suppress(OSError):  # it may be gone already
            client.shutdown(socket.SHUT_RDWR)

    return cut
