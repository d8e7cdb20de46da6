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
ULID_FORM = "[0-7][0-9A-HJKMNP-TV-Z]{25}"
NUMBER_DIGITS_MAX = 18
_CURSOR = "`next_cursor` of the page before; empty: the first page"
# Described here and judged by after_id and after_number, whose sentence is the same for all that are none of ours.
IdCursor = Annotated[str, msgspec.Meta(description=_CURSOR, extra_json_schema={"pattern": f"^({ULID_FORM})?$"})]
NumberCursor = Annotated[
    str, msgspec.Meta(description=_CURSOR, extra_json_schema={"pattern": f"^[0-9]{{0,{NUMBER_DIGITS_MAX}}}$"})
]
Ulid = Annotated[str, msgspec.Meta(min_length=26, max_length=26, pattern=f"^{ULID_FORM}$", description="a ULID")]
Time = Annotated[int, msgspec.Meta(ge=0, le=10**14, description="Unix milliseconds")]


class IdPage(Query, frozen=True):
    """What a list takes whose cursor is the id of a row."""

    limit: Limit = 50
    cursor: IdCursor = ""


class NumberPage(Query, frozen=True):
    """What a list takes whose cursor is a number."""

    limit: Limit = 50
    cursor: NumberCursor = ""


def after_number(cursor: str) -> int:
    """Return the number that the next page lies below."""
    if not cursor:
        return 2**62
    if not cursor.isascii() or not cursor.isdigit() or len(cursor) > NUMBER_DIGITS_MAX:
        raise InvalidRequest("The cursor is none of ours.", field="cursor")
    return int(cursor)


def after_id(cursor: str) -> str:
    """Return the ULID that the next page lies below."""
    if not cursor:
        return LAST_ID
    if ulid_ms(cursor) is None:
        raise InvalidRequest("The cursor is none of ours.", field="cursor")
    return cursor
