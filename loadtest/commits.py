"""The writer's own commits on tables that are measured: judged and placed, with the log copied beside them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from jobs.writer.book import Book
from jobs.writer.main import STOP_S_MAX
from jobs.writer.place import place_bets
from jobs.writer.rules import WriterRules
from loadtest.processes import BenchFailed
from runtime.background import Background
from runtime.clock import Clock, SystemClock
from runtime.game.ledger import Commit
from runtime.game.ticks import Tick
from runtime.messaging.commands import PlaceBet
from runtime.metrics.table import Metrics
from runtime.storage.checkpoints import Checkpointer
from runtime.storage.database import SqliteDatabase


def no_wait(_from_ms: int, _to_ms: int) -> Sequence[Tick]:
    """Return the ticks between a bet's receipt and its fill where it is filled at once."""
    return ()


def commit_bets(
    book: Book,
    bets: Sequence[PlaceBet],
    rules: WriterRules,
    tick: Tick,
    ahead: Callable[[Commit], object] = lambda _commit: None,
) -> None:
    """Place bets in one commit, which may read `ahead` first; raise BenchFailed if one is refused."""
    with book.commit(lambda _commit: None) as commit:
        ahead(commit)
        outcomes = place_bets(commit, rules.judge(commit, book, tick, frozenset()), book.seals, bets)
    refused = [outcome.code for outcome in outcomes if outcome.code]
    if refused:
        raise BenchFailed(f"{len(refused)} bets were refused, first with {refused[0]}")


@contextmanager
def checkpointed(database: SqliteDatabase, path: Path, clock: Clock) -> Iterator[None]:
    """Copy SQLite's log beside the commits of the block, as the writer's process does."""
    metrics, stopping = Metrics("writer"), threading.Event()
    background = Background(stopping, SystemClock(), metrics)
    checkpoints = Checkpointer(database, path, metrics, clock)
    checkpoints.start(background)
    try:
        yield
    finally:
        stopping.set()
        checkpoints.stop()
        background.join(STOP_S_MAX)
