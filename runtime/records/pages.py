"""Cursor paging: newest first, stable while rows arrive; a cursor is the key of the last row shown."""

from __future__ import annotations

from typing import Annotated

import msgspec

from runtime.errors import InvalidRequest
from runtime.game.ids import ulid_ms
from runtime.game.player_entries import LAST_ID
from runtime.web.declaration import Query

LIMIT_MAX = 500

Limit = Annotated[int, msgspec.Meta(ge=1, le=LIMIT_MAX, description="rows of a page")]
Cursor = Annotated[
    str,
    msgspec.Meta(
        description="`next_cursor` of the page before; empty: the first page",
        extra_json_schema={"pattern": "^[0-9A-Z]*$", "maxLength": 26},
    ),
]
Ulid = Annotated[
    str, msgspec.Meta(min_length=26, max_length=26, pattern="^[0-7][0-9A-HJKMNP-TV-Z]{25}$", description="a ULID")
]
Time = Annotated[int, msgspec.Meta(ge=0, le=10**14, description="Unix milliseconds")]


class PageQuery(Query, frozen=True):
    """What every list takes."""

    limit: Limit = 50
    cursor: Cursor | None = None


def after_number(cursor: str | None) -> int:
    """Return the number that the next page lies below."""
    if not cursor:
        return 2**62
    if not cursor.isascii() or not cursor.isdigit() or len(cursor) > 18:
        raise InvalidRequest("The cursor is none of ours.", field="cursor")
    return int(cursor)


def after_id(cursor: str | None) -> str:
    """Return the ULID that the next page lies below."""
    if not cursor:
        return LAST_ID
    if ulid_ms(cursor) is None:
        raise InvalidRequest("The cursor is none of ours.", field="cursor")
    return cursor
