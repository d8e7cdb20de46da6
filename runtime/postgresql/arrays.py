"""Arrays as PostgreSQL reads them (https://www.postgresql.org/docs/current/arrays.html#ARRAYS-IO), each as one text.

psycopg writes them an element at a time, which takes as long as the rest of a commit.
"""

from __future__ import annotations

from collections.abc import Sequence


def numbers(values: Sequence[int | float | None]) -> str:
    """Return an array of numbers; None is NULL."""
    if None in values:
        return "{" + ",".join(["NULL" if value is None else str(value) for value in values]) + "}"
    return "{" + ",".join(map(str, values)) + "}"


def texts(values: Sequence[str | None]) -> str:
    """Return an array of texts; None is NULL."""
    if not values:
        return "{}"
    if None not in values:
        found = '","'.join(values)  # type: ignore[arg-type]  # none of them is None
        if "\\" not in found and found.count('"') == 2 * (len(values) - 1):
            return '{"' + found + '"}'
    return "{" + ",".join(["NULL" if value is None else _quoted(value) for value in values]) + "}"


def _quoted(value: str) -> str:
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
