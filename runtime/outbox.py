"""What this process asks of the writer: gathered while the last enqueue is on its way, answered after the commit.

There is no timer. An idle outbox sends at once; under load, whatever arrives during a round trip to Redis goes with
the next one, so batches grow by themselves.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import gevent
from gevent.event import AsyncResult, Event

from runtime import queues, redis_keys
from runtime.clock import Clock
from runtime.commands import AnyCommand, Outcome
from runtime.errors import Unavailable
from runtime.queues import BATCH_COMMANDS_MAX, Admission, Queue, Ticket, decode_outcomes
from runtime.redis_client import OUTAGES, Client, RedisError, was_never_sent

logger = logging.getLogger(__name__)

ANSWER_WAIT_S = 2.0
REPLIES_BLOCK_S = 5.0
BACKOFF_S = 0.1
REPLIES_TAKEN_MAX = 64

Answer = Outcome | Admission


class _Lane:
    """One queue: tickets wait here while an enqueue is under way."""

    def __init__(self, queue: Queue, clock: Clock) -> None:
        self.queue = queue
        self.clock = clock
        self.waiting: list[tuple[Ticket, AsyncResult[Answer]]] = []
        self.some = Event()

    def put(self, ticket: Ticket, result: AsyncResult[Answer]) -> None:
        self.waiting.append((ticket, result))
        self.some.set()

    def run(self) -> None:
        while True:
            self.some.wait()
            batch = self.waiting[:BATCH_COMMANDS_MAX]
            del self.waiting[:BATCH_COMMANDS_MAX]
            if not self.waiting:
                self.some.clear()
            if batch:
                self._send(batch)

    def _send(self, batch: list[tuple[Ticket, AsyncResult[Answer]]]) -> None:
        try:
            admissions = self.queue.enqueue([ticket for ticket, _ in batch], self.clock.now_ms())
        except RedisError as ex:
            logger.warning("enqueue on %s failed: %s", self.queue.name, ex)
            if was_never_sent(ex):
                for _, result in batch:
                    result.set_exception(Unavailable("Nothing can be queued right now.", retry_after_s=1))
            # Otherwise nobody knows whether it was queued: those who wait are told `pending`, and the deadline decides.
            return
        for (_, result), admission in zip(batch, admissions, strict=True):
            if admission.verdict:
                result.set(admission)


class Outbox:
    """Commands of one API process on their way to the writer and back."""

    def __init__(self, client: Client, replies: Client, clock: Clock, origin: str, backlog_bets_max: int) -> None:
        """`replies` must allow commands that block for REPLIES_BLOCK_S."""
        self.origin = origin
        self._replies = replies
        self._awaited: dict[str, AsyncResult[Answer]] = {}
        self._bets = _Lane(Queue(client, queues.BETS, origin, backlog_max=backlog_bets_max), clock)
        self._commands = _Lane(Queue(client, queues.COMMANDS, origin), clock)

    def start(self, spawn: Callable[[Callable[[], None]], object] = gevent.spawn) -> None:
        """Start the greenlets that send and that listen."""
        spawn(self._bets.run)
        spawn(self._commands.run)
        spawn(self._listen)

    def place(self, ticket: Ticket, *, wait_s: float = ANSWER_WAIT_S) -> Answer | None:
        """Queue a bet and wait: an Outcome after its commit, an Admission that refuses it, None if neither came."""
        return self._wait(self._bets, ticket, wait_s)

    def submit(self, command: AnyCommand, *, wait_s: float = ANSWER_WAIT_S) -> Outcome | None:
        """Queue a command and wait for its outcome; None if it did not come in time."""
        answer = self._wait(self._commands, Ticket(command), wait_s)
        return answer if isinstance(answer, Outcome) else None

    def _wait(self, lane: _Lane, ticket: Ticket, wait_s: float) -> Answer | None:
        command_id = ticket.command.id
        result: AsyncResult[Answer] = AsyncResult()
        self._awaited[command_id] = result
        try:
            lane.put(ticket, result)
            answer: Answer = result.get(timeout=wait_s)
            return answer
        except gevent.Timeout:
            return None
        finally:
            self._awaited.pop(command_id, None)

    def _listen(self) -> None:
        key = redis_keys.replies(self.origin)
        while True:
            try:
                found: Any = self._replies.blmpop(REPLIES_BLOCK_S, 1, key, direction="LEFT", count=REPLIES_TAKEN_MAX)
            except OUTAGES as ex:
                logger.warning("no replies from Redis: %s", ex)
                gevent.sleep(BACKOFF_S)
                continue
            for data in found[1] if found else ():
                for outcome in decode_outcomes(data):
                    result = self._awaited.get(outcome.id)
                    if result is not None:
                        result.set(outcome)
