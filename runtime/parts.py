"""The shared parts that wiring builds once a process, and that functions find at `call.parts`."""

from __future__ import annotations

from dataclasses import dataclass

from runtime.auth.operators import OperatorSessions
from runtime.auth.sessions import Sessions
from runtime.background import Background
from runtime.betting.admission import AdmissionControl
from runtime.betting.fate import Fates
from runtime.betting.intake import Intake
from runtime.clock import Clock
from runtime.game.grid import GridRules
from runtime.game.rewards import RewardModel
from runtime.health.writer_watch import WriterWatch
from runtime.history.past import Past
from runtime.market.state import Market
from runtime.messaging.connection import Redis
from runtime.messaging.outbox import Outbox
from runtime.records.sittings import Sittings
from runtime.settings import Settings
from runtime.storage.read_pool import ReadPool
from runtime.stream.hub import Hub


@dataclass(frozen=True, slots=True)
class Parts:
    """Everything a function may need."""

    settings: Settings
    clock: Clock
    background: Background
    redis: Redis
    pool: ReadPool
    past: Past
    ticks_pool: ReadPool
    outbox: Outbox
    admission: AdmissionControl
    sessions: Sessions
    operators: OperatorSessions
    sittings: Sittings
    market: Market
    hub: Hub
    writer_watch: WriterWatch
    model: RewardModel
    rules: GridRules
    intake: Intake
    fates: Fates
    run_id: str
    """Names this process's life; the writer answers to it."""
