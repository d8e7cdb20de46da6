"""A signed bet and what became of it, for every proof."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from runtime.clock import ManualClock
from tests.jobs.signed_play import SignedPlay
from tests.jobs.writer_desk import PRICE_CENTS, Desk


@pytest.fixture
def play(desk: Desk, tmp_path: Path, clock: ManualClock) -> Iterator[SignedPlay]:
    """Return a player with real signatures, whose bets a settler decides."""
    play = SignedPlay(desk, tmp_path, clock)
    yield play
    play.court.close()


@pytest.fixture
def won(play: SignedPlay) -> str:
    """Return a bet that was won, beside one of the same commit that was lost."""
    bet, beside = play.bet(), play.bet(rows=1)
    play.desk.place(bet, beside)
    play.end(PRICE_CENTS, PRICE_CENTS + 100)
    assert play.court.status(bet.id) == "won"
    return bet.id
