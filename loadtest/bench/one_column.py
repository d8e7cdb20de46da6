"""A column with 15,000 bets ends: how long the writer takes to settle them, and how long new bets wait meanwhile."""

from __future__ import annotations

import time
from pathlib import Path
from threading import Event
from typing import Any

from loadtest.bench.children import BenchFailed
from loadtest.bench.lone_writer import DECIDED_WITHIN_MS, PRICE_CENTS, LoneWriter, bet, lone_writer
from loadtest.bench.results import OneColumn
from runtime.clock import SystemClock
from runtime.game.grid import Cell
from runtime.messaging import redis_keys
from runtime.messaging.commands import SettleColumn
from runtime.messaging.queues import BETS, COMMANDS, decode_outcomes, new_id

USERS = 1_500
ROWS = 10
AHEAD = 9
OTHERS_PER_S = 500
ORIGIN = "beside"
PLACED = "SELECT count(*) FROM bets WHERE refusal_code IS NULL"
SETTLED = "SELECT begun_at, settled_at FROM columns WHERE settled_commit IS NOT NULL"
SETTLED_S_MAX = 30
ANSWERS_EVERY_S = 0.002


def settle_one(folder: Path) -> OneColumn:
    """Fill a column, end it, and go on placing bets on another one until all of its bets have ended."""
    with lone_writer(folder) as writer:
        users = writer.open_accounts(USERS)
        writer.show_price()
        cells = writer.cells(AHEAD, 2, ROWS)
        ending, later = cells[:ROWS], cells[ROWS:]
        writer.put(BETS, [bet(user, cell) for cell in ending for user in users])
        writer.wait_for(PLACED, USERS * ROWS)
        writer.put(COMMANDS, [_end_of(ending[0].start_s, writer.rules.column_seconds)])
        waited_ms = _place_until_settled(writer, users, later)
        begun_ms, settled_ms = writer.database.execute(SETTLED)[0]
    return OneColumn(USERS * ROWS, OTHERS_PER_S, settled_ms - begun_ms, round(max(waited_ms), 1))


def _end_of(start_s: int, width_s: int) -> SettleColumn:
    """Return the evidence of a window in which the price stood still: the cells that it lies in win."""
    now_ms = SystemClock().now_ms()
    return SettleColumn(
        id=new_id(now_ms),
        received_ms=now_ms,
        decided_by_ms=now_ms + DECIDED_WITHIN_MS,
        start_s=start_s,
        end_s=start_s + width_s,
        covered=True,
        open=PRICE_CENTS,
        low=PRICE_CENTS,
        high=PRICE_CENTS,
        close=PRICE_CENTS,
        tick_count=1,
        ticks_sha256="0" * 64,
        first_tick_id=1,
        last_tick_id=1,
    )


def _place_until_settled(writer: LoneWriter, users: list[str], cells: list[Cell]) -> list[float]:
    """Place bets on schedule, one at a time; return how long each waited for its answer."""
    pairs = ((user, cell) for cell in cells for user in users)
    waited_ms: list[float] = []
    sent_s: dict[str, float] = {}
    pause = Event()
    start_s = time.perf_counter()
    for count, (user, cell) in enumerate(pairs):
        if time.perf_counter() > start_s + SETTLED_S_MAX:
            raise BenchFailed(f"the column had not settled after {SETTLED_S_MAX} s")
        if writer.database.execute(SETTLED):
            break
        pause.wait(max(start_s + count / OTHERS_PER_S - time.perf_counter(), 0.0))
        tap = bet(user, cell)
        sent_s[tap.id] = time.perf_counter()
        writer.put(BETS, [tap], ORIGIN)
        _receive(writer, sent_s, waited_ms)
    else:
        raise BenchFailed("there were not enough cells for the bets beside the settlement")
    while sent_s:
        if time.perf_counter() > start_s + SETTLED_S_MAX:
            raise BenchFailed(f"{len(sent_s)} bets beside the settlement were not answered")
        pause.wait(ANSWERS_EVERY_S)
        _receive(writer, sent_s, waited_ms)
    return waited_ms


def _receive(writer: LoneWriter, sent_s: dict[str, float], waited_ms: list[float]) -> None:
    """Take the answers that are there."""
    found: Any = writer.client.lpop(redis_keys.replies(ORIGIN), 100)
    now_s = time.perf_counter()
    for data in found or ():
        for outcome in decode_outcomes(data):
            if outcome.code is not None:
                raise BenchFailed(f"a bet beside the settlement was refused: {outcome.code}")
            waited_ms.append((now_s - sent_s.pop(outcome.id)) * 1000)
