"""A window's evidence from its path of ticks, coverage, and who wins by it."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.game.columns import Evidence
from runtime.game.settlement import Result, evidence, result
from runtime.game.ticks import Tick
from tests.runtime.game.prices import tick

START = 1_790_000_000_000
END = START + 5_000
LATER = END + 1_000


def decided(low_cents: int, high_cents: int, found: Evidence) -> Result:
    return result(low_cents, high_cents, found.covered, found.low, found.high)


def judged(
    carried: Tick | None, ticks: list[Tick], following: Tick | None, now_ms: int = LATER, end_ms: int = END
) -> Evidence:
    """Return the evidence of a window that can be decided."""
    found = evidence(carried, ticks, following, START, end_ms, now_ms)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("carried", "ticks", "expected"),
    [
        pytest.param(
            tick(START - 400, 1000),
            [tick(START + 100, 1010), tick(START + 4_900, 990)],
            (1000, 990, 1010, 990, 3, START - 400, START + 4_900),
            id="plain",
        ),
        pytest.param(
            tick(START - 400, 1000),
            [tick(START + 100, 1010), tick(START + 200, 1005)],
            (1000, 1000, 1010, 1005, 3, START - 400, START + 200),
            id="the price carried in is an extreme",
        ),
        pytest.param(
            tick(START - 400, 1000, low=1, high=9999),
            [tick(START + 100, 1010)],
            (1000, 1000, 1010, 1010, 2, START - 400, START + 100),
            id="low and high of the tick carried in lie before the window",
        ),
        pytest.param(
            tick(START - 400, 1000),
            [tick(START + 100, 1010, low=900, high=1100)],
            (1000, 900, 1100, 1010, 2, START - 400, START + 100),
            id="lows and highs of the window count",
        ),
        pytest.param(
            tick(START - 400, 1000),
            [],
            (1000, 1000, 1000, 1000, 1, START - 400, START - 400),
            id="no tick in the window: the price carried in is the path",
        ),
        pytest.param(
            tick(START, 1000, low=990, high=1020),
            [tick(START, 1000, low=990, high=1020), tick(START + 100, 1005)],
            (1000, 990, 1020, 1005, 2, START, START + 100),
            id="a tick at the very start is carried in and in the window, once",
        ),
        pytest.param(
            tick(START - 400, 500),
            [tick(START, 1000), tick(START + 100, 1005)],
            (1000, 1000, 1005, 1005, 2, START, START + 100),
            id="a tick at the very start takes the place of the one before",
        ),
        pytest.param(
            tick(START, 1000, low=990, high=1020),
            [],
            (1000, 990, 1020, 1000, 1, START, START),
            id="a tick at the very start, given as carried in only",
        ),
        pytest.param(
            None,
            [tick(START, 1000)],
            (1000, 1000, 1000, 1000, 1, START, START),
            id="a tick at the very start, given as the window's only",
        ),
    ],
)
def test_evidence_is_the_extremes_of_the_ticks_and_the_price_carried_in(
    carried: Tick | None, ticks: list[Tick], expected: tuple[int, ...]
) -> None:
    found = judged(carried, ticks, tick(END, 5))
    assert (found.covered, found.reason) == (True, None)
    assert expected == (
        found.open,
        found.low,
        found.high,
        found.close,
        found.tick_count,
        found.first_tick_id,
        found.last_tick_id,
    )


@pytest.mark.parametrize(
    ("carried_ms", "ticks_ms", "following_ms", "reason"),
    [
        pytest.param(START, [], START + 10_000, None, id="10 s from the price carried in to the next"),
        pytest.param(START, [], START + 10_001, "10001 ms without a tick after", id="a millisecond more"),
        pytest.param(START - 5_000, [END - 1], END + 9_999, None, id="10 s after the last of the window"),
        pytest.param(START - 5_000, [END - 1], END + 10_000, f"10001 ms without a tick after {END - 1}", id="more"),
        pytest.param(START - 9_000, [START + 1_001], END, f"10001 ms without a tick after {START - 9_000}", id="first"),
        pytest.param(START - 60_000, [START], END, None, id="a tick at the very start makes what was before no matter"),
        pytest.param(None, [START + 1], END, "no tick at or before the window's start", id="nothing carried in"),
        pytest.param(None, [], END, "no tick at or before the window's start", id="nothing but a following tick"),
    ],
)
def test_a_window_is_covered_unless_prices_were_away_too_long(
    carried_ms: int | None, ticks_ms: list[int], following_ms: int, reason: str | None
) -> None:
    carried = None if carried_ms is None else tick(carried_ms, 1000)
    found = judged(carried, [tick(ms, 1000) for ms in ticks_ms], tick(following_ms, 1000))
    assert found.covered is (reason is None)
    assert (found.reason or "").startswith(reason or "")


def test_a_gap_inside_a_long_window_uncovers_it() -> None:
    end_ms = START + 60_000
    ticks = [tick(START + second * 1_000, 1000) for second in (0, 10, 20, 31, 41, 51)]
    found = judged(None, ticks, tick(end_ms, 1000), end_ms + 1_000, end_ms)
    assert found.reason == f"11000 ms without a tick after {START + 20_000}"


@pytest.mark.parametrize(
    ("carried", "ticks", "following", "now_ms", "covered"),
    [
        pytest.param(tick(START, 1), [], tick(END, 1), END - 1, None, id="not over"),
        pytest.param(tick(START, 1), [], tick(END, 1), END, True, id="over, and followed"),
        pytest.param(tick(START, 1), [], None, END + 59_999, None, id="not followed yet"),
        pytest.param(tick(START, 1), [], None, END + 60_000, False, id="not followed for 60 s"),
        pytest.param(tick(START - 5_001, 1), [tick(END - 1, 1)], None, END, None, id="10 s are no gap"),
        pytest.param(tick(START - 5_002, 1), [tick(END - 1, 1)], None, END, False, id="a gap needs no follower"),
        pytest.param(None, [tick(START + 1, 1)], None, END, False, id="nothing was carried in, and nothing will be"),
        pytest.param(None, [], None, END + 59_999, None, id="no tick at all"),
        pytest.param(None, [], None, END + 60_000, False, id="no tick at all for 60 s"),
    ],
)
def test_a_window_is_decided_once_no_tick_can_change_it(
    carried: Tick | None, ticks: list[Tick], following: Tick | None, now_ms: int, covered: bool | None
) -> None:
    found = evidence(carried, ticks, following, START, END, now_ms)
    assert (None if found is None else found.covered) is covered


def test_a_window_without_any_tick_has_no_prices() -> None:
    found = judged(None, [], None, END + 60_000)
    assert (found.open, found.low, found.high, found.close, found.tick_count) == (None, None, None, None, 0)
    assert (found.first_tick_id, found.last_tick_id) == (None, None)
    assert found.reason == "no tick within 60 s after the window"
    assert found.ticks_sha256 == hashlib.sha256(b"").hexdigest()


def test_the_hash_is_over_the_documented_text() -> None:
    found = judged(tick(START - 400, 1000, 999, 1001), [tick(START + 100, 1010)], tick(END, 1))
    text = f"{START - 400},1000,999,1001\n{START + 100},1010,1010,1010\n"
    assert found.ticks_sha256 == hashlib.sha256(text.encode()).hexdigest()


@pytest.mark.parametrize(
    ("carried", "ticks", "following", "end_ms"),
    [
        pytest.param(tick(START + 1, 1), [], tick(END, 1), END, id="carried in from inside"),
        pytest.param(tick(START, 1), [tick(START - 1, 1)], tick(END, 1), END, id="tick before the window"),
        pytest.param(tick(START, 1), [tick(END, 1)], tick(END, 1), END, id="tick at the end"),
        pytest.param(tick(START, 1), [], tick(END - 1, 1), END, id="following from inside"),
        pytest.param(tick(START, 1), [tick(START + 2, 1), tick(START + 1, 1)], None, END, id="falling order"),
        pytest.param(tick(START, 1), [tick(START + 2, 1), tick(START + 2, 1)], None, END, id="one id twice"),
        pytest.param(tick(START, 1), [], tick(END, 1), START, id="no length"),
    ],
)
def test_a_path_that_is_none_is_refused(carried: Tick, ticks: list[Tick], following: Tick | None, end_ms: int) -> None:
    with pytest.raises(ValueError, match="window"):
        evidence(carried, ticks, following, START, end_ms, LATER)


@pytest.mark.parametrize(
    ("low_cents", "high_cents", "expected"),
    [
        pytest.param(900, 1000, True, id="meets the low"),
        pytest.param(900, 999, False, id="a cent below"),
        pytest.param(1100, 1200, True, id="meets the high"),
        pytest.param(1101, 1200, False, id="a cent above"),
        pytest.param(1040, 1060, True, id="jumped across"),
        pytest.param(0, 5000, True, id="holds the whole window"),
    ],
)
def test_a_bet_wins_where_its_band_meets_the_path_bounds_included(
    low_cents: int, high_cents: int, expected: bool
) -> None:
    found = judged(tick(START, 1000), [tick(START + 100, 1100)], tick(END, 5000))
    assert decided(low_cents, high_cents, found) == ("won" if expected else "lost")


def test_nothing_is_won_or_lost_in_an_uncovered_window() -> None:
    found = judged(tick(START, 1000), [], tick(START + 10_001, 1000))
    assert decided(900, 1100, found) == "void"


@st.composite
def paths(draw: st.DrawFn) -> tuple[Tick | None, list[Tick], Tick | None]:
    """Draw the path of a window: what the store of ticks would give for it."""
    ids = sorted(draw(st.sets(st.integers(START - 12_000, END + 12_000), max_size=12)))
    ticks = []
    for ms in ids:
        low, close, high = sorted(draw(st.tuples(*[st.integers(0, 50)] * 3)))
        ticks.append(tick(ms, close, low, high))
    carried = [one for one in ticks if one.id <= START]
    following = [one for one in ticks if one.id >= END]
    own = [one for one in ticks if START <= one.id < END]
    return (carried[-1] if carried else None), own, (following[0] if following else None)


@given(paths(), st.integers(0, 50), st.integers(0, 10))
def test_a_bet_wins_exactly_if_some_point_of_the_drawn_line_is_in_its_band(
    path: tuple[Tick | None, list[Tick], Tick | None], low_cents: int, height: int
) -> None:
    found = evidence(*path, START, END, END + 60_000)
    assert found is not None
    if not found.covered:
        return
    carried, own, _ = path
    assert carried is not None
    line = {carried.close}
    at = carried.close
    for one in own:
        if one.id == START:
            line, at = set(), one.close
        for target in (one.low, one.high, one.close):
            line |= set(range(min(at, target), max(at, target) + 1))
            at = target
    touched = bool(line & set(range(low_cents, low_cents + height + 1)))
    assert decided(low_cents, low_cents + height, found) == ("won" if touched else "lost")


@given(paths())
def test_settling_again_gives_the_same_and_a_later_tick_covers_nothing(
    path: tuple[Tick | None, list[Tick], Tick | None],
) -> None:
    carried, own, following = path
    found = evidence(carried, own, following, START, END, END + 60_000)
    assert found is not None
    assert evidence(carried, own, following, START, END, END + 86_400_000) == found
    if following is None:
        again = evidence(carried, own, tick(END + 60_001, 7), START, END, END + 90_000)
        assert again is not None
        assert replace(again, reason=None) == replace(found, reason=None)
        assert not again.covered


@given(paths())
def test_extremes_hold_open_and_close(path: tuple[Tick | None, list[Tick], Tick | None]) -> None:
    found = evidence(*path, START, END, END + 60_000)
    assert found is not None
    if found.close is not None and found.low is not None and found.high is not None:
        assert found.low <= found.close <= found.high
        assert found.open is None or found.low <= found.open <= found.high
