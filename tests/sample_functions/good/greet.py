"""GET /api/greet: query parameters."""

from __future__ import annotations

from typing import Annotated

import msgspec

from runtime.function import Call, Query, function


class GreetQuery(Query, frozen=True):
    """Whom to greet, and how often."""

    name: Annotated[str, msgspec.Meta(min_length=1, description="Whom to greet")]
    times: int = 1
    since: int | None = msgspec.field(name="from", default=None)


class Greeting(msgspec.Struct, frozen=True):
    """The greeting."""

    text: str
    request_id: str
    address: str
    since: int | None


@function("GET", "/api/greet", auth="none", summary="Greet", query=GreetQuery, response=Greeting)
def greet(call: Call[None]) -> Greeting:
    """Greet somebody."""
    query: GreetQuery = call.params
    return Greeting(" ".join([f"hello {query.name}"] * query.times), call.request_id, call.address, query.since)
