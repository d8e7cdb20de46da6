"""/api/notes: several functions in one file, one route with several methods, a limit that the framework counts."""

from __future__ import annotations

import msgspec

from runtime.errors import NotFound
from runtime.function import Body, Call, Reply, function


class Note(msgspec.Struct, frozen=True):
    """A note."""

    id: int
    text: str


class NewText(Body, frozen=True):
    """The text that a note shall have."""

    text: str


@function("GET", "/api/notes/{id:int}", auth="none", limits=("requests",), summary="Read a note", response=Note)
def read(call: Call[None]) -> Note:
    """Read; there are ten notes."""
    number: int = call.path["id"]
    if number > 10:
        raise NotFound("There are ten notes.", last=10)
    return Note(number, "a note")


@function(
    "PUT", "/api/notes/{id:int}", auth="session", limits=("requests",), body=NewText, summary="Write", response=Note
)
def write(call: Call[NewText]) -> Reply:
    """Write; answers 200 with a header field of its own."""
    return Reply(Note(call.path["id"], call.body.text), headers={"X-Wrote": "yes", "Cache-Control": "no-cache"})


@function("DELETE", "/api/notes/{id:int}", auth="session", summary="Delete", status=204)
def delete(_call: Call[None]) -> None:
    """Delete; answers 204."""


@function("POST", "/api/notes/{id:int}/copy", auth="none", limits=("logins",), summary="Copy", status=204)
def copy(_call: Call[None]) -> None:
    """Copy; takes no body."""
