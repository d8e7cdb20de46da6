"""The writer of a trial: it works at once, in the process of who asks, through the same queues and scripts."""

from __future__ import annotations

import secrets
from dataclasses import asdict
from typing import Any, NamedTuple

from jobs.settlement.settler import SETTLEMENT_TTL_MS
from jobs.writer.book import Book
from jobs.writer.core import Writer
from jobs.writer.inbox import Inbox
from jobs.writer.rules import WriterRules, risk_of
from runtime.auth.signatures import address_of
from runtime.clock import Clock
from runtime.errors import Unavailable
from runtime.game.columns import Evidence
from runtime.game.rewards import BrownianTouch
from runtime.game.ticks import Tick
from runtime.market.models import rules_of
from runtime.messaging import queues, redis_keys
from runtime.messaging.commands import Answered, AnyCommand, OpenAccount, Outcome, SettleColumn
from runtime.messaging.connection import connect
from runtime.messaging.queues import EnqueueResult, Queue, Ticket, decode_answers, new_id
from runtime.settings import Settings
from runtime.storage.database import open_writer
from taptrade.trial_market import tick_of

ORIGIN = "trial"
BLOCK_S = 1.0
ACCOUNT_TTL_MS = 10_000


class Opened(NamedTuple):
    """A new account."""

    user_id: str
    wallet: str
    key: bytes
    """The wallet's private key."""


class TrialWriter:
    """A writer on the trial's databases."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self.clock = clock
        self.settings = settings
        self.client = connect(settings.redis_url, block_s=BLOCK_S)
        self._database = open_writer(settings.database)
        self._ticks: list[Tick] = []
        model = BrownianTouch(rules_of(settings), settings.house_edge_bp)
        self._writer = Writer(
            self.client,
            Book(self._database, clock, risk_of(settings)),
            Inbox(self.client),
            WriterRules.of(settings, model, self._between),
        )
        self._writer.held = self._writer.inbox.open()

    def tick_at(self, now_ms: int) -> Tick:
        """Return the price of this moment, and remember it for bets that wait for one."""
        tick = tick_of(now_ms)
        self._ticks.append(tick)
        return tick

    def _between(self, from_ms: int, to_ms: int) -> list[Tick]:
        return [tick for tick in self._ticks if from_ms <= tick.id < to_ms]

    def work(self) -> None:
        """Do everything that waits."""
        while self._writer.run_once():
            pass

    def open_account(self, credit_cents: int) -> Opened:
        """Open the account of a new wallet."""
        now_ms, key = self.clock.now_ms(), secrets.token_bytes(32)
        wallet = address_of(key)
        command = OpenAccount(
            id=new_id(now_ms),
            received_ms=now_ms,
            decided_by_ms=now_ms + ACCOUNT_TTL_MS,
            user_id=new_id(now_ms),
            wallet_address=wallet,
            credit_cents=credit_cents,
        )
        user_id: str = Carrier(self).submit(command).data["user_id"]
        return Opened(user_id, wallet, key)

    def settle(self, column: Evidence) -> None:
        """Settle a column by its evidence, with all bets on it."""
        now_ms = self.clock.now_ms()
        deadline_ms, found = now_ms + SETTLEMENT_TTL_MS, asdict(column)
        Carrier(self).submit(SettleColumn(id=new_id(now_ms), received_ms=now_ms, decided_by_ms=deadline_ms, **found))

    def close(self) -> None:
        """Let go of the database and of Redis."""
        self._database.close()
        self.client.close()


class Carrier:
    """Take what endpoints send through the enqueue script to the writer and bring its answers, as the outbox does."""

    def __init__(self, writer: TrialWriter) -> None:
        self._writer = writer
        backlog_max = writer.settings.backlog_bets_max
        self._bets = Queue(writer.client, queues.BETS, ORIGIN, backlog_max=backlog_max)
        self._commands = Queue(writer.client, queues.COMMANDS, ORIGIN)

    def place(self, ticket: Ticket, *, until_queued: bool = False) -> Answered | EnqueueResult | None:
        """Queue a bet; the writer decides it at once, unless only the queueing is waited for."""
        [result] = self._bets.enqueue([ticket], self._writer.clock.now_ms())
        return result if result.code or until_queued else self._answer()

    def submit(self, command: AnyCommand) -> Outcome:
        """Queue a command and let the writer do it."""
        self._commands.enqueue([Ticket(command)], self._writer.clock.now_ms())
        return self._answer().outcome()

    def _answer(self) -> Answered:
        self._writer.work()
        key = redis_keys.replies(ORIGIN)
        found: Any = self._writer.client.lrange(key, 0, -1)
        self._writer.client.delete(key)
        [answer] = [answer for data in found for answer in decode_answers(data)]
        return answer


class NoWriter:
    """What stands for the outbox where only is looked: nothing is written."""

    def place(self, ticket: Ticket, *, until_queued: bool = False) -> Answered | EnqueueResult | None:
        """Refuse."""
        del ticket, until_queued
        raise Unavailable("Nothing is written here: this is the present data, to be looked at only.")

    def submit(self, command: AnyCommand) -> Outcome:
        """Refuse."""
        del command
        raise Unavailable("Nothing is written here: this is the present data, to be looked at only.")
