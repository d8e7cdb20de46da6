"""The real writer alone: jobs full of bets wait in its queue, and nothing else runs. What the bare SQL is held against.

The writer's process is halted while the queue is filled; how long it then takes is read from its own commits.
"""

from __future__ import annotations

import signal
from pathlib import Path

from loadtest.bench.lone_writer import bet, lone_writer
from runtime.messaging.queues import BETS

USERS = 1_000
ROWS = 10
COLUMNS = 2
AHEAD = 9
"""Columns: far enough that none closes while its bets wait."""
PLACED = "SELECT count(*) FROM bets WHERE refusal_code IS NULL"
SPAN = """
SELECT min(committed_ms), max(committed_ms), min(last_bet_seq), max(last_bet_seq)
FROM commits WHERE first_bet_seq IS NOT NULL
"""


def bets_per_s(folder: Path) -> float:
    """Return how many bets a second the writer commits when full jobs wait for it."""
    with lone_writer(folder) as writer:
        users = writer.open_accounts(USERS)
        writer.process.send_signal(signal.SIGSTOP)
        writer.show_price()
        cells = writer.cells(AHEAD, COLUMNS, ROWS)
        writer.put(BETS, [bet(user, cell) for cell in cells for user in users])
        writer.process.send_signal(signal.SIGCONT)
        writer.wait_for(PLACED, len(users) * len(cells))
        first_ms, last_ms, first_seq, last_seq = writer.database.execute(SPAN)[0]
    return float((last_seq - first_seq) / (last_ms - first_ms) * 1000)
