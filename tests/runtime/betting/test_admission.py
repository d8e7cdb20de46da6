"""Admission control: as many bets as are answered in half a second, all when idle, none while the loop is late."""

from __future__ import annotations

import pytest

from runtime.betting.admission import LAG_S_MAX, LOOK_EVERY_S, PACE_LEAST, PACE_S, WAIT_S, AdmissionControl
from runtime.errors import Unavailable

BETS_LEAST = int(PACE_LEAST * WAIT_S)


class Loop:
    """A room whose looks come in time, and a clock that stands still between them."""

    def __init__(self, fill_delay_s: float = 0.0, workers: int = 1) -> None:
        self.now_s = 1_000.0
        self.answered = 0
        self.room = AdmissionControl(fill_delay_s, lambda: self.now_s, workers=workers)

    def run(self, seconds: float, pace: int) -> None:
        """Let time pass while so many bets a second are answered."""
        for _ in range(round(seconds / LOOK_EVERY_S)):
            self.now_s += LOOK_EVERY_S
            self.answered += round(pace * LOOK_EVERY_S)
            self.room.look(self.answered)

    def fits(self, inside: int) -> bool:
        """Tell whether another bet is let in beside so many."""
        self.room.bets = inside
        try:
            self.room.guard()
        except Unavailable:
            return False
        return True


def lets_in(started: str | None, received_ms: int) -> bool:
    """Tell whether a request that says when it began to wait is let in."""
    try:
        AdmissionControl(0.0).refuse_late(started, received_ms)
    except Unavailable:
        return False
    return True


def test_who_has_just_started_refuses_nobody_before_it_is_full() -> None:
    loop = Loop()
    assert loop.fits(BETS_LEAST - 1)
    assert not loop.fits(BETS_LEAST)
    loop.run(LOOK_EVERY_S, pace=0)
    assert loop.fits(BETS_LEAST - 1)


@pytest.mark.parametrize("workers", [1, 2, 4])
def test_idle_processes_let_in_as_many_together_as_one_alone(workers: int) -> None:
    loops = [Loop(workers=workers) for _ in range(workers)]
    for loop in loops:
        assert loop.fits(BETS_LEAST // workers - 1)
        assert not loop.fits(BETS_LEAST // workers)
        loop.run(PACE_S, pace=0)
        assert not loop.fits(BETS_LEAST // workers)
    # What one of them answers is its own pace, by which it lets in.
    loops[0].run(2 * PACE_S, pace=2 * PACE_LEAST)
    assert loops[0].fits(2 * BETS_LEAST - 1)
    assert not loops[0].fits(2 * BETS_LEAST)


def test_nobody_enters_a_full_room_even_if_there_was_room_at_the_door() -> None:
    room = AdmissionControl(0.0)
    room.bets = BETS_LEAST - 1
    room.guard()
    room.guard()
    with room:
        assert room.bets == BETS_LEAST
        with pytest.raises(Unavailable), room:
            pass
        assert room.bets == BETS_LEAST
    assert room.bets == BETS_LEAST - 1


def test_a_refusal_says_that_it_is_for_now_and_when_to_come_back() -> None:
    loop = Loop()
    loop.room.bets = BETS_LEAST
    with pytest.raises(Unavailable) as refused:
        loop.room.guard()
    assert (refused.value.code, refused.value.retryable, refused.value.retry_after_s) == ("OVERLOADED", True, 1)


@pytest.mark.parametrize("pace", [3_000, 20_000])
def test_there_is_room_for_what_is_answered_in_half_a_second(pace: int) -> None:
    loop = Loop()
    loop.run(2 * PACE_S, pace)
    assert loop.fits(round(pace * WAIT_S) - 1)
    assert not loop.fits(round(pace * WAIT_S))


def test_three_thousand_a_second_with_slow_answers_are_far_from_the_limit() -> None:
    loop = Loop()
    loop.run(2 * PACE_S, 3_000)
    assert loop.fits(round(3_000 * 0.150))
    # A stop of the writer, as a slow disk makes it, refuses nobody who comes within it.
    loop.run(0.2, pace=0)
    assert loop.fits(round(3_000 * 0.350))


def test_room_shrinks_with_the_pace_but_not_below_what_an_idle_process_has() -> None:
    loop = Loop()
    loop.run(PACE_S, 4_000)
    loop.run(PACE_S + LOOK_EVERY_S, 2_000)
    assert loop.room.bets_max == 1_000
    loop.run(PACE_S, 0)
    assert loop.room.bets_max == BETS_LEAST


def test_some_answers_right_after_the_start_are_no_pace() -> None:
    loop = Loop()
    loop.room.look(0)
    loop.run(LOOK_EVERY_S, pace=5_000)
    assert loop.room.bets_max == BETS_LEAST


def test_bets_that_are_held_on_purpose_need_room_too() -> None:
    loop = Loop(fill_delay_s=0.5)
    loop.run(PACE_S * 2, 3_000)
    assert loop.fits(2_999)
    assert not loop.fits(3_000)


def test_an_event_loop_that_is_late_once_refuses_nobody() -> None:
    loop = Loop()
    loop.run(LOOK_EVERY_S, pace=0)
    loop.now_s += LOOK_EVERY_S + 2 * LAG_S_MAX
    assert loop.fits(0)
    loop.room.look(0)
    assert loop.fits(0)
    loop.run(LOOK_EVERY_S, pace=0)
    loop.now_s += LOOK_EVERY_S + 2 * LAG_S_MAX
    assert loop.fits(0)


def test_while_the_event_loop_is_late_again_and_again_nobody_is_let_in() -> None:
    loop = Loop()
    loop.run(LOOK_EVERY_S, pace=0)
    loop.now_s += LOOK_EVERY_S + LAG_S_MAX + 0.001
    for _ in range(3):
        loop.room.look(0)
        loop.now_s += LOOK_EVERY_S + LAG_S_MAX - 0.001
        assert loop.fits(0)
        loop.now_s += 0.002
        assert not loop.fits(0)
    loop.room.look(0)
    assert loop.fits(0)
    loop.run(LOOK_EVERY_S, pace=0)
    assert loop.fits(0)


@pytest.mark.parametrize("started", [None, "", "t=", "t=x", "999.0", "t=1000.000", "t=999.500", "t=1700000000000"])
def test_who_came_in_time_or_does_not_say_when_is_let_in(started: str | None) -> None:
    assert lets_in(started, 1_000_000)


def test_who_has_waited_too_long_at_the_door_is_refused() -> None:
    with pytest.raises(Unavailable, match="OVERLOADED"):
        AdmissionControl(0.0).refuse_late("t=999.499", 1_000_000)


def test_whoever_fails_leaves_the_room_too() -> None:
    room = AdmissionControl(0.0)
    with room:
        assert room.bets == 1
    with pytest.raises(ZeroDivisionError), room:
        raise ZeroDivisionError
    assert room.bets == 0
