"""A grid by its differences: both clients put together what the whole one says."""

from __future__ import annotations

import json
import shutil
import subprocess
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from runtime.game.rewards import BrownianTouch
from runtime.market.grid import Grid, build_grid
from runtime.market.grid_change import change_between, vlq
from taptrade.client.grid_changes import GridChanges, applied, read_column
from taptrade.client.sse import StreamEvent
from tests.jobs.feed.ticks import tick
from tests.runtime.market.test_grid import NOW, RULES

PAGE = Path(__file__).parents[3] / "page" / "client"
RUN = """
const { applied } = await import(process.argv[1]);
let grid = null;
for (const change of JSON.parse((await import("node:fs")).readFileSync(0, "utf8"))) {
  grid = grid === null ? change : applied(grid, change);
  console.log(JSON.stringify(grid));
}
"""


def grids(count: int = 60) -> list[Grid]:
    """Return the grids of a price that wanders over rows and columns, with cells that come and go."""
    rng, cents = Random(7), 9_400_230
    found = []
    for at in range(count):
        now_ms = NOW + at * 250
        cents += rng.randrange(-700, 701)
        grid = build_grid(
            tick(now_ms - 100, cents), BrownianTouch(RULES, 500), RULES, now_ms, mode="demo", presets_cents=(100,)
        )
        gone = rng.randrange(len(grid.rows))
        rates = tuple(tuple(None if row == gone else bp for row, bp in enumerate(each)) for each in grid.rates_bp)
        found.append(replace(grid, rates_bp=rates))
    return found


def plain(value: Any) -> dict[str, Any]:
    """Return what JSON makes of it."""
    found: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(value))
    return found


def told(value: Any, event_id: str = "1-0") -> dict[str, Any]:
    """Return what an event of the stream holds."""
    return {"event_id": event_id, **plain(value)}


def test_changes_lead_from_each_grid_to_the_next_and_are_much_shorter() -> None:
    found = grids()
    grid, wholes, changes = told(found[0]), 0, 0
    for base, whole in pairwise(found):
        change = change_between(base, whole, "1-0")
        assert change is not None
        grid = applied(grid, told(change))
        assert grid == told(whole)
        wholes += len(msgspec.json.encode(whole))
        changes += len(msgspec.json.encode(change))
    assert changes < 0.3 * wholes


def test_javascript_puts_the_same_together() -> None:
    if shutil.which("node") is None:
        pytest.skip("LEFT OUT: there is no node on this machine")
    found = grids(20)
    events = [told(found[0]), *(told(change_between(*pair, "1-0")) for pair in pairwise(found))]
    command = ["node", "--input-type=module", "-e", RUN, (PAGE / "grid_changes.js").as_uri()]
    done = subprocess.run(command, input=json.dumps(events), capture_output=True, text=True, timeout=60, check=True)
    assert [json.loads(line) for line in done.stdout.splitlines()] == [told(grid) for grid in found]


@pytest.mark.parametrize("number", [0, 1, -1, 15, 16, -16, 1_000_000, -1_000_000, 2**40])
def test_numbers_are_read_as_they_are_written(number: int) -> None:
    assert read_column(f"{vlq(number)}.{vlq(-number)}") == [number, None, -number]


def test_what_else_changes_needs_the_whole_grid() -> None:
    base, grid = grids(2)
    assert change_between(replace(base, fill_delay_ms=250), grid, "1-0") is None
    assert change_between(replace(base, column_seconds=10), grid, "1-0") is None
    assert change_between(base, replace(grid, columns=(), rates_bp=()), "1-0") is None
    assert change_between(base, replace(grid, rows=grid.rows[::2]), "1-0") is None


def test_a_change_whose_base_was_not_told_is_passed_over() -> None:
    first, second, third = grids(3)
    changes = GridChanges()
    lost = event("grid_change", told(change_between(first, second, "0-1")))
    assert changes.whole(lost) is None
    assert changes.whole(event("grid", told(second))) == event("grid", told(second))
    assert changes.whole(lost) is None
    found = changes.whole(event("grid_change", told(change_between(second, third, "1-0"), "9-9")))
    assert found is not None
    assert (found.type, json.loads(found.data)) == ("grid", told(third, "9-9"))


def event(kind: str, data: dict[str, Any]) -> StreamEvent:
    """Return an event of a stream."""
    return StreamEvent("e.1-0.1.0", kind, msgspec.json.encode(data))
