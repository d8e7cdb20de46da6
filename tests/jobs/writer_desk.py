"""A writer on real Redis and a real database, whose clock the test moves; and the players around it."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jobs.writer.book import Book
from jobs.writer.core import Writer
from jobs.writer.inbox import Inbox
from jobs.writer.rules import WriterRules
from runtime.clock import ManualClock
from runtime.game.grid import GridRules, column_of
from runtime.game.limits import RiskLimits
from runtime.game.rewards import BrownianTouch
from runtime.game.ticks import Features, Tick
from runtime.messaging import queues, redis_keys
from runtime.messaging.commands import AnyBet, AnyCommand, OpenAccount, Outcome, PlaceBet, SettleColumn
from runtime.messaging.connection import Redis, connect
from runtime.messaging.redis_values import encode_tick
from runtime.postgresql import choice
from runtime.postgresql.connection import PostgresDatabase
from runtime.settings import Settings, load
from runtime.storage.database import LEDGER_MIGRATIONS, Database, SqliteDatabase, open_writer
from runtime.storage.migrate import migrate
from tests.runtime.game.one_limit import HOUSE_MINUTES

PRICE_CENTS = 9_200_250
RULES = GridRules(column_seconds=5, horizon_columns=12, row_step_cents=500, rows=20)
PRESETS = (100, 500, 1000, 5000, 10000)
RISK = RiskLimits(1_000_000, 20_000_000, 100_000_000, 1_000_000_000)


def tick_at(ms: int, cents: int = PRICE_CENTS, **changes: Any) -> Tick:
    """Return a tick that moves by nothing, with a volatility that offers the cells around the price."""
    features = Features(volatility=300.0, sample_ms=300, history_ms=600_000)
    values: dict[str, Any] = {
        "id": ms,
        "exchange_ms": ms,
        "close": cents,
        "low": cents,
        "high": cents,
        "sources": "test",
        "features": features,
    }
    return Tick(**{**values, **changes})


@dataclass
class Desk:
    """One writer and what it stands on."""

    path: Path
    redis_url: str
    clock: ManualClock
    risk: RiskLimits = RISK
    presets: tuple[int, ...] = PRESETS
    withdrawals: tuple[int, int] = (100, 10)
    """The least amount of one, and how many of an account may be pending."""
    kept_days: int = 3650
    """How long a player's records are kept."""
    random_bytes: Callable[[int], bytes] = secrets.token_bytes
    """What players' keys are made of."""
    settings: Settings = field(init=False)
    database_url: str = ""
    """A PostgreSQL with our schema that holds the ledger; empty: SQLite's file at `path`."""
    shard: int = 1
    """Which of a house's ledgers the writer writes."""
    shown: list[Tick] = field(init=False, default_factory=list)
    """The ticks that were published."""
    client: Redis = field(init=False)
    database: Database = field(init=False)
    writer: Writer = field(init=False)

    def __post_init__(self) -> None:
        self.client = connect(self.redis_url, block_s=1)
        self.settings = load({"TAPTRADE_DATA": str(self.path.parent), "TAPTRADE_DATABASE_URL": self.database_url})
        if self.database_url:
            self.database = choice.open_writer(self.settings, self.shard)
        else:
            migrate(self.path, LEDGER_MIGRATIONS, self.clock)
            self.database = open_writer(self.path)
        self.hire()
        self.show(PRICE_CENTS)

    @property
    def file(self) -> SqliteDatabase:
        """The database as SQLite's, where it is."""
        assert isinstance(self.database, SqliteDatabase)
        return self.database

    def reopened(self) -> Database:
        """Return a connection of its own, as one by hand has."""
        if self.database_url:
            return PostgresDatabase(self.database_url, prepare="", shard=self.shard)
        return open_writer(self.path)

    def hire(self) -> None:
        """Start a writer anew, as after a crash: it knows what is stored, and nothing else."""
        commit_type = choice.commit_type(self.settings)
        book = Book(self.database, self.clock, self.risk, self.random_bytes, commit_type)
        rules = WriterRules(
            RULES,
            BrownianTouch(RULES, 500),
            self.presets,
            1500,
            *self.withdrawals,
            self.between,
            HOUSE_MINUTES,
            self.kept_days,
        )
        self.writer = Writer(self.client, book, Inbox(self.client, self.shard), rules)
        self.writer.held = self.writer.inbox.open()

    def close(self) -> None:
        """Let go of the database and of Redis."""
        self.database.close()
        self.client.close()

    def show(self, cents: int) -> Tick:
        """Publish a tick of this moment."""
        tick = tick_at(self.clock.now_ms(), cents)
        self.client.set(redis_keys.TICK_LATEST, encode_tick(tick))
        self.shown.append(tick)
        return tick

    def between(self, from_ms: int, to_ms: int) -> list[Tick]:
        """Return the published ticks of a span, as the feed's store has them."""
        return [tick for tick in self.shown if from_ms <= tick.id < to_ms]

    def new_id(self) -> str:
        """Return a fresh id."""
        return queues.new_id(self.clock.now_ms())

    def queue(self, *commands: AnyCommand, name: str = queues.COMMANDS) -> None:
        """Put commands on a queue as one job, answered to `test`."""
        backlog = 10_000 if name == queues.BETS else 0
        queue = queues.Queue(self.client, name, "test", backlog_max=backlog, shard=self.shard)
        results = queue.enqueue([queues.Ticket(command) for command in commands], self.clock.now_ms())
        assert {result.code for result in results} <= {""}, results

    def work(self) -> None:
        """Take turns until nothing waits."""
        while self.writer.run_once():
            pass

    def answers(self) -> dict[str, Outcome]:
        """Return the outcomes that were answered so far, by command."""
        found: Any = self.client.lrange(redis_keys.replies("test"), 0, -1)
        return {outcome.id: outcome for data in found for outcome in queues.decode_outcomes(data)}

    def do(self, *commands: AnyCommand, name: str = queues.COMMANDS) -> list[Outcome]:
        """Queue commands, let the writer work, and return their outcomes in order."""
        self.queue(*commands, name=name)
        self.work()
        answers = self.answers()
        unanswered = [command.id for command in commands if command.id not in answers]
        assert not unanswered, f"no answer to {unanswered}; in Redis: {self._jobs()}"
        return [answers[command.id] for command in commands]

    def _jobs(self) -> dict[str, Any]:
        """Return what queues and registries hold, and under whose names."""
        found: Any = self.client.keys("rq:*")
        kinds = {key: self.client.type(key) for key in found}
        lists = {key: self.client.lrange(key, 0, -1) for key, kind in kinds.items() if kind == b"list"}
        return lists | {key: self.client.zrange(key, 0, -1) for key, kind in kinds.items() if kind == b"zset"}

    def player(self, number: int = 1, cents: int = 1_000_000) -> str:
        """Open an account with some money; its user id."""
        outcome = self.do(
            OpenAccount(
                id=self.new_id(),
                received_ms=self.clock.now_ms(),
                decided_by_ms=self.clock.now_ms() + 10_000,
                user_id=self.new_id(),
                wallet_address=f"0x{number:040x}",
                credit_cents=cents,
            )
        )[0]
        user_id: str = outcome.data["user_id"]
        return user_id

    def bet(self, user_id: str, *, columns: int = 3, rows: int = 0, **changes: Any) -> PlaceBet:
        """Return a bet on the cell so many columns ahead and rows above the price."""
        now_ms = self.clock.now_ms()
        start_s = column_of(now_ms, RULES) + columns * RULES.column_seconds
        low = PRICE_CENTS - PRICE_CENTS % RULES.row_step_cents + rows * RULES.row_step_cents
        values: dict[str, Any] = {
            "id": self.new_id(),
            "received_ms": now_ms,
            "decided_by_ms": min(now_ms + 10_000, start_s * 1000),
            "user_id": user_id,
            "cell_id": f"{start_s}_{low}_{low + RULES.row_step_cents}",
            "amount": 100,
            "min_rate_bp": 10_000,
            "nonce": "nonce1234",
            "signed_at_s": now_ms // 1000,
            "signature": "0x" + "00" * 65,
            "signer": "0x" + "00" * 20,
        }
        return PlaceBet(**{**values, **changes})

    def place(self, *bets: AnyBet) -> list[Outcome]:
        """Place bets in one job."""
        return self.do(*bets, name=queues.BETS)

    def settle(self, start_s: int, low: int, high: int, *, covered: bool = True) -> Outcome:
        """Settle a column on the given extremes."""
        return self.do(self.settlement(start_s, low, high, covered=covered))[0]

    def settlement(self, start_s: int, low: int, high: int, *, covered: bool = True) -> SettleColumn:
        """Return the command that settles a column on the given extremes."""
        return SettleColumn(
            id=self.new_id(),
            received_ms=self.clock.now_ms(),
            decided_by_ms=self.clock.now_ms() + 60_000,
            start_s=start_s,
            end_s=start_s + RULES.column_seconds,
            covered=covered,
            open=low,
            low=low,
            high=high,
            close=high,
            tick_count=5,
            ticks_sha256="0" * 64,
            first_tick_id=start_s * 1000,
            last_tick_id=start_s * 1000 + 900,
            reason=None if covered else "a gap",
        )

    def balance(self, user_id: str) -> int:
        """Return what the account holds."""
        cents: int = self.database.execute("SELECT balance FROM users WHERE id = ?", (user_id,))[0][0]
        return cents
