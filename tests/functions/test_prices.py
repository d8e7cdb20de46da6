"""GET /api/prices: ticks and candles, their edges and pages."""

from __future__ import annotations

from itertools import pairwise
from random import Random
from typing import Any

import pytest

from runtime.storage.price_history import WIDTHS_MS
from runtime.storage.ticks_store import TICKS, trim
from tests.conftest import START_MS
from tests.functions.market_stall import Stall, ids

HOUR_MS = 3_600_000
BEGIN_MS = START_MS - START_MS % HOUR_MS - 2 * HOUR_MS


def pages(stall: Stall, **params: Any) -> list[dict[str, Any]]:
    """Follow the cursor to the end."""
    name = "ticks" if params.get("resolution", "tick") == "tick" else "candles"
    rows: list[dict[str, Any]] = []
    cursor: dict[str, Any] = {}
    for _ in range(100):
        answer = stall.get("/api/prices", **params, **cursor)
        assert answer.status_code == 200, answer.text
        assert len(answer.json[name]) <= params.get("limit", 300)
        rows += answer.json[name]
        if answer.json["next_cursor"] is None:
            return rows
        cursor = {"cursor": answer.json["next_cursor"]}
    raise AssertionError("the pages never end")


def walk(stall: Stall, count: int, step_ms: int) -> list[tuple[int, int, int, int]]:
    """Store a random walk; return (id, close, low, high) of its ticks."""
    random = Random(5)
    ticks = []
    for turn in range(count):
        close = 9_000_000 + random.randint(-5_000, 5_000)
        row = (BEGIN_MS + turn * step_ms + random.randint(0, step_ms - 1), close, close - 30, close + 20)
        stall.tick(row[0], close, low=row[2], high=row[3])
        ticks.append(row)
    return ticks


