"""Taps in gestures: so many cells under one signature, each tapped at most once by each player."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence

from loadtest.open_loop import request_of
from loadtest.traffic import FLOOR_BP, STAKE_CENTS, NothingOffered, Player, Taps
from runtime.auth.bet_text import gesture_text
from runtime.clock import Clock
from runtime.game.gestures import TapLine, taps_text

LOOKED_AT = 200
"""Players who are asked for cells that they have not tapped, before none is left."""
_REFUSED = re.compile(rb'"refusal" *: *\{ *"code" *: *"([A-Z_]+)"')


class Gestures(Taps):
    """The traffic of players who tap `size` cells at once; a request counts where every tap of it is committed."""

    def __init__(self, players: Sequence[Player], chain_id: int, clock: Clock, *, signed: bool, size: int) -> None:
        super().__init__(players, chain_id, clock, signed=signed)
        self._size = size
        self._turns = itertools.cycle(range(len(players)))
        self._tapped: dict[str, set[int]] = {}
        """By cell, who has tapped it."""

    def request(self) -> tuple[bytes, int]:
        """Sign the next gesture."""
        cells, index = self._next()
        nonce, signed_s = self.new_nonce(), self._clock.now_ms() // 1000
        signature = ""
        if self._signed:
            lines = taps_text(TapLine(cell_id, STAKE_CENTS, FLOOR_BP) for cell_id in cells)
            text = gesture_text(lines, nonce, signed_s, self._chain_id)
            signature = self._players[index].sign_tap(text.encode())
        taps = ",".join(
            f'{{"cell_id":"{cell_id}","amount":{STAKE_CENTS},"min_rate_bp":{FLOOR_BP}}}' for cell_id in cells
        )
        body = f'{{"taps":[{taps}],"nonce":"{nonce}","timestamp":{signed_s},"signature":"{signature}"}}'
        return request_of(self._players[index].head, body.encode()), index

    def answered(self, tag: int, status: int, body: bytes) -> str:
        """Anything but all of its bets committed is an error, of the first tap that was refused."""
        refused = _REFUSED.search(body) if status == 201 else None
        return refused[1].decode() if refused else super().answered(tag, status, body)

    def _next(self) -> tuple[list[str], int]:
        """Return a player and cells that this one has never tapped."""
        offered = self.board.offered()
        self._tapped = {cell_id: self._tapped.get(cell_id, set()) for cell_id in {*offered, *self._still_open(offered)}}
        for index in itertools.islice(self._turns, LOOKED_AT):
            cells = [cell_id for cell_id in offered if index not in self._tapped[cell_id]][: self._size]
            if len(cells) == self._size:
                for cell_id in cells:
                    self._tapped[cell_id].add(index)
                return cells, index
        raise NothingOffered

    def _still_open(self, offered: Sequence[str]) -> list[str]:
        """Return the cells that were offered before and may be again: a cell's id begins with its column's start."""
        first = min(offered, default="")
        return [cell_id for cell_id in self._tapped if cell_id >= first]
