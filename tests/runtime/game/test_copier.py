"""The imagined player who copies: what he stakes, when money is in his hand again, and what he can never do."""

from __future__ import annotations

import random

import pytest

from runtime.game.copier import DAY_S, FRACTIONS, LAID_IN, Copied, Copier, Part

WIDTH_S = 5
START = [0.9 * share for share in LAID_IN]


def copying(*windows: tuple[int, list[Part]], copier: Copier | None = None) -> Copier:
    """Return the copier after these windows, each with its parts."""
    copier = copier or Copier()
    for window, parts in windows:
        for part in parts:
            copier.wait(window, part)
        copier.copy_upto(window, WIDTH_S)
    return copier


def test_he_begins_with_one() -> None:
    assert Copier().wealth == pytest.approx(1.0)
    assert sum(LAID_IN) == pytest.approx(1.0)


def test_a_stake_is_lost_until_its_column_is_known() -> None:
    bet = Part(12, 0.5, 0.5 * 30)
    after = copying((10, [bet]))
    assert after.purses == pytest.approx([held * (1 - f / 2) for held, f in zip(START, FRACTIONS, strict=True)])
    for window, known in ((13, False), (14, True)):
        copier = copying((10, [bet]), (window, [Part(99, 0.0, 0.0)]))
        back = [held * f * 15 * known for held, f in zip(START, FRACTIONS, strict=True)]
        assert copier.purses == pytest.approx([held + more for held, more in zip(after.purses, back, strict=True)])


def test_bets_of_one_window_are_copied_from_the_same_money() -> None:
    copier = copying((10, [Part(12, 0.5, 0.0), Part(13, 0.5, 0.0)]))
    assert copier.purses == pytest.approx([held * (1 - f) for held, f in zip(START, FRACTIONS, strict=True)])


def test_what_comes_after_a_fill_changes_no_stake_on_it() -> None:
    randomness = random.Random(7)
    windows = [(k, [Part(k + 5, randomness.random(), randomness.random() * 20)]) for k in range(60)]
    otherwise = [(k, [part._replace(returned=0.0) for part in parts]) for k, parts in windows]
    one, other = Copier(), Copier()
    for at in range(60):
        copying(windows[at], copier=one)
        copying(windows[at] if at < 30 else otherwise[at], copier=other)
        # The bet of window 30 is on column 35, whose end is known in window 37.
        assert (one.purses == other.purses) == (at < 37)


def test_he_never_owes_anything() -> None:
    copier = Copier()
    for window in range(3_000):
        copying((window, [Part(window + 2 + way, 1 / 11, 0.0) for way in range(11)]), copier=copier)
    assert min(copier.purses) >= 0.0
    assert 0.0 <= copier.wealth < 0.2


def test_money_is_laid_in_day_by_day_and_comes_to_one() -> None:
    day = DAY_S // WIDTH_S
    copier = copying((0, [Part(2, 1.0, 0.0)]))
    taken = 1.0 - copier.wealth
    for number in range(2, 100):
        copying((number * day, [Part(number * day + 2, 0.0, 0.0)]), copier=copier)
        assert copier.wealth == pytest.approx(1.0 - taken), "laid in is not won"
    assert sum(copier.purses) == pytest.approx(1.0 - taken - 0.1 / 100)
    assert copier.day == 100


def test_as_much_is_copied_as_is_usual_first_come_first_copied() -> None:
    copied = Copied(usual_cents=300.0)
    for stake_cents, paid_cents in ((100, 0), (100, 2_000), (400, 4_000), (100, 9_999)):
        copied.add(stake_cents, paid_cents)
    part = copied.part(9)
    assert part is not None
    assert part == pytest.approx((9, 1.0, (2_000 + 4_000 / 4) / 300))
    assert (copied.bets, copied.staked_cents, copied.paid_cents) == (4, 700, 15_999)
    assert Copied(usual_cents=0.0).part(9) is None


def test_what_is_usual_is_the_greatest_and_slowly_forgotten() -> None:
    copier = Copier()
    for staked_cents in (100, 5_000, 100):
        copier.remember(staked_cents)
    assert 4_990 < copier.usual_cents < 5_000
    for _ in range(5_000):
        copier.remember(100)
    assert copier.usual_cents == 100


def test_a_part_that_comes_too_late_is_left_out() -> None:
    copier = copying((10, [Part(12, 0.5, 0.0)]))
    copier.wait(10, Part(13, 0.5, 99.0))
    assert copier.waiting == {}


def test_it_goes_on_from_its_text_as_if_nothing_had_been() -> None:
    randomness = random.Random(3)
    one = other = Copier()
    for window in range(200):
        one.remember(randomness.randrange(1, 10_000))
        parts = [Part(window + way, randomness.random() / 11, randomness.random()) for way in range(2, 13)]
        copying((window, parts[:5]), copier=one)
        one.wait(window + 1, parts[5])
        other = one = Copier.from_text(one.to_text())
    assert other == one
    assert Copier.from_text(one.to_text()) == one
