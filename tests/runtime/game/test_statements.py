"""The loader of SQL: names, comments, marks."""

from __future__ import annotations

import pytest

from runtime.game.statements import COLUMN_LISTS, conditions_given, fill, load_statements


def test_statements_are_read_by_name_without_their_comments() -> None:
    text = "-- head\n-- name: one\n-- why\nSELECT 1;\n\n-- name: two\nSELECT 2\nFROM t;\n"
    assert load_statements(text) == {"one": "SELECT 1", "two": "SELECT 2\nFROM t"}


def test_a_mark_stands_for_a_list_of_columns_or_for_a_statement_above() -> None:
    text = "-- name: ids\nSELECT {row}, {t.row} FROM t;\n-- name: all\nSELECT * FROM ({ids}) WHERE {conditions};\n"
    found = load_statements(text, {"row": ("id", "amount")})
    assert found["ids"] == "SELECT id, amount, t.id, t.amount FROM t"
    assert found["all"] == "SELECT * FROM (SELECT id, amount, t.id, t.amount FROM t) WHERE {conditions}"
    assert fill(found["all"], conditions="id = ?").endswith("WHERE id = ?")


def test_a_mark_that_nothing_was_given_for_is_refused() -> None:
    with pytest.raises(ValueError, match="conditions"):
        fill("SELECT id FROM t WHERE {conditions}", branch="x")


def test_conditions_without_a_value_are_left_out() -> None:
    assert conditions_given(("a = ?", 0), ("b = ?", None), ("c < ?", "")) == (" AND a = ? AND c < ?", [0, ""])
    assert conditions_given() == ("", [])


def test_as_many_values_as_columns_go_in() -> None:
    for values, columns in (("bet_values", "bet_columns"), ("column_values", "column_columns")):
        assert len(COLUMN_LISTS[values]) == len(COLUMN_LISTS[columns])
