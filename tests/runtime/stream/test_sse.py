"""The bytes of server-sent events, read back by a parser that follows the standard."""

from __future__ import annotations

from random import Random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.errors import InvalidRequest
from runtime.stream.sse import (
    EVERYTHING,
    HEARTBEAT,
    Cursor,
    beginning,
    frame,
    parse_cursor,
    retry,
    wanted,
    with_event_id,
)

CURSOR = Cursor("01EPOCH", "1790000000123-4", 77, 3)


def parse(stream: bytes) -> list[dict[str, str]]:
    """Read events as a browser does."""
    events: list[dict[str, str]] = []
    for block in stream.decode().split("\n\n"):
        fields: dict[str, str] = {}
        for line in block.splitlines():
            name, _, value = line.partition(":")
            if name == "data" and "data" in fields:
                value = fields["data"] + "\n" + value
            fields[name] = value.removeprefix(" ")
        if "data" in fields:
            events.append(fields)
    return events


def test_an_event_carries_its_type_its_readers_place_and_its_data() -> None:
    assert parse(frame("price", CURSOR, b'{"a":1}')) == [
        {"event": "price", "id": "01EPOCH.1790000000123-4.77.3", "data": '{"a":1}'}
    ]


def test_data_cannot_break_out_of_its_line() -> None:
    events = parse(frame("price", CURSOR, b'{\n\n"a":\r\n 1}'))
    assert len(events) == 1
    assert msgspec.json.decode(events[0]["data"]) == {"a": 1}


def test_heartbeat_and_retry_are_no_events() -> None:
    assert parse(HEARTBEAT + retry(Random(1))) == []


def test_the_wait_before_a_reconnect_differs_between_readers() -> None:
    random = Random(7)
    waits = {int(retry(random).removeprefix(b"retry: ")) for _ in range(50)}
    assert len(waits) > 40
    assert min(waits) >= 1_000
    assert max(waits) <= 3_000


@given(
    st.from_regex(r"[A-Za-z0-9_-]{1,64}", fullmatch=True),
    st.tuples(st.integers(0, 10**15 - 1), st.integers(0, 10**10 - 1)),
    st.integers(0, 10**15 - 1),
    st.integers(0, 10**9 - 1),
)
def test_a_place_is_read_as_it_was_written(epoch: str, public: tuple[int, int], commit: int, n: int) -> None:
    cursor = Cursor(epoch, f"{public[0]}-{public[1]}", commit, n)
    assert parse_cursor(str(cursor)) == cursor


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1",
        "a.b.c.d",
        "e.1-0.2",
        "e.1-0.2.3.4",
        "e.1-0.-2.3",
        "e.1-0.2.3\n",
        "e.1.2.3",
        "e.1-0.٢.3",
        "e.1-0.2." + "9" * 99,
    ],
)
def test_what_is_no_cursor_is_read_as_none(text: str) -> None:
    assert parse_cursor(text) is None


def test_to_resume_at_the_beginning_is_to_start() -> None:
    assert beginning("E").nowhere
    assert not CURSOR.nowhere


@pytest.mark.parametrize(
    ("data", "rest"), [(b"{}", {}), (b'{"a":1}', {"a": 1}), (b'{ \n"a":[{}]}', {"a": [{}]}), (b"{ }", {})]
)
def test_event_id_joins_the_payload(data: bytes, rest: dict[str, object]) -> None:
    assert msgspec.json.decode(with_event_id(data, "c5.1")) == {"event_id": "c5.1", **rest}


@pytest.mark.parametrize("data", [b"", b"[]", b"1", b'"{}"'])
def test_event_id_joins_objects_only(data: bytes) -> None:
    with pytest.raises(ValueError, match="object"):
        with_event_id(data, "1-0")


def test_a_filter_is_a_list_of_known_events_and_everything_if_empty() -> None:
    assert wanted("") is EVERYTHING
    assert wanted(",".join(EVERYTHING)) is EVERYTHING
    assert wanted("bet, balance") == {"bet", "balance"}
    assert wanted("", changes=True) is wanted("", changes=True)
    assert wanted("grid", changes=True) == {"grid", "grid_change"}
    assert wanted("price", changes=True) == {"price"}
    assert wanted("price,grid", changes=True, brief=True) == {"price", "brief_price", "grid", "grid_change"}
    assert wanted("grid", brief=True) == {"grid"}
    with pytest.raises(InvalidRequest, match="`prices`"):
        wanted("bet,prices")
