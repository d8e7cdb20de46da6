"""Fixtures of the attacks: an arena, a victim with a session key, and an attacker with one of their own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from runtime.clock import ManualClock
from runtime.settings import Settings
from tests.attack.arena import Arena, open_arena
from tests.attack.attacker import Player

WALLET, SESSION_KEY = b"\x11" * 32, b"\x22" * 32
OTHER_WALLET, OTHER_SESSION_KEY = b"\x33" * 32, b"\x44" * 32


@pytest.fixture
def arena(settings: Settings, clock: ManualClock) -> Iterator[Arena]:
    """Return an arena without rate limits."""
    with open_arena(settings, clock) as opened:
        yield opened


@pytest.fixture
def victim(arena: Arena) -> Player:
    """Return a signed-in player whose taps a session key signs."""
    return Player(arena, WALLET, SESSION_KEY).log_in()


@pytest.fixture
def attacker(arena: Arena) -> Player:
    """Return another one."""
    return Player(arena, OTHER_WALLET, OTHER_SESSION_KEY).log_in()
