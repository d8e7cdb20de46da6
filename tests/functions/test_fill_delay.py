"""A bet with a fill delay over the whole app: held before it is queued, and admitted as one that stays longer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import gevent
import pytest

from runtime.clock import ManualClock
from runtime.settings import Settings
from tests.attack.arena import Arena, open_arena
from tests.attack.attacker import Player
from tests.jobs.writer_desk import PRICE_CENTS


@pytest.fixture
def arena(settings: Settings, clock: ManualClock) -> Iterator[Arena]:
    """Return the whole app, where bets wait for half a second."""
    with open_arena(replace(settings, fill_delay_ms=500), clock) as opened:
        yield opened


@pytest.fixture
def player(arena: Arena) -> Player:
    """Return a signed-in player."""
    return Player(arena, b"\x11" * 32, b"\x22" * 32).log_in()


@pytest.fixture
def inside(arena: Arena, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, float]]:
    """Let a tick come after each wait; return what is done in which order, with the bets that are inside meanwhile."""
    done: list[tuple[str, float]] = []
    parts = arena.one.parts

    def wait(seconds: float) -> None:
        done.append((f"waits {seconds}", parts.admission.bets))
        arena.clock.advance(round(seconds * 1000) + 1)
        arena.desk.show(PRICE_CENTS)

    place = parts.outbox.place

    def note(*arguments: Any, **named: Any) -> Any:
        done.append(("is queued", parts.admission.bets))
        return place(*arguments, **named)

    monkeypatch.setattr(gevent, "sleep", wait)
    monkeypatch.setattr(parts.outbox, "place", note)
    return done


def test_a_bet_is_held_for_the_delay_and_stays_inside_until_it_is_answered(
    arena: Arena, player: Player, inside: list[tuple[str, float]]
) -> None:
    received_ms = arena.now_ms
    answer = player.place(player.bet())
    assert (answer.status_code, inside) == (201, [("waits 0.5", 1), ("is queued", 1)])
    assert arena.one.parts.admission.bets == 0
    assert answer.json["bet"]["tick_id"] > received_ms + 500
    assert arena.desk.database.execute("SELECT received_ms, fill_delay_ms FROM bets") == [(received_ms, 500)]
