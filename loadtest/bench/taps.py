"""Taps: signed bets on cells that the newest grid offers, each cell at most once for each player."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

import msgspec

from loadtest.bench.http import problem_code, with_body
from loadtest.bench.players import Player
from runtime.auth.bet_text import bet_text
from runtime.clock import Clock
from taptrade.views import GridView

RATE_BP_MIN = 15_000
RATE_BP_MAX = 120_000
"""Mid-range rates: no move of the price within a second takes such a cell off the offer."""
FLOOR_BP = 10_000
COLUMNS = 2
"""The nearest columns that stay open long enough: their bets settle soonest."""
OPEN_FOR_MS = 5_000
STAKE_CENTS = 100


class NothingOffered(Exception):
    """The grid offers no cell that some player could still tap."""


@dataclass(slots=True)
class Target:
    """A cell, and how many players have tapped it; who is first differs from cell to cell."""

    cell_id: str
    closes_ms: int
    first: int
    taps: int = 0


class Board:
    """The cells of the newest grid that are worth tapping."""

    def __init__(self, players: int, rng: Random) -> None:
        self._players = players
        self._rng = rng
        self._targets: dict[str, Target] = {}
        self._open: list[Target] = []
        self._turn = 0

    def show(self, grid: GridView) -> None:
        """Take a new grid; cells that were tapped before keep their count."""
        now_ms = grid.server_time_ms
        self._targets = {name: target for name, target in self._targets.items() if target.closes_ms > now_ms}
        width_ms = grid.column_seconds * 1000
        columns = 0
        self._open = []
        for column, rates in zip(grid.columns, grid.rates_bp, strict=True):
            # A column takes no more bets once the one before it begins.
            closes_ms = column.opens_ms - width_ms
            if closes_ms - now_ms < OPEN_FOR_MS or columns == COLUMNS:
                continue
            columns += 1
            for row, rate in zip(grid.rows, rates, strict=True):
                if rate is not None and RATE_BP_MIN <= rate <= RATE_BP_MAX:
                    self._add(f"{column.start_s}_{row.low_cents}_{row.high_cents}", closes_ms)

    def _add(self, cell_id: str, closes_ms: int) -> None:
        target = self._targets.get(cell_id)
        if target is None:
            target = self._targets[cell_id] = Target(cell_id, closes_ms, self._rng.randrange(self._players))
        if target.taps < self._players:
            self._open.append(target)

    def next(self) -> tuple[str, int]:
        """Return a cell and a player who has never tapped it."""
        while self._open:
            self._turn = (self._turn + 1) % len(self._open)
            target = self._open[self._turn]
            if target.taps < self._players:
                player = (target.first + target.taps) % self._players
                target.taps += 1
                return target.cell_id, player
            self._open.remove(target)
        raise NothingOffered


class Taps:
    """The traffic of players who tap; each tap is signed just before it leaves."""

    def __init__(self, players: Sequence[Player], chain_id: int, clock: Clock, *, signed: bool) -> None:
        self._players = players
        self._chain_id = chain_id
        self._clock = clock
        self._signed = signed
        self.board = Board(len(players), Random(secrets.randbits(64)))
        self._run = secrets.token_hex(8)
        self._count = 0

    def request(self) -> tuple[bytes, int]:
        """Sign the next tap."""
        cell_id, index = self.board.next()
        player = self._players[index]
        self._count += 1
        nonce = f"{self._run}{self._count:x}"
        signed_s = self._clock.now_ms() // 1000
        signature = ""
        if self._signed:
            text = bet_text(cell_id, STAKE_CENTS, FLOOR_BP, nonce, signed_s, self._chain_id)
            signature = player.sign_tap(text.encode())
        body = (
            f'{{"cell_id":"{cell_id}","amount":{STAKE_CENTS},"min_rate_bp":{FLOOR_BP},"nonce":"{nonce}",'
            f'"timestamp":{signed_s},"signature":"{signature}"}}'
        )
        return with_body(player.head, body.encode()), index

    def answered(self, tag: int, status: int, body: bytes) -> str:
        """A bet counts when it is committed; one that is still pending after two seconds does not."""
        del tag
        if status == 201:
            return ""
        return "PENDING" if status == 202 else problem_code(status, body)

    def see_grid(self, status: int, body: bytes) -> None:
        """Take the grid that the errand brought."""
        if status == 200:
            self.board.show(msgspec.json.decode(body, type=GridView))
