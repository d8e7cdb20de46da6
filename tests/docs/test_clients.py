"""The guide to clients names every status of a bet, kind of entry and field of a price, and no other."""

from __future__ import annotations

import re
from typing import get_args, get_type_hints

import pytest

from runtime.game.bets import Status
from runtime.game.ledger import RefType
from runtime.stream.payloads import PriceEvent
from taptrade.choice import Offer
from taptrade.views import PriceEventView
from tests.docs.tables import ROOT

TYPES = (ROOT / "page" / "client" / "types.d.ts").read_text(encoding="utf-8")
GUIDE = (ROOT / "docs" / "clients.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("heading", "names"),
    [
        ("| status | ", {"pending", *get_args(Status)}),
        ("| `ref_type` of an entry | ", set(get_args(RefType))),
        ("| field of a `price` | ", set(PriceEventView.__struct_fields__)),
    ],
)
def test_its_tables_are_whole(heading: str, names: set[str]) -> None:
    rows = GUIDE.split(heading, 1)[1].split("\n\n", 1)[0].splitlines()[2:]
    assert {name for row in rows for name in re.findall(r"`(\w+)`", row.split("|")[1])} == names


def test_the_price_that_the_client_reads_is_what_the_stream_tells() -> None:
    told, read = get_type_hints(PriceEvent), get_type_hints(PriceEventView)
    assert read.items() <= told.items()
    assert told.keys() - read.keys() == {"features", "event_id"}


def test_an_offer_has_what_the_guide_says() -> None:
    rows = GUIDE.split("| an offer in Python | ", 1)[1].split("\n\n", 1)[0].splitlines()[2:]
    python, script = ({name for row in rows for name in re.findall(r"`(\w+)`", row.split("|")[at])} for at in (1, 2))
    assert {name for name in python if not hasattr(Offer, name)} == set()
    offered = re.search(r"interface Offered \{(.*?)\}", TYPES, re.DOTALL)
    assert offered is not None
    assert set(re.findall(r"(\w+):", offered[1])) == script
