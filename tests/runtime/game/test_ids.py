"""Ids of entries: ULIDs that rise with the commit and the place in it."""

from __future__ import annotations

import pytest

from runtime.game.ids import ALPHABET, TAIL_LENGTH, entry_id, tail_of, ulid, ulid_ms

NOW_MS = 1_790_000_000_123


@pytest.mark.parametrize("commit", [0, 1, 7, 8, 9, 12_345_678, 2**47])
@pytest.mark.parametrize("place", [0, 1, 31, 32, 1023, 1024, 2**30, 2**32 - 1])
def test_the_id_of_an_entry_is_the_ulid_of_its_commit_and_place(commit: int, place: int) -> None:
    found = entry_id(NOW_MS, commit, place)
    assert found == ulid(NOW_MS, commit << 32 | place)
    assert ulid_ms(found) == NOW_MS


def test_ids_rise_with_commit_and_place() -> None:
    ids = [entry_id(NOW_MS, commit, place) for commit in range(1, 20) for place in range(0, 3_000, 7)]
    assert ids == sorted(set(ids))


def test_the_tail_of_a_request_is_five_letters_that_are_always_the_same() -> None:
    tails = {tail_of(f"request-{number}") for number in range(1_000)}
    assert len(tails) > 990
    assert all(len(tail) == TAIL_LENGTH and set(tail) <= set(ALPHABET) for tail in tails)
    assert tail_of("my-request.1") == "36WSB"
