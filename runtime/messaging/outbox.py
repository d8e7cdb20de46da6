"""What this process asks of the writer: gathered for some milliseconds, queued together, answered after the commit.

An idle outbox sends at once. Under load, whatever arrives until the next sending is due, or during a round trip to
Redis that takes longer, goes together: an enqueue costs much more than another bet in it.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import gevent
from gevent.event import AsyncResult, Event

from runtime.background import Background
from runtime.clock import Clock
from runtime.errors import Unavailable
from runtime.messaging import queues, redis_keys
from runtime.messaging.commands import BETS, Answered, AnyCommand, Outcome
from runtime.messaging.connection import OUTAGES, Redis, RedisError, was_never_sent
from runtime.messaging.queues import BATCH_COMMANDS_MAX, EnqueueResult, Queue, Ticket, decode_answers

logger = logging.getLogger(__name__)

ANSWER_WAIT_S = 2.0
REPLIES_BLOCK_S = 5.0
BACKOFF_S = 0.1
LOOK_EVERY_S = 0.05
REPLIES_TAKEN_MAX = 64
LEFT_MAX = 20_000
GATHER_S = 0.005
GATHER_S_FOR_BET = 0.000_4
GATHER_S_MAX = 0.016
"""How long commands gather: the more bets went with the last enqueue, the longer the next one waits for its own.

Below three dozen bets that is longer than the writer's pause between its looks (jobs/writer/main.py), or bets would
gather there once more.
"""

Answer = Answered | EnqueueResult


@dataclass(slots=True)
class _Waiting:
    ticket: Ticket
    result: AsyncResult[Answer | None]
    until_queued: bool


class _Lane:
    """One queue: tickets wait here while an enqueue is under way."""

    def __init__(self, queue: Queue, clock: Clock) -> None:
        self.queue = queue
        self.clock = clock
        self.waiting: list[_Waiting] = []
        self.bets = 0
        self.some = Event()

    def put(self, waiting: _Waiting) -> None:
        self.waiting.append(waiting)
        self.bets += waiting.ticket.bets
        self.some.set()

    def run(self) -> None:
        due_s = 0.0
        while True:
            self.some.wait()
            left_s = due_s - time.monotonic()
            if left_s > 0 and self.bets < BATCH_COMMANDS_MAX:
                gevent.sleep(left_s)
            batch = self._take()
            due_s = time.monotonic() + min(
                GATHER_S + GATHER_S_FOR_BET * sum(one.ticket.bets for one in batch), GATHER_S_MAX
            )
            while self.waiting:
                # A round trip takes as long as the event loop takes to come round. One after the other, jobs would
                # leave the slower the more requests there are, and the writer would wait while bets do.
                gevent.spawn(self._send, self._take())
            self.some.clear()
            if batch:
                self._send(batch)

    def _take(self) -> list[_Waiting]:
        """Take as many as one job should hold; a gesture goes whole, so some bets more may be among them."""
        count, bets = 0, 0
        for one in self.waiting:
            if bets >= BATCH_COMMANDS_MAX:
                break
            bets += one.ticket.bets
            count += 1
        batch = self.waiting[:count]
        del self.waiting[:count]
        self.bets -= bets
        return batch

    def _send(self, batch: list[_Waiting]) -> None:
        try:
            results = self.queue.enqueue([one.ticket for one in batch], self.clock.now_ms())
        except RedisError as ex:
            logger.warning("enqueue on %s failed: %s", self.queue.name, ex)
            if was_never_sent(ex):
                for one in batch:
                    one.result.set_exception(Unavailable("Nothing can be queued right now.", retry_after_s=1))
            # Otherwise nobody knows whether it was queued: those who wait are told `pending`, and the deadline decides.
            return
        for one, result in zip(batch, results, strict=True):
            if result.code or one.until_queued:
                one.result.set(result)


class Outbox:
    """Commands of one API process on their way to a shard's writer and back."""

    def __init__(
        self, client: Redis, replies: Redis, clock: Clock, origin: str, backlog_bets_max: int, shard: int = 1
    ) -> None:
        """`replies` must allow commands that block for REPLIES_BLOCK_S."""
        self.origin = origin
        self.answered = 0
        """Answers that came so far, in time or not: the writer's pace."""
        self.tell_refused: Callable[[str], object] = lambda _user_id: None
        """Called with the account of a bet that was refused when nobody waited for it any more."""
        self._left: dict[str, str] = {}
        self._replies = replies
        self._awaited: dict[str, AsyncResult[Answer | None]] = {}
        self._due: deque[tuple[float, AsyncResult[Answer | None]]] = deque()
        self._bets = _Lane(Queue(client, queues.BETS, origin, backlog_max=backlog_bets_max, shard=shard), clock)
        self._commands = _Lane(Queue(client, queues.COMMANDS, origin, shard=shard), clock)

    def start(self, background: Background) -> None:
        """Send and listen in the background."""
        background.start("send-bets", self._bets.run)
        background.start("send-commands", self._commands.run)
        background.start("replies", self._listen)
        background.start("give-up", self._give_up)

    def place(self, ticket: Ticket, *, until_queued: bool = False) -> Answer | None:
        """Queue a bet and wait for its commit, or only until it is queued.

        An EnqueueResult says that it was refused, or with `until_queued` that it waits; None that nothing is known yet.
        """
        answer = self._wait(self._bets, ticket, until_queued=until_queued)
        if answer is None or (isinstance(answer, EnqueueResult) and not answer.code):
            self._leave(ticket)
        return answer

    def _leave(self, ticket: Ticket) -> None:
        """Keep whose bet it is that is answered without its outcome."""
        if isinstance(ticket.command, BETS):
            while len(self._left) >= LEFT_MAX:
                self._left.pop(next(iter(self._left)))
            self._left[ticket.command.id] = ticket.command.user_id

    def submit(self, command: AnyCommand) -> Outcome | None:
        """Queue a command and wait for its outcome; None if it did not come in time."""
        answer = self._wait(self._commands, Ticket(command))
        return answer.outcome() if isinstance(answer, Answered) else None

    def _wait(self, lane: _Lane, ticket: Ticket, *, until_queued: bool = False) -> Answer | None:
        command_id = ticket.command.id
        result: AsyncResult[Answer | None] = AsyncResult()
        self._awaited[command_id] = result
        self._due.append((time.monotonic() + ANSWER_WAIT_S, result))
        try:
            lane.put(_Waiting(ticket, result, until_queued))
            answer: Answer | None = result.get()
        finally:
            self._awaited.pop(command_id, None)
        return answer

    def _give_up(self) -> None:
        """End waits that took too long. All waits are equally long, so the oldest is due first.

        One look at the front twenty times a second costs less than a timer that each bet would start and stop.
        """
        while True:
            now_s = time.monotonic()
            while self._due and self._due[0][0] <= now_s:
                _, result = self._due.popleft()
                if not result.ready():
                    result.set(None)
            gevent.sleep(LOOK_EVERY_S)

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
                answers = decode_answers(data)
                for answer in answers:
                    self.answered += answer.bets
                    result = self._awaited.get(answer.id)
                    if result is not None:
                        result.set(answer)
                        continue
                    user_id = self._left.pop(answer.id, None)
                    if user_id is not None:
                        for _ in range(answer.refused or int(answer.code is not None)):
                            self.tell_refused(user_id)