def oracle(ticks: list[tuple[int, int, int, int]], width_ms: int) -> list[dict[str, int]]:
    groups: dict[int, list[tuple[int, int, int, int]]] = {}
    for row in ticks:
        groups.setdefault(row[0] // width_ms * width_ms, []).append(row)
    return [
        {
            "start_ms": start_ms,
            "open": rows[0][1],
            "high": max(row[3] for row in rows),
            "low": min(row[2] for row in rows),
            "close": rows[-1][1],
            "ticks": len(rows),
        }
        for start_ms, rows in sorted(groups.items())
    ]


def test_from_counts_and_to_does_not(stall: Stall) -> None:
    for offset in (0, 100, 200, 300):
        stall.tick(BEGIN_MS + offset, 9_000_000)
    rows = pages(stall, **{"from": BEGIN_MS + 100, "to": BEGIN_MS + 300})
    assert ids(rows) == [BEGIN_MS + 100, BEGIN_MS + 200]
    assert rows[0] == {
        "id": BEGIN_MS + 100,
        "exchange_ms": BEGIN_MS + 100,
        "close": 9_000_000,
        "low": 9_000_000,
        "high": 9_000_000,
    }


def test_pages_of_ticks_join_without_gap_or_repeat(stall: Stall) -> None:
    expected = [row[0] for row in walk(stall, 101, 400)]
    rows = pages(stall, **{"from": BEGIN_MS, "to": BEGIN_MS + HOUR_MS, "limit": 10})
    assert ids(rows) == expected


@pytest.mark.parametrize("resolution", list(WIDTHS_MS))
def test_candles_are_those_of_the_ticks(stall: Stall, resolution: str) -> None:
    ticks = walk(stall, 700, 9_000)
    rows = pages(stall, **{"from": BEGIN_MS, "to": START_MS, "resolution": resolution, "limit": 40})
    assert rows == oracle(ticks, WIDTHS_MS[resolution])


def test_candles_are_whole_at_the_ends(stall: Stall) -> None:
    ticks = walk(stall, 200, 1_000)
    rows = pages(stall, **{"from": BEGIN_MS + 90_000, "to": BEGIN_MS + 130_000, "resolution": "1m"})
    assert rows == oracle(ticks, 60_000)[1:3]
    rows = pages(stall, **{"from": BEGIN_MS + 12_000, "to": BEGIN_MS + 19_000, "resolution": "5s"})
    assert rows == oracle(ticks, 5_000)[2:4]


def test_a_silence_is_paged_over(stall: Stall) -> None:
    stall.tick(BEGIN_MS, 9_000_000)
    stall.tick(BEGIN_MS + HOUR_MS + 5, 9_000_500)
    rows = pages(stall, **{"from": BEGIN_MS, "to": BEGIN_MS + 2 * HOUR_MS, "resolution": "1s"})
    assert ids(rows, "start_ms") == [BEGIN_MS, BEGIN_MS + HOUR_MS]


def newest(stall: Stall, resolution: str, **params: Any) -> list[int]:
    """Ask without a `from`; return where the ticks or candles start, which must all be on one page."""
    answer = stall.get("/api/prices", resolution=resolution, **params).json
    rows = ids(answer["ticks"]) if resolution == "tick" else ids(answer["candles"], "start_ms")
    assert (answer["resolution"], answer["next_cursor"]) == (resolution, None)
    assert (answer["from_ms"], answer["to_ms"]) == (rows[0] if rows else 0, params.get("to", START_MS + 1))
    return rows


@pytest.mark.parametrize("limit", [1, 2, 5, 300])
@pytest.mark.parametrize("resolution", ["tick", *WIDTHS_MS])
def test_without_a_from_it_is_the_newest_on_one_page(stall: Stall, limit: int, resolution: str) -> None:
    ticks = [START_MS - offset for offset in range(200_000, -1, -500)]
    for ms in ticks:
        stall.tick(ms, 9_000_000)
    width_ms = WIDTHS_MS.get(resolution, 1)
    assert newest(stall, resolution, limit=limit) == sorted({ms // width_ms * width_ms for ms in ticks})[-limit:]


@pytest.mark.parametrize("resolution", ["tick", *WIDTHS_MS])
def test_the_newest_are_those_before_to_however_old_and_far_apart_they_are(stall: Stall, resolution: str) -> None:
    width_ms = WIDTHS_MS.get(resolution, 1)
    ticks = [START_MS - hours * HOUR_MS for hours in (150, 100, 99, 20, 5)]
    for ms in ticks:
        stall.tick(ms, 9_000_000)
    starts = [ms // width_ms * width_ms for ms in ticks]
    assert newest(stall, resolution) == starts
    assert newest(stall, resolution, limit=2) == starts[-2:]
    # A candle counts if it begins before `to`, as in a stretch with both ends.
    assert newest(stall, resolution, limit=2, to=starts[3] + 1) == starts[2:4]
    assert newest(stall, resolution, limit=2, to=starts[3]) == starts[1:3]
    assert newest(stall, resolution, to=starts[0]) == []


def test_ticks_older_than_what_is_kept_are_not_the_newest(stall: Stall) -> None:
    stall.tick(START_MS - 169 * HOUR_MS, 9_000_000)
    assert newest(stall, "tick") == newest(stall, "1m") == []


def test_the_newest_candles_are_read_from_a_bounded_piece(stall: Stall) -> None:
    ticks = [START_MS - offset for offset in range(7_500_000, -1, -25_000)]
    for ms in ticks:
        stall.tick(ms, 9_000_000)
    starts = sorted({ms // 30_000 * 30_000 for ms in ticks})
    assert newest(stall, "30s") == starts[-200:]
    assert len(starts) > 200


def test_what_is_trimmed_is_gone_from_the_candles_too(stall: Stall) -> None:
    ticks = walk(stall, 300, 1_000)
    while trim(stall.ticks, BEGIN_MS + 150_000, 50):
        pass
    rows = pages(stall, **{"from": BEGIN_MS, "to": START_MS, "resolution": "1m"})
    assert ids(rows, "start_ms") == [BEGIN_MS + 120_000, BEGIN_MS + 180_000, BEGIN_MS + 240_000]
    assert rows[1:] == oracle(ticks, 60_000)[3:]


@pytest.mark.parametrize(
    "params",
    [
        pytest.param({"from": 10, "to": 10}, id="empty stretch"),
        pytest.param({"from": 20, "to": 10}, id="reversed"),
        pytest.param({"from": -1}, id="negative"),
        pytest.param({"from": "yesterday"}, id="words"),
        pytest.param({"to": 10**15}, id="far future"),
        pytest.param({"resolution": "2s"}, id="no such resolution"),
        pytest.param({"limit": 0}, id="no rows"),
        pytest.param({"limit": 501}, id="too many rows"),
        pytest.param({"cursor": "x"}, id="no cursor"),
        pytest.param({"form": 1}, id="misspelt"),
    ],
)
def test_odd_questions_are_refused(stall: Stall, params: dict[str, Any]) -> None:
    answer = stall.get("/api/prices", **params)
    assert (answer.status_code, answer.json["code"]) == (400, "INVALID_REQUEST")
    assert answer.json["field"]


def test_a_cursor_cannot_lead_out_of_the_stretch(stall: Stall) -> None:
    walk(stall, 10, 1_000)
    stretch = {"from": BEGIN_MS + 5_000, "to": BEGIN_MS + 8_000}
    inside = ids(stall.get("/api/prices", **stretch).json["ticks"])
    assert ids(stall.get("/api/prices", cursor="0", **stretch).json["ticks"]) == inside
    assert stall.get("/api/prices", cursor=str(10**17), **stretch).json["ticks"] == []


def test_every_read_goes_by_the_key(stall: Stall) -> None:
    from runtime.storage import price_history

    walk(stall, 5, 1_000)
    plans = []

    def explain(sql: str, params: Any) -> list[dict[str, Any]]:
        plans.append([row["detail"] for row in stall.parts.ticks_pool.rows(f"EXPLAIN QUERY PLAN {sql}", params)])
        return []

    price_history.ticks(explain, 0, 10, 5)
    for width_ms in (1_000, HOUR_MS):
        price_history.candles(explain, 0, 10**6, width_ms, 5)
    explain(TICKS["newest_steps"], (1, 0, 10, 1, 0, 5))
    steps = [step for plan in plans for step in plan if "SCAN" in step]
    assert all(
        step.startswith(("SCAN candle", "SCAN found", "SCAN CONSTANT ROW")) and "candles" not in step for step in steps
    ), steps
    assert len(plans) == 4
    assert all(left != right for left, right in pairwise(plans))
