"""What a function's file imports: the declaration, the call with the parts of this house, what it takes and returns."""

from __future__ import annotations

from typing import TypeVar

from runtime.auth.operators import OperatorSession
from runtime.auth.sessions import Session
from runtime.errors import OwnRefusal
from runtime.function_settings import FunctionSettings, Secret
from runtime.parts import Parts
from runtime.web import call
from runtime.web.declaration import Body, Header, OpenQuery, Query, Reply, Stream, function

B = TypeVar("B")

Call = call.Call[B, Parts, Session]
"""One request as a handler sees it: `Call[Tap]` brings a body that was decoded as `Tap`, `Call[None]` brings none."""
OperatorCall = call.Call[B, Parts, OperatorSession]
"""The same of an endpoint that only operators may call."""

__all__ = [
    "Body",
    "Call",
    "FunctionSettings",
    "Header",
    "OpenQuery",
    "OperatorCall",
    "OwnRefusal",
    "Query",
    "Reply",
    "Secret",
    "Stream",
    "function",
]
