"""The shared parts that wiring builds once a process, and that functions find at `call.parts`."""

from __future__ import annotations

from dataclasses import dataclass

from runtime.auth.sessions import Sessions
from runtime.bet_intake import Intake
from runtime.clock import Clock
from runtime.game.grid import GridRules
from runtime.game.rewards import RewardModel
from runtime.market import Market
from runtime.outbox import Outbox
from runtime.reads import Reads
from runtime.redis_client import Client
from runtime.room import Room
from runtime.settings import Settings
from runtime.streams import Streams
from runtime.writer_watch import WriterWatch


@dataclass(frozen=True, slots=True)
class Parts:
    """Everything a function may need."""

    settings: Settings
    clock: Clock
    redis: Client
    reads: Reads
    ticks_reads: Reads
    outbox: Outbox
    room: Room
    sessions: Sessions
    market: Market
    streams: Streams
    writer_watch: WriterWatch
    model: RewardModel
    rules: GridRules
    intake: Intake
    run_id: str
    """Names this process's life; the writer answers to it."""
