"""Fixtures of the attacks: an arena, a victim with a session key, and an attacker with one of their own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from runtime.clock import ManualClock
from runtime.settings import Settings
from tests.attack.arena import Arena, open_arena
from tests.attack.attacker import Player
from tests.functions.declared_refusals import held_to_their_types
from tests.runtime.auth.browser import BrowserKey, Key

WALLET, SESSION_KEY = b"\x11" * 32, b"\x22" * 32
OTHER_WALLET, OTHER_SESSION_KEY = b"\x33" * 32, b"\x44" * 32
BROWSER_KEY, OTHER_BROWSER_KEY = BrowserKey(0x22), BrowserKey(0x44)
KEYS: dict[str, tuple[Key, Key]] = {
    "secp256k1": (SESSION_KEY, OTHER_SESSION_KEY),
    "P-256": (BROWSER_KEY, OTHER_BROWSER_KEY),
}


@pytest.fixture(autouse=True)
def _refusals_as_declared() -> Iterator[None]:
    with held_to_their_types():
        yield


@pytest.fixture
def arena(settings: Settings, clock: ManualClock) -> Iterator[Arena]:
    """Return an arena without rate limits."""
    with open_arena(settings, clock) as opened:
        yield opened


@pytest.fixture(params=list(KEYS.values()), ids=list(KEYS))
def keys(request: pytest.FixtureRequest) -> tuple[Key, Key]:
    """Return the session keys of victim and attacker, of either kind."""
    found: tuple[Key, Key] = request.param
    return found


@pytest.fixture
def victim(arena: Arena, keys: tuple[Key, Key]) -> Player:
    """Return a signed-in player whose taps a session key signs."""
    return Player(arena, WALLET, keys[0]).log_in()


@pytest.fixture
def attacker(arena: Arena, keys: tuple[Key, Key]) -> Player:
    """Return another one."""
    return Player(arena, OTHER_WALLET, keys[1]).log_in()
