"""The signed texts, byte for byte, and which times count."""

from __future__ import annotations

from contextlib import nullcontext

import pytest

from runtime.auth.bet_text import bet_text, is_timely, withdraw_text
from runtime.auth.windows import check_time
from runtime.errors import SignatureExpired

NOW_MS = 1_790_000_000_000
NOW_S = NOW_MS // 1000


def test_the_text_of_a_bet_names_all_that_is_agreed() -> None:
    text = bet_text("1790000010_6500000_6500500", 500, 18_500, "abc123DEF456", NOW_S, 1)
    assert text == (
        "Tap Trading Bet\nAction: place_bet\nCell: 1790000010_6500000_6500500\nAmount: 500\nMinRate: 18500\n"
        "Nonce: abc123DEF456\nTimestamp: 1790000000\nChain: 1\nVersion: 1"
    )


def test_the_text_of_a_withdrawal_has_no_cell_and_no_rate() -> None:
    assert withdraw_text(500, "abc123DEF456", NOW_S, 137) == (
        "Tap Trading Bet\nAction: withdraw\nAmount: 500\nNonce: abc123DEF456\nTimestamp: 1790000000\nChain: 137\n"
        "Version: 1"
    )


@pytest.mark.parametrize(
    ("signed_s", "timely"),
    [(NOW_S - 31, False), (NOW_S - 30, True), (NOW_S, True), (NOW_S + 5, True), (NOW_S + 6, False), (0, False)],
)
def test_the_window_is_30_s_back_and_5_s_ahead(signed_s: int, timely: bool) -> None:
    assert is_timely(signed_s, NOW_MS) is timely


def test_the_window_ends_to_the_millisecond() -> None:
    assert is_timely(NOW_S - 30, NOW_MS)
    assert not is_timely(NOW_S - 30, NOW_MS + 1)


@pytest.mark.parametrize("past_ms", [0, 1, 999])
@pytest.mark.parametrize("age_s", [-6, -5, -4, 0, 29, 30, 31, 10**9])
def test_what_is_refused_at_receipt_is_what_a_proof_calls_untimely(age_s: int, past_ms: int) -> None:
    now_ms = NOW_MS + past_ms
    with nullcontext() if is_timely(NOW_S - age_s, now_ms) else pytest.raises(SignatureExpired) as caught:
        check_time("The timestamp", (NOW_S - age_s) * 1000, now_ms)
    assert caught is None or caught.value.arguments == {"server_time_ms": now_ms}
