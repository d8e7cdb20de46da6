"""Spreadsheets in which nothing that somebody wrote is computed."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest

from runtime.records.spreadsheet import harmless, sheet

EVIL = [
    ("=1+1", "'=1+1"),
    ("+1", "'+1"),
    ("-1", "'-1"),
    ("@SUM(A1)", "'@SUM(A1)"),
    ("\t=1", "\t'=1"),
    (" =1", " '=1"),
    ("\uff1d1", "'\uff1d1"),
    ("a;=1", "a;'=1"),
    ("a\n=1", "a\n'=1"),
    ("a\t-1", "a\t'-1"),
    ("==1", "'==1"),
]
FINE = ["", "psp-4711", "a=b", "1790000000_9200000_9200500", "2026-09-21T12:00:00.000Z", "a, -5", -100, 7, None]


@pytest.mark.parametrize(("text", "shown"), EVIL)
def test_a_formula_becomes_a_text(text: str, shown: str) -> None:
    assert harmless(text) == shown


@pytest.mark.parametrize("value", FINE)
def test_everything_else_stays_as_it_is(value: Any) -> None:
    assert harmless(value) == value


def test_a_sheet_is_read_back_as_it_was() -> None:
    rows: list[dict[str, Any]] = [
        {"a": 'say "x"', "b": -5},
        {"a": "x,y\r\nz", "b": None},
        {"a": '=HYPERLINK("http://x")', "c": 1},
    ]
    text = sheet(("a", "b"), rows)
    assert text.startswith("a,b\r\n")
    assert list(csv.reader(io.StringIO(text, newline=""))) == [
        ["a", "b"],
        ['say "x"', "-5"],
        ["x,y\r\nz", ""],
        ['\'=HYPERLINK("http://x")', ""],
    ]
