"""The house that tests have as the fixture `trial`: a stage whose clock they move, and bets that end as they say."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from jobs.triggers.follow import told_of
from runtime.auth.bet_text import bet_text
from runtime.auth.signatures import sign
from runtime.clock import ManualClock
from runtime.errors import TaptradeError
from runtime.game.settlement import Result, evidence
from runtime.game.statements import read_statements
from runtime.game.ticks import Tick
from runtime.market.grid import Grid
from runtime.records.events import events_of_commit, last_commit
from runtime.records.views import BetView
from runtime.settings import Settings
from runtime.storage import ticks_store
from runtime.storage.database import open_writer
from runtime.triggers.run import Event
from taptrade.trial_market import free_cell, path_of
from taptrade.trial_stage import SESSION, Stage

NONCE_BYTES = 16
TRIAL = read_statements("taptrade", "trial.sql")


class BetRefused(TaptradeError):
    """A bet was not taken; `problem` is the answer."""

    def __init__(self, problem: Mapping[str, Any]) -> None:
        super().__init__(f"{problem.get('code')}: {problem.get('detail')}")
        self.problem = problem


class CannotSettle(TaptradeError):
    """A bet cannot end in this way any more."""


class Trial(Stage[ManualClock]):
    """A stage for tests; nothing happens on it but what the test does."""

    def __init__(self, settings: Settings, clock: ManualClock, folder: Path | None = None) -> None:
        super().__init__(settings, clock, folder)
        self._columns: list[int] = []
        """Those that bets were placed on."""

    def bet(
        self, player: Mapping[str, str], cell_id: str = "", *, stake_cents: int = 0, min_rate_bp: int = 0
    ) -> BetView:
        """Place a bet for somebody who signed in, signed and by the endpoint; raise BetRefused.

        Without a cell it is one near the price, on a column that no other bet of the trial is on or beside, as long as
        there is one; without a stake it is the smallest that the house takes.
        """
        key = self._keys.get(player.get(SESSION, ""))
        if key is None:
            raise ValueError("the key of this session is not here: bet with what trial.sign_in() has returned")
        grid = msgspec.convert(self.call("GET", "/api/grid").json, Grid)
        cell_id = cell_id or free_cell(grid, self._columns)
        amount, chain_id = stake_cents or min(grid.presets_cents), self.settings.chain_ids[0]
        nonce, timestamp = secrets.token_hex(NONCE_BYTES), self.clock.now_ms() // 1000
        text = bet_text(cell_id, amount, min_rate_bp, nonce, timestamp, chain_id)
        tap = {"cell_id": cell_id, "amount": amount, "min_rate_bp": min_rate_bp, "nonce": nonce, "timestamp": timestamp}
        body = tap | {"signature": sign(text.encode(), key)}
        answer = self.call("POST", "/api/bets", body, headers=dict(player))
        if "bet" not in answer.json or "code" in answer.json:
            raise BetRefused(answer.json)
        placed = msgspec.convert(answer.json["bet"], BetView)
        self._columns.append(placed.column_start_s)
        return placed

    def settle(self, bet: BetView, ended: Result) -> Event:
        """Let a bet end as won, lost or void, and return the event that tells of it.

        The clock moves on behind the bet's column, whose prices are recorded so that it ends so; the writer settles it
        by that evidence, and with it all bets on the column.
        """
        told = self._end_of(bet)
        if told is None:
            self._settle_column(bet, ended)
            told = self._end_of(bet)
        if told is None or told.kind != f"bet.{ended}":
            raise CannotSettle(f"{bet.cell_id} cannot end as {ended}: it has {told.kind if told else 'no end'}")
        return told

    def events(self, kind: str = "") -> list[Event]:
        """Return what was committed, as event functions are told of it, oldest first; of one kind where it is given."""
        execute = self.bench.database.execute
        numbers = range(1, last_commit(execute) + 1)
        found = [one for number in numbers for one in told_of(events_of_commit(execute, number))]
        return [one for one in found if kind in ("", one.kind)]

    def _end_of(self, bet: BetView) -> Event | None:
        ends = [one for one in self.events() if one.data.get("resolved_commit") and one.data["id"] == bet.id]
        return ends[0] if ends else None

    def _settle_column(self, bet: BetView, ended: Result) -> None:
        start_ms = bet.column_start_s * 1000
        end_ms = start_ms + self.settings.column_seconds * 1000
        recorded = path_of(ended, bet.low_cents, bet.high_cents, start_ms, end_ms)
        decided_ms = max(end_ms, recorded[-1].id) + self.settings.settle_grace_ms
        self.clock.advance(max(0, decided_ms - self.clock.now_ms()))
        ticks = open_writer(self.settings.ticks_database)
        try:
            _record(ticks, recorded, start_ms, end_ms)
            path = ticks_store.window(ticks, start_ms, end_ms)
        finally:
            ticks.close()
        column = evidence(*path, start_ms, end_ms, self.clock.now_ms())
        if column is not None:
            self.writer().settle(column)
        self.refresh()


def _record(ticks: ticks_store.Executor, path: Sequence[Tick], start_ms: int, end_ms: int) -> None:
    """Store the prices of a window; what follows that of another column may stand at its start, and gives way."""
    ticks.execute(TRIAL["forget_ticks"], (start_ms, end_ms))
    for tick in path:
        if not ticks_store.between(ticks, tick.id, tick.id + 1, 1):
            ticks_store.append(ticks, tick)


@contextmanager
def open_trial(settings: Settings, clock: ManualClock, folder: Path | None = None) -> Iterator[Trial]:
    """Open a house for a test, over a Redis that is empty and a data folder of its own."""
    trial = Trial(settings, clock, folder)
    try:
        yield trial
    finally:
        trial.close()
