"""What the count of the cluster's chaos finds, each planted."""

from __future__ import annotations

from tests.chaos.two_writers.count import Seen, counted

HASHES = {1: "a", 2: "b"}


def test_what_is_right_adds_up() -> None:
    found = counted(
        {"1": None, "2": "RATE_MOVED", "3": "EXPOSURE_LIMIT"},
        ["4", "5"],
        {"1": "lost", "2": "refused", "4": "won"},
        [Seen(1, "a", 5, 5)],
        HASHES,
    )
    assert found.adds_up
    assert (found.sent, found.acknowledged, found.refused, found.unanswered, found.stored_unanswered) == (5, 1, 2, 2, 1)


def test_an_answer_that_the_ledger_does_not_bear_out_is_found() -> None:
    found = counted({"1": None, "2": None, "3": "RATE_MOVED"}, [], {"2": "refused", "3": "won"}, [], {})
    assert (found.lost, found.contradicted, found.adds_up) == (["1", "2"], ["3"], False)


def test_a_bet_without_an_end_and_money_that_was_seen_missing_are_found() -> None:
    assert not counted({"1": None}, [], {"1": "confirmed"}, [], {}).adds_up
    found = counted({}, [], {}, [Seen(1, "a", 4, 5)], HASHES)
    assert (len(found.faults), found.adds_up) == (1, False)


def test_a_commit_that_was_seen_and_is_gone_is_told_and_no_fault() -> None:
    found = counted({}, [], {}, [Seen(2, "other", 5, 5), Seen(2, "other", 5, 5), Seen(3, "c", 5, 5)], HASHES)
    assert (found.seen_and_gone, found.adds_up) == (2, True)
