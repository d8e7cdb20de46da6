"""Accept by weight, specificity and name, and Prefer by its names, whatever else stands in them."""

from __future__ import annotations

import pytest

from runtime.web.header_fields import preferred_type, prefers

JSON, CSV = "application/json", "text/csv"


@pytest.mark.parametrize(
    ("accept", "wanted"),
    [
        pytest.param("", JSON, id="nothing"),
        pytest.param("*/*", JSON, id="anything"),
        pytest.param("*", JSON, id="anything, as Java once wrote it"),
        pytest.param("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", JSON, id="a browser"),
        pytest.param("text/csv", CSV, id="the name"),
        pytest.param("Text/CSV", CSV, id="the name in capitals"),
        pytest.param("text/csv;charset=utf-8", CSV, id="parameter"),
        pytest.param('text/csv;header="a, b";q=0.9', CSV, id="comma in a parameter"),
        pytest.param("text/html, text/csv", CSV, id="not the first in the text"),
        pytest.param("text/csv;q=0.1, application/json;q=0.9", JSON, id="the first in the text, but with less weight"),
        pytest.param("application/json;q=0.1,text/csv ; Q=0.3", CSV, id="weights with blanks and capitals"),
        pytest.param("text/csv;q=0", JSON, id="not this"),
        pytest.param("text/csv;q=0, */*", JSON, id="anything but this"),
        pytest.param("application/json;q=0, */*;q=0.1", CSV, id="anything but the other"),
        pytest.param("text/*", CSV, id="its kind"),
        pytest.param("text/*;q=0.9, text/csv;q=0.1, application/json;q=0.5", JSON, id="the name weighs, not its kind"),
        pytest.param("application/*;q=0.2, */*;q=0.5", CSV, id="the kind weighs, not everything"),
        pytest.param("text/csv, */*", CSV, id="named rather than anything"),
        pytest.param("text/csv, application/json", CSV, id="named first"),
        pytest.param("application/json, text/csv", JSON, id="the other named first"),
        pytest.param("text/csv,", CSV, id="empty element"),
        pytest.param("nonsense, text/csv", CSV, id="nonsense beside it"),
        pytest.param("text/csv;q=much, */*;q=0.1", JSON, id="no weight"),
        pytest.param("text/csv;q=7", JSON, id="too much weight"),
        pytest.param("image/png", JSON, id="nothing that there is"),
        pytest.param("text/csv2, text/csvs", JSON, id="names that begin alike"),
    ],
)
def test_the_type_with_the_greatest_weight_is_preferred(accept: str, wanted: str) -> None:
    assert preferred_type(accept, (JSON, CSV)) == wanted


@pytest.mark.parametrize(
    ("prefer", "named"),
    [
        ("respond-async", True),
        ("Respond-Async", True),
        ("return=minimal, respond-async; wait=10", True),
        ("respond-async=yes,wait=10", True),
        ("", False),
        ("no-respond-async", False),
        ("return=minimal; respond-async", False),
        ('note="respond-async"', False),
    ],
)
def test_a_preference_is_named_by_a_whole_word(prefer: str, named: bool) -> None:
    assert prefers(prefer, "respond-async") is named
