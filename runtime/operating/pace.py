"""How many bets come: those that the writer has judged within a minute, told by its commits."""

from __future__ import annotations

import msgspec

from runtime.game.ledger import SQL
from runtime.game.player_entries import Execute
from runtime.records.queries import QUERIES

SPAN_MS = 60_000


class Pace(msgspec.Struct, frozen=True):
    """The bets that wait, and those that were judged in the last minute, taken or refused."""

    waiting: int
    last_minute: int
    per_second: float


def read_pace(execute: Execute, waiting: int, now_ms: int) -> Pace:
    """Count the bets of the last minute by their row numbers: by a few looks into an index, however many they are."""
    ((newest,),) = execute(SQL["last_bet_seq"], ())
    ((before,),) = execute(QUERIES["last_bet_by"], (now_ms - SPAN_MS, now_ms - SPAN_MS))
    return Pace(waiting, newest - before, round((newest - before) * 1000 / SPAN_MS, 2))
