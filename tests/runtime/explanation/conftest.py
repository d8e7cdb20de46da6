"""A signed bet and what became of it, for every proof."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from runtime.clock import ManualClock
from tests.jobs.signed_play import SignedPlay
from tests.jobs.writer_desk import PRICE_CENTS, Desk
from tests.runtime.auth.browser import BrowserKey

SIGNERS: dict[str, dict[str, Any]] = {
    "secp256k1": {},
    "P-256": {"key": BrowserKey(0x22)},
    "guest": {"key": BrowserKey(0x22), "guest": True},
}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Prove and tamper with bets of every kind of signer where the signature matters: in test_tampering.py."""
    if "play" in metafunc.fixturenames and metafunc.module.__name__.endswith("test_tampering"):
        metafunc.parametrize("play", SIGNERS.values(), ids=SIGNERS.keys(), indirect=True)


@pytest.fixture
def play(request: pytest.FixtureRequest, desk: Desk, tmp_path: Path, clock: ManualClock) -> Iterator[SignedPlay]:
    """Return a player with real signatures, whose bets a settler decides."""
    play = SignedPlay(desk, tmp_path, clock, **getattr(request, "param", {}))
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
