"""How many bets come: those that the writer has judged within a minute, told by its commits."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from runtime.game.ledger import SQL
from runtime.game.player_entries import Execute
from runtime.game.shards import begins_after, shard_of
from runtime.records.queries import QUERIES

SPAN_MS = 60_000


class Pace(msgspec.Struct, frozen=True):
    """The bets that wait, and those that were judged in the last minute, taken or refused."""

    waiting: int
    last_minute: int
    per_second: float


def read_pace(ledgers: Iterable[Execute], waiting: int, now_ms: int) -> Pace:
    """Count the bets of the last minute in all ledgers of a house."""
    judged = sum(_judged(execute, now_ms - SPAN_MS) for execute in ledgers)
    return Pace(waiting, judged, round(judged * 1000 / SPAN_MS, 2))


def _judged(execute: Execute, since_ms: int) -> int:
    """Count the bets of one ledger by their row numbers: by a few looks into an index, however many they are."""
    ((newest,),) = execute(SQL["last_bet_seq"], ())
    ((before,),) = execute(QUERIES["last_bet_by"], (since_ms, since_ms))
    return int(newest - max(before, begins_after(shard_of(newest))))
