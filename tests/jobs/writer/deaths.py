"""The death of a writer between any two of its steps."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from jobs.writer import core
from tests.jobs.writer_desk import Desk


class Died(BaseException):
    """The process was killed here."""


@contextmanager
def dying(desk: Desk, steps: int) -> Iterator[None]:
    """Kill the writer at its `steps`-th step: a statement, a bulk of them, or a publication."""
    left = [steps]

    def step() -> None:
        left[0] -= 1
        if left[0] < 0:
            raise Died

    patch = pytest.MonkeyPatch()
    for name in ("execute", "execute_many"):
        honest = getattr(desk.database, name)

        def counted(*arguments: Any, honest: Any = honest) -> Any:
            step()
            return honest(*arguments)

        patch.setattr(desk.database, name, counted)
    publish = core.publish  # type: ignore[attr-defined]

    def counted_publish(*arguments: Any) -> None:
        step()
        publish(*arguments)

    patch.setattr(core, "publish", counted_publish)
    # A dead process reads nothing again: the roll-back is SQLite's, the reload belongs to the next writer.
    patch.setattr(desk.writer.book, "reload", lambda: None)
    patch.setattr(desk.writer.settlement, "reload", lambda: None)
    try:
        yield
    finally:
        patch.undo()
