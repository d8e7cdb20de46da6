"""A player at the real system while its processes are killed under the game: nothing is lost, nothing placed twice."""

from __future__ import annotations

from pathlib import Path

import pytest

from runtime.clock import SystemClock
from taptrade.board import QuietBoard
from taptrade.play import Plan, Play
from taptrade.record import Tap
from taptrade.statement import faults
from tests.acceptance.system import STEADY, System

BETS = 12
KILLED_AT_TAP = {2: "api", 4: "writer", 6: "redis", 8: "feed"}


class Saboteur(QuietBoard):
    """A board that kills a process as soon as a certain tap is confirmed."""

    def __init__(self, system: System) -> None:
        self.killed: list[str] = []
        self._system = system
        self._left = dict(KILLED_AT_TAP)

    def show(self, tap: Tap) -> None:
        """Kill what is due at this tap."""
        name = self._left.pop(tap.number, None)
        if name is not None and self._system.kill(name):
            self.killed.append(name)


@pytest.mark.timeout(180)
def test_a_game_goes_on_whatever_is_killed(tmp_path: Path) -> None:
    with System(tmp_path / "data", **STEADY) as system, system.client() as client:
        saboteur = Saboteur(system)
        play = Play(client, Plan(BETS, 100, system.audience, seed=1), SystemClock(), saboteur)
        play.run()
        assert saboteur.killed == list(KILLED_AT_TAP.values())
        assert len(play.record.taps) == BETS
        bets = play.line.ask(lambda api: list(api.all_bets()))
        placed = [bet for bet in bets if bet.refusal_code is None]
        assert {bet.id for bet in placed} == play.record.taps.keys(), (
            "a repeat was placed a second time, or one is lost"
        )
        found = faults(
            play.line.ask(lambda api: list(api.statement()))[::-1],
            bets,
            opening_cents=play.opening_cents,
            balance_cents=play.line.ask(lambda api: api.me()).user.balance,
            told=play.record.told,
        )
        assert found == []
        assert system.audit().ok
