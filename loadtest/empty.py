"""An app of two functions that do nothing, GET and POST /empty, in the framework that all functions live in."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

import msgspec

from runtime.clock import SystemClock
from runtime.function import Body, Call, function
from runtime.function_files import DECLARATION
from runtime.metrics.table import Metrics
from runtime.rate_limits import Unlimited
from runtime.web.app import create_app


class Received(msgspec.Struct, frozen=True):
    """When the request was received."""

    received_ms: int


class Tap(Body, frozen=True):
    """What a bet brings."""

    cell_id: str
    amount: int
    min_rate_bp: int
    nonce: str
    timestamp: int
    signature: str


class Taken(msgspec.Struct, frozen=True):
    """What came of it: nothing."""

    cell_id: str
    received_ms: int


@function("GET", "/empty", auth="none", summary="Answer at once", response=Received)
def empty_get(call: Call[None]) -> Received:
    """Answer."""
    return Received(call.received_ms)


@function("POST", "/empty", auth="none", summary="Take a tap", body=Tap, response=Taken, status=201)
def empty_post(call: Call[Tap]) -> Taken:
    """Answer."""
    return Taken(call.body.cell_id, call.received_ms)


app = create_app(
    [replace(getattr(one, DECLARATION), name=one.__name__, file=__file__) for one in (empty_get, empty_post)],
    parts=cast("Any", None),
    authenticate=lambda _req: None,
    limiter=Unlimited({}),
    quotas={},
    guards={},
    clock=SystemClock(),
    metrics=Metrics("empty"),
)
