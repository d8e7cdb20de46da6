"""What a writer reads of players and logins is read once, until it is let go of or cleared."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest

from runtime.game import row_numbers
from runtime.game.row_numbers import RowNumbers


class Stored:
    """Answers with the rows of those that are stored, and remembers who was asked for."""

    def __init__(self, *ids: str) -> None:
        self.ids = ids
        self.asked: list[list[str]] = []

    def execute(self, _sql: str, params: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Answer."""
        wanted = json.loads(params[0])
        self.asked.append(wanted)
        return [(name, number, f"of {name}") for number, name in enumerate(self.ids, 1) if name in wanted]


@pytest.mark.parametrize("kind", ["meet", "logins"])
def test_each_is_read_once_and_one_that_is_not_stored_again(kind: str) -> None:
    stored, numbers = Stored("a", "b"), RowNumbers()
    read = getattr(numbers, kind)
    assert read(stored.execute, ["a", "x"]) == {"a": (1, "of a")}
    assert read(stored.execute, ["a", "b", "x"]) == {"a": (1, "of a"), "b": (2, "of b")}
    read(stored.execute, ["a", "b"])
    assert stored.asked == [["a", "x"], ["b", "x"]]


@pytest.mark.parametrize("kind", ["meet", "logins"])
def test_those_that_are_too_many_are_let_go_of_and_read_again(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(row_numbers, "KEPT_MAX", 2)
    stored, numbers = Stored("a", "b", "c"), RowNumbers()
    read = getattr(numbers, kind)
    read(stored.execute, ["a", "b", "c"])
    numbers.trim()
    assert read(stored.execute, ["b", "c"]) == {"b": (2, "of b"), "c": (3, "of c")}
    read(stored.execute, ["a"])
    assert stored.asked == [["a", "b", "c"], ["a"]]


@pytest.mark.parametrize("kind", ["meet", "logins"])
def test_everything_is_read_anew_once_it_was_cleared(kind: str) -> None:
    stored, numbers = Stored("a"), RowNumbers()
    read = getattr(numbers, kind)
    read(stored.execute, ["a"])
    numbers.clear()
    read(stored.execute, ["a"])
    assert stored.asked == [["a"], ["a"]]
