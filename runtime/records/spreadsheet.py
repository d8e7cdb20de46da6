"""Rows as a spreadsheet, in which no text is a formula."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from runtime.web.declaration import Reply

# It begins a text, or what a program that is set to other separators than the comma takes for a cell of its own.
_FORMULA = re.compile(r"(^|[;|\t\r\n])(\s*)([=+\-@\uff1d\uff0b\uff0d\uff20])")


def sheet(fields: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> str:
    """Return the fields of rows as CSV (RFC 4180), with a head; numbers stay numbers, texts are made harmless."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(fields)
    writer.writerows([harmless(row.get(name)) for name in fields] for row in rows)
    return text.getvalue()


def harmless(value: Any) -> Any:
    """Return a text with an apostrophe before what a spreadsheet would compute; it then shows it as it is."""
    return _FORMULA.sub(r"\1\2'\3", value) if isinstance(value, str) else value


def sheet_reply(fields: Sequence[str], rows: Iterable[Mapping[str, Any]], next_cursor: str | None) -> Reply:
    """Answer with a page as a spreadsheet; the header X-Next-Cursor leads to the next one, empty on the last."""
    headers = {"X-Next-Cursor": next_cursor or ""}
    return Reply(sheet(fields, rows), content_type="text/csv; charset=utf-8", headers=headers)
