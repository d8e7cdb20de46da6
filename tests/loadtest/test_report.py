"""The report: tables, numbers, the sections' templates, and their place in a document."""

from __future__ import annotations

from pathlib import Path

import jinja2
import pytest

from loadtest.__main__ import MEASUREMENTS
from loadtest.measurement import DOCUMENTS
from loadtest.report import NoMarkers, counts, mean, number, percent, put_between, renew, section, table


def test_columns_are_as_wide_as_they_need() -> None:
    assert table("| name | n |\n\n| a | 1 |\n| longer | 1,000 |\n") == (
        "| name   |     n |\n| ------ | ----: |\n| a      |     1 |\n| longer | 1,000 |"
    )


def test_numbers_are_written_for_people() -> None:
    assert [number(1234567), number(0.05, 1), number(3.0, 1, "+"), number(None)] == ["1,234,567", "0.1", "+3.0", "-"]
    assert [percent(0.7), percent(0.1234, 1)] == ["70%", "12.3%"]
    assert counts({"CELL_CLOSED": 1_234, "PENDING": 1}) == "1,234 CELL_CLOSED, 1 PENDING"
    assert (counts({}), counts({}, "none")) == ("0", "none")


def test_nothing_has_no_mean() -> None:
    assert mean(iter([1.0, 4.0])) == 2.5
    assert mean([]) is None


def test_section_that_misses_a_figure_is_refused() -> None:
    with pytest.raises(jinja2.UndefinedError):
        section("spike", {})


def test_block_replaces_what_was_between_its_markers() -> None:
    document = "a\n<!-- bench: x -->\nold\n<!-- end of bench: x -->\nb\n"
    renewed = put_between(document, "bench: x", "new")
    assert renewed == "a\n<!-- bench: x -->\n\nnew\n\n<!-- end of bench: x -->\nb\n"
    assert put_between(renewed, "bench: x", "new") == renewed


@pytest.mark.parametrize("document", ["", "<!-- bench: x -->", "<!-- end of bench: x --><!-- bench: x -->"])
def test_document_without_markers_is_refused(document: str) -> None:
    with pytest.raises(NoMarkers):
        put_between(document, "bench: x", "new")


def test_a_block_goes_into_the_document_that_has_its_markers(tmp_path: Path) -> None:
    page, log = tmp_path / "page.md", tmp_path / "log.md"
    page.write_text("a\n<!-- x -->\n<!-- end of x -->\n")
    log.write_text("b\n<!-- y -->\nold\n<!-- end of y -->\n")
    renew([page, log], {"y": "new", "x": "first"})
    assert page.read_text() == "a\n<!-- x -->\n\nfirst\n\n<!-- end of x -->\n"
    assert log.read_text() == "b\n<!-- y -->\n\nnew\n\n<!-- end of y -->\n"
    with pytest.raises(NoMarkers):
        renew([page, log], {"z": "new"})


def test_every_section_has_its_markers_in_one_document() -> None:
    documents = [path.read_text() for path in DOCUMENTS]
    by_hand = {"server", "guard"}
    names = {name for one in MEASUREMENTS.values() for name in one.sections or (one.name,)} - by_hand
    assert {"against", "bench: search", "soak: series", "history"} <= names
    for name in names:
        for marker in (f"<!-- {name} -->", f"<!-- end of {name} -->"):
            assert [document.count(marker) for document in documents] in ([1, 0], [0, 1]), marker
