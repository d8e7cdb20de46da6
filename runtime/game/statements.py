"""The one loader of SQL: a room's statements lie in one .sql file, each named and described, and are read at import.

A mark in a statement stands for text of this program: `{bet_columns}` for a list of columns, `{page.bet_columns}` for
the same with a table's name before each, `{open_from}` for the statement or fragment of that name. What a caller says
is never filled in; it goes as a parameter, `?`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any

from runtime.game.bets import COLUMNS, PLACED_COLUMNS
from runtime.game.buckets import BUCKET_COLUMNS
from runtime.game.chain import Header
from runtime.game.columns import COLUMN_FIELDS, CONTENT_FIELDS
from runtime.game.cuts import CUT_COLUMNS
from runtime.game.gestures import Gesture
from runtime.game.limits import LIMIT_COLUMNS

Marks = Mapping[str, str | tuple[str, ...]]
"""What marks stand for: text as it is, or the columns of a list."""

ENTRY_COLUMNS = "id, user_id, amount, balance_after, ref_type, ref_id, metadata, created_at, commit_number, place"
"""What an entry says, in the order of its fields; its link to the entry before it is no part of that."""
UNASKED = {
    "nonce": "''",
    "signature": "''",
    "signer": "''",
    "delegation_id": "NULL",
    "features": "NULL",
}
"""What the end of a bet asks nothing of, and what settlement reads in its place: the sealed texts and the look-ups of
others take longer than all the rest of a row."""
COLUMN_LISTS: Marks = {
    "bet_columns": COLUMNS,
    "ending_columns": tuple(f"{UNASKED[name]} AS {name}" if name in UNASKED else name for name in COLUMNS),
    "bet_values": ("?",) * len(COLUMNS),
    "placed_columns": PLACED_COLUMNS,
    "column_columns": COLUMN_FIELDS,
    "column_values": ("?",) * len(COLUMN_FIELDS),
    "evidence_columns": CONTENT_FIELDS,
    "entry_columns": tuple(ENTRY_COLUMNS.split(", ")),
    "header_columns": tuple(Header.__slots__),
    "bucket_columns": BUCKET_COLUMNS,
    "limit_columns": LIMIT_COLUMNS,
    "cut_columns": CUT_COLUMNS,
    "gesture_columns": Gesture._fields,
}
"""The lists that every room's file may name; their order is that of the fields which rows are made of and hashed by."""

MARK = re.compile(r"\{(?:(?P<table>\w+)\.)?(?P<name>\w+)\}")


def load_statements(text: str, marks: Marks | None = None) -> dict[str, str]:
    """Read the named statements of a script: `-- name: x` opens one, further comments are dropped.

    Marks are filled from `marks` and from the statements above; the rest stays for `fill`.
    """
    known: dict[str, str | tuple[str, ...]] = dict(marks or {})
    found: dict[str, str] = {}
    for part in text.split("-- name:")[1:]:
        name, _, body = part.partition("\n")
        lines = [line for line in body.splitlines() if not line.startswith("--")]
        statement = _filled("\n".join(lines).strip().rstrip(";"), known)
        found[name.strip()] = known[name.strip()] = statement
    return found


def read_statements(package: str, file: str, **marks: str) -> dict[str, str]:
    """Read the statements of a room's file; `marks` are statements of other files that it builds on."""
    text = resources.files(package).joinpath(file).read_text(encoding="utf-8")
    return load_statements(text, {**COLUMN_LISTS, **marks})


@cache
def fill(statement: str, **marks: str) -> str:
    """Fill the marks that depend on what is asked for; raise ValueError if one is left.

    Give it named statements and fragments only: these are few, so each text is made once.
    """
    filled = _filled(statement, marks)
    left = MARK.search(filled)
    if left is not None:
        raise ValueError(f"nothing was given for the mark {left[0]}")
    return filled


def conditions_given(*conditions: tuple[str, Any]) -> tuple[str, list[Any]]:
    """Return the conditions that have a value, each led by AND, and the values."""
    chosen = [(text, value) for text, value in conditions if value is not None]
    return "".join(f" AND {text}" for text, _ in chosen), [value for _, value in chosen]


def _filled(statement: str, marks: Marks) -> str:
    return MARK.sub(lambda mark: _text(mark, marks), statement)


def _text(mark: re.Match[str], marks: Marks) -> str:
    meant = marks.get(mark["name"])
    if meant is None:
        return mark[0]
    if isinstance(meant, str):
        return meant
    table = mark["table"]
    return ", ".join(meant if table is None else (f"{table}.{name}" for name in meant))
