"""Ids of entries: ULIDs that rise with the commit and the place in it."""

from __future__ import annotations

import pytest

from runtime.game.ids import (
    ALPHABET,
    TAIL_LENGTH,
    entry_commit,
    entry_id,
    entry_key,
    entry_ms,
    entry_position,
    tail_of,
    ulid,
    ulid_key,
    ulid_ms,
    ulid_text,
)

NOW_MS = 1_790_000_000_123


@pytest.mark.parametrize("commit", [0, 1, 7, 8, 9, 12_345_678, 2**47])
@pytest.mark.parametrize("place", [0, 1, 31, 32, 1023, 1024, 2**30, 2**32 - 1])
def test_the_id_of_an_entry_is_the_ulid_of_its_commit_and_place(commit: int, place: int) -> None:
    found = entry_id(NOW_MS, commit, place)
    assert found == ulid(NOW_MS, commit << 32 | place)
    assert ulid_ms(found) == NOW_MS
    key = entry_key(NOW_MS, commit, place)
    assert key is not None
    assert (ulid_key(found), ulid_text(key)) == (key, found)
    assert (entry_ms(key), entry_commit(key), entry_position(key)) == (NOW_MS, commit, place)


@pytest.mark.parametrize("place", range(26))
def test_each_letter_says_five_bits(place: int) -> None:
    for value, letter in enumerate(ALPHABET[:8] if place == 25 else ALPHABET):
        number = value << 5 * place
        text = "0" * (25 - place) + letter + "0" * place
        assert ulid(number >> 80, number & 2**80 - 1) == text
        assert ulid_text(number.to_bytes(16, "big")) == text


def test_ids_rise_with_commit_and_place() -> None:
    ids = [entry_id(NOW_MS, commit, place) for commit in range(1, 20) for place in range(0, 3_000, 7)]
    assert ids == sorted(set(ids))


KEPT = [
    None,
    7,
    "",
    "tx-1",
    "credit:01M3250V00R2NCAAEAJNSHATQH",
    "01m3250v00r2ncaaeajnshatqh",
    "01M3250V00R2NCAAEAJNSHATQU",
    "81M3250V00R2NCAAEAJNSHATQH",
    " 1M3250V00R2NCAAEAJNSHATQH",
    "+1M3250V00R2NCAAEAJNSHATQH",
    "0_M3250V00R2NCAAEAJNSHATQH",
    "\u0661" * 26,
]


@pytest.mark.parametrize("other", KEPT)
def test_what_is_no_ulid_is_kept_as_it_is(other: object) -> None:
    assert ulid_key(other) == other
    assert ulid_text(other) == other


def test_keys_sort_as_the_texts_do_and_give_them_back() -> None:
    texts = ["0" * 26, ulid(NOW_MS, 0), ulid(NOW_MS, 2**80 - 1), ulid(2**48 - 1, 5), "7" + "Z" * 25]
    texts += [f"{text}{more}" for text in texts for more in ("0", "-credit")]
    assert [ulid_text(key) for key in sorted(map(ulid_key, texts))] == sorted(texts)


def test_there_is_no_key_of_an_entry_that_is_not_there() -> None:
    assert entry_key(None, 1, 0) is entry_key(NOW_MS, 1, None) is None


def test_the_tail_of_a_request_is_five_letters_that_are_always_the_same() -> None:
    tails = {tail_of(f"request-{number}") for number in range(1_000)}
    assert len(tails) > 990
    assert all(len(tail) == TAIL_LENGTH and set(tail) <= set(ALPHABET) for tail in tails)
    assert tail_of("my-request.1") == "36WSB"
