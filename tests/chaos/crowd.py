"""All players of one run at a steady pace, each in a thread, until they are told to settle up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from itertools import cycle, islice
from random import Random
from threading import Event as Flag
from threading import Lock, Thread
from types import TracebackType
from typing import Self

import httpx

from taptrade.client import ApiError
from taptrade.views import GridView
from tests.acceptance.system import System
from tests.chaos.owners import KINDS
from tests.chaos.players import Player
from tests.waiting import wait_until

GRID_EVERY_S = 0.2
SETTLE_EVERY_S = 0.5
JOIN_S = 30


class Crowd:
    """As a context, the players play within the block; `finish` ends that and finds out every fate."""

    def __init__(
        self,
        system: System,
        *,
        players: int,
        bets_per_s: float,
        seed: int,
        patient: float = 0.8,
        make: Callable[..., Player] = Player,
    ) -> None:
        self.system = system
        self.fault = "before"
        """The newest fault."""
        self.anomalies: list[str] = []
        self._lock = Lock()
        random = Random(seed)
        self.players = [
            make(system.url, system.audience, Random(random.random()), kind=kind, patient=patient, report=self.report)
            for kind in islice(cycle(KINDS), players)
        ]
        self._pause_s = players / bets_per_s
        self._grid: GridView | None = None
        self._stop = Flag()
        self._threads = [Thread(target=self._play, args=(player,), daemon=True) for player in self.players]
        self._threads.append(Thread(target=self._watch, daemon=True))

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, ex: BaseException | None, at: TracebackType | None) -> None:
        self._end_turns()
        for player in self.players:
            player.ear.stop()
            player.client.close()

    def join(self) -> None:
        """Wait for the streams to end, as they do with the server."""
        for player in self.players:
            player.ear.join(JOIN_S)

    def report(self, sentence: str) -> None:
        """Note what no player should ever see."""
        with self._lock:
            self.anomalies.append(f"{self.fault}: {sentence}")

    def _watch(self) -> None:
        with self.system.client() as client:
            while not self._stop.wait(GRID_EVERY_S):
                try:
                    self._grid = client.grid()
                except (ApiError, httpx.TransportError):
                    self._grid = None

    def _play(self, player: Player) -> None:
        pause_s = player.random.random() * self._pause_s
        while not self._stop.wait(pause_s):
            try:
                player.turn(self._grid, self.fault)
            except Exception as ex:
                self.report(f"a player could not go on: {type(ex).__name__}: {ex}")
                raise
            pause_s = (0.5 + player.random.random()) * self._pause_s

    def _end_turns(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(JOIN_S)

    def codes(self) -> Counter[tuple[int, str]]:
        """Count all answers so far by status and code."""
        return Counter(code for player in self.players for code in list(player.codes))

    @property
    def confirmed(self) -> int:
        """How many bets were answered 201 so far."""
        return self.codes()[201, ""]

    def wait_for_bets(self, more: int = 1, timeout_s: float = 60.0) -> None:
        """Wait until so many more bets are confirmed."""
        wanted = self.confirmed + more
        wait_until(lambda: self.confirmed >= wanted, timeout_s, every_s=0.1, what=f"{more} more confirmed bets")

    def finish(self, timeout_s: float) -> None:
        """Place no more bets and find out what became of every one; what stays open after a while is counted."""
        self._end_turns()
        settling = [Thread(target=self._settle, args=(player, timeout_s), daemon=True) for player in self.players]
        for thread in settling:
            thread.start()
        for thread in settling:
            thread.join(timeout_s + JOIN_S)

    def _settle(self, player: Player, timeout_s: float) -> None:
        pause = Flag()
        for _ in range(int(timeout_s / SETTLE_EVERY_S)):
            if player.settle_up(self.fault):
                return
            pause.wait(SETTLE_EVERY_S)
