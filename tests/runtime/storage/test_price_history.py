"""Candles and ticks of any range, page by page, against a brute force over all ticks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.clock import ManualClock
from runtime.storage import price_history, ticks_store
from runtime.storage.database import Database, open_writer
from runtime.storage.price_history import WIDTHS_MS
from tests.runtime.game.prices import tick

BEGIN_MS = 1_790_000_000_000 // 3_600_000 * 3_600_000
SPAN_MS = 3 * 3_600_000
PAGES_MAX = 2_000
Row = dict[str, Any]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    path = tmp_path_factory.mktemp("ticks") / "ticks.db"
    ticks_store.prepare(path, ManualClock(BEGIN_MS))
    opened = open_writer(path)
    yield opened
    opened.close()


# Times in clusters, at edges and far apart, so that pages end within them, between them and in silences.
offsets = st.integers(0, SPAN_MS) | st.integers(0, 5_000) | st.integers(0, SPAN_MS // 60_000).map(lambda n: n * 60_000)
prices = st.integers(10, 90)
drawn = st.dictionaries(offsets, st.tuples(prices, prices, prices), max_size=40)
ranges = st.tuples(offsets, offsets).map(sorted)


def keep(store: Database, ticks: dict[int, tuple[int, int, int]]) -> list[Row]:
    """Store ticks in place of those before; return them as rows, in order."""
    while ticks_store.trim(store, BEGIN_MS + 10 * SPAN_MS, 1_000):
        pass
    # What lies in the seconds and minutes of the last ticks goes with later ones only.
    store.execute("DELETE FROM candles")
    store.execute("DELETE FROM second_candles")
    rows = []
    for offset, three in sorted(ticks.items()):
        low, close, high = sorted(three)
        ticks_store.append(store, tick(BEGIN_MS + offset, close, low, high))
        rows.append({"id": BEGIN_MS + offset, "close": close, "low": low, "high": high})
    return rows


def brute_force(ticks: Sequence[Row], width_ms: int, from_ms: int, to_ms: int) -> list[Row]:
    """Make the candles that touch [from, to) of all ticks at once."""
    groups: dict[int, list[Row]] = {}
    for each in ticks:
        groups.setdefault(each["id"] // width_ms * width_ms, []).append(each)
    return [
        {
            "start_ms": start_ms,
            "open": group[0]["close"],
            "high": max(each["high"] for each in group),
            "low": min(each["low"] for each in group),
            "close": group[-1]["close"],
            "ticks": len(group),
        }
        for start_ms, group in sorted(groups.items())
        if start_ms < to_ms and start_ms + width_ms > from_ms
    ]


@given(drawn, ranges, st.sampled_from(list(WIDTHS_MS.values())), st.integers(1, 7))
def test_pages_of_candles_join_to_those_of_all_ticks(
    store: Database, ticks: dict[int, tuple[int, int, int]], stretch: list[int], width_ms: int, limit: int
) -> None:
    rows = keep(store, ticks)
    from_ms, to_ms = BEGIN_MS + stretch[0], BEGIN_MS + stretch[1] + 1
    found: list[Row] = []
    at_ms: int | None = from_ms
    for _ in range(PAGES_MAX):
        page, at_ms = price_history.candles(store.dicts, at_ms or from_ms, to_ms, width_ms, limit)
        assert len(page) <= limit
        found += page
        if at_ms is None:
            break
    assert at_ms is None, "the pages never end"
    assert found == brute_force(rows, width_ms, from_ms, to_ms)


@given(drawn, ranges, st.sampled_from(list(WIDTHS_MS.values())), st.integers(1, 7))
def test_the_newest_candles_are_the_last_of_all(
    store: Database, ticks: dict[int, tuple[int, int, int]], stretch: list[int], width_ms: int, limit: int
) -> None:
    rows = keep(store, ticks)
    from_ms, to_ms = BEGIN_MS + stretch[0], BEGIN_MS + stretch[1] + 1
    expected = brute_force(rows, width_ms, from_ms, to_ms)[-limit:]
    assert price_history.newest(store.dicts, from_ms, to_ms, width_ms, limit) == expected


@given(drawn, ranges, st.integers(1, 7))
def test_pages_of_ticks_join_to_all_of_them(
    store: Database, ticks: dict[int, tuple[int, int, int]], stretch: list[int], limit: int
) -> None:
    rows = keep(store, ticks)
    from_ms, to_ms = BEGIN_MS + stretch[0], BEGIN_MS + stretch[1] + 1
    expected = [each["id"] for each in rows if from_ms <= each["id"] < to_ms]
    found: list[int] = []
    at_ms: int | None = from_ms
    while at_ms is not None:
        page, at_ms = price_history.ticks(store.dicts, at_ms, to_ms, limit)
        found += [each["id"] for each in page]
        assert len(found) <= len(expected)
    assert found == expected
    newest = price_history.newest(store.dicts, from_ms, to_ms, None, limit)
    assert [each["id"] for each in newest] == expected[-limit:]


@given(drawn, offsets)
def test_trimmed_candles_go_with_their_ticks(
    store: Database, ticks: dict[int, tuple[int, int, int]], before: int
) -> None:
    rows = keep(store, ticks)
    before_ms = BEGIN_MS + before
    while ticks_store.trim(store, before_ms, 3):
        pass
    left = [each for each in rows if each["id"] >= before_ms]
    gone = [each["id"] for each in rows if each["id"] < before_ms]
    for width_ms in (1_000, 60_000):
        last_gone = max(gone, default=0) // width_ms * width_ms
        # The candle in which the last deleted tick lay stays as it was until the next one is deleted.
        whole = [each for each in brute_force(rows, width_ms, 0, 10**15) if each["start_ms"] >= last_gone]
        assert price_history.candles(store.dicts, BEGIN_MS, BEGIN_MS + SPAN_MS + 1, width_ms, 500)[0] == [
            each for each in whole if each["start_ms"] - BEGIN_MS < price_history.SECONDS_SPAN_MS or width_ms == 60_000
        ]
    assert len(left) + len(gone) == len(rows)
