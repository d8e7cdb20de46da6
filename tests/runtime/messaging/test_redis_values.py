"""What our Redis keys hold: each value reads back as it was written, and as builds before wrote it."""

from __future__ import annotations

import msgspec
import pytest

from runtime.game.breaker import Breaker, Override, State
from runtime.game.buckets import Bucket
from runtime.messaging.redis_values import (
    AuditResult,
    OverrideNote,
    PendingBet,
    WriterAlive,
    decode_breaker,
    decode_buckets,
    decode_override_note,
    decode_tick,
    encode_breaker,
    encode_buckets,
    encode_tick,
)
from tests.jobs.feed.ticks import tick

BREAKER = Breaker(State.DEGRADED, 5, None, Override.OPEN)


def test_a_tick_keeps_every_digit() -> None:
    one = tick(1_790_000_000_123)
    assert decode_tick(encode_tick(one)) == one


def test_the_breaker_is_kept_with_its_note_and_told_without() -> None:
    note = OverrideNote("ann", "maintenance", 7)
    stored = encode_breaker(BREAKER, note)
    assert (decode_breaker(stored), decode_override_note(stored)) == (BREAKER, note)
    told = msgspec.json.encode(BREAKER.to_dict())
    assert (decode_breaker(told), decode_override_note(told)) == (BREAKER, None)


def test_closed_buckets_read_back_and_none_are_known_without_a_value() -> None:
    closed = frozenset({Bucket("model", "1", 500_000, 7), Bucket("model", "1", 200_000, 0)})
    assert decode_buckets(encode_buckets(closed)) == closed
    assert decode_buckets(None) == decode_buckets(encode_buckets([])) == frozenset()


def test_without_a_value_the_breaker_has_no_history() -> None:
    assert (decode_breaker(None), decode_override_note(None)) == (Breaker(), None)


@pytest.mark.parametrize(
    ("written", "value"),
    [
        pytest.param(
            b'{"pid":7,"since_ms":1,"clock_ms":2,"commit":3,"trouble":""}', WriterAlive(7, 1, 2, 3), id="the writer"
        ),
        pytest.param(b'{"at_ms":1,"findings":2,"summary":"s"}', AuditResult(1, 2, "s"), id="the audit"),
    ],
)
def test_the_form_is_that_of_builds_before(written: bytes, value: WriterAlive | AuditResult) -> None:
    assert value.encode() == written
    assert type(value).decode(written) == value


def test_a_pending_bet_names_owner_and_deadline() -> None:
    assert PendingBet("01USER", 1_790_000_010_000).encode() == "01USER:1790000010000"
    assert PendingBet.decode(b"01USER:1790000010000") == PendingBet("01USER", 1_790_000_010_000)
