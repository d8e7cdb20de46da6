"""Fixtures of the command line's tests."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from runtime.clock import ManualClock
from taptrade.own_files import UMASK
from tests.jobs.signed_play import SignedPlay
from tests.jobs.writer_desk import Desk
from tests.taptrade.office import Office


@pytest.fixture(autouse=True)
def _own_umask() -> Iterator[None]:
    """Let a test make files as a run does, and keep what a command sets from other tests."""
    before = os.umask(UMASK)
    yield
    os.umask(before)


@pytest.fixture
def office(
    tmp_path: Path,
    redis_url: str,
    clock: ManualClock,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Iterator[Office]:
    """Return an operator's command line whose settings point to the desk's database and Redis."""
    monkeypatch.setenv("TAPTRADE_REDIS_URL", redis_url)
    monkeypatch.setenv("TAPTRADE_DATA", str(tmp_path))
    desk = Desk(tmp_path / "taptrade.db", redis_url, clock)
    yield Office(desk, capsys)
    desk.close()


@pytest.fixture
def play(office: Office, tmp_path: Path, clock: ManualClock) -> Iterator[SignedPlay]:
    """Return a player with real signatures, whose bets a settler decides."""
    play = SignedPlay(office.desk, tmp_path, clock)
    yield play
    play.court.close()
