"""The signals: scale-free, mirrored with the price, anew after a gap, and restored by the last ticks."""

from __future__ import annotations

from collections.abc import Iterable
from random import Random

import pytest

from runtime.game.signals import DIRECTIONS, LEVELS, NAMES, PAUSES, Signals

START = 1_790_000_000_000
Prices = list[tuple[int, int]]


def walk(seconds: int, *, seed: int = 5, scale: int = 1, sign: int = 1, start_ms: int = START) -> Prices:
    """Walk about four prices a second, in moves of some dollars times `scale`."""
    random, ms, cents, found = Random(seed), start_ms, 0, []
    while ms < start_ms + 1000 * seconds:
        found.append((ms, 12_000_000 + sign * cents))
        ms += random.randint(100, 400)
        cents += scale * random.choice((0, 0, 0, 700, -700, 1_900, -1_900))
    return found


def fed(prices: Iterable[tuple[int, int]]) -> dict[str, float]:
    """Return the signals after the prices, by name."""
    signals = Signals()
    for ms, cents in prices:
        signals.add(ms, cents)
    return dict(zip(NAMES, signals.values(), strict=True))


def test_nothing_is_known_before_the_first_price() -> None:
    assert Signals().values() == ()


def test_only_the_level_tells_how_wild_the_day_is() -> None:
    calm, wild = fed(walk(900)), fed(walk(900, scale=10))
    assert wild["level"] - calm["level"] == pytest.approx(2.303, abs=0.01)
    for name in NAMES[1:]:
        assert wild[name] == pytest.approx(calm[name], abs=0.01), name


def test_a_mirrored_price_turns_the_directions_round_and_leaves_the_rest() -> None:
    plain, mirrored = fed(walk(900)), fed(walk(900, sign=-1))
    assert {name: mirrored[name] for name in (*LEVELS, *PAUSES)} == {name: plain[name] for name in (*LEVELS, *PAUSES)}
    assert {name: mirrored[name] for name in DIRECTIONS} == {name: -plain[name] for name in DIRECTIONS}
    assert any(plain[name] for name in DIRECTIONS)


def test_a_last_move_shows_in_the_moves_that_span_it() -> None:
    still = [(START + 500 * count, 12_000_000) for count in range(240)]
    moved = fed([*still, (still[-1][0] + 500, 12_004_000)])
    assert moved["move_1"] > 0
    assert moved["move_60"] > 0
    assert fed(still)["move_60"] == 0


def test_a_spike_that_came_back_shows_in_the_range_and_to_its_side() -> None:
    still = [(START + 500 * count, 12_000_000) for count in range(240)]
    last_ms = still[-1][0]
    spiked = fed([*still, (last_ms + 500, 12_004_000), (last_ms + 800, 12_000_000)])
    assert spiked["move_1"] == 0
    assert spiked["range_2"] > fed(still)["range_2"] + 1
    assert spiked["tilt_2"] > 1


def test_a_gap_begins_everything_anew() -> None:
    after = walk(300, seed=8, start_ms=START + 1_000_000)
    with_a_past, without = fed([*walk(600), *after]), fed(after)
    past = ("since_pause_ms", "pause_ms")
    assert {name: value for name, value in with_a_past.items() if name not in past} == {
        name: value for name, value in without.items() if name not in past
    }


def test_regular_pauses_are_noticed() -> None:
    prices = [(ms, cents) for ms, cents in walk(400) if (ms - START) % 36_000 < 30_000]
    found = fed(prices)
    assert found["pause_period_ms"] == pytest.approx(36_000, abs=400)
    assert found["pause_ms"] == pytest.approx(6_000, abs=700)
    assert found["since_pause_ms"] == pytest.approx((prices[-1][0] - START) % 36_000, abs=400)


def test_no_pause_is_known_where_none_was() -> None:
    assert [fed(walk(400))[name] for name in PAUSES] == [0, 0, 0]


def test_the_last_ticks_restore_the_state() -> None:
    prices = walk(7_200)
    whole, restored = fed(prices), fed([each for each in prices if each[0] > prices[-1][0] - 1_800_000])
    for name in set(NAMES) - set(PAUSES):
        assert restored[name] == pytest.approx(whole[name], abs=0.35), name
    for name in ("level", "1s_5_60", "move_60", "range_300"):
        assert restored[name] == pytest.approx(whole[name], abs=0.02), name


def test_a_tick_stays_short() -> None:
    signals = Signals()
    for ms, cents in walk(600):
        signals.add(ms, cents)
    assert len(str(list(signals.values()))) < 280
