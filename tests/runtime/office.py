"""An outbox in front of a writer's desk: its greenlets run in the test, over a real Redis."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gevent

from runtime.messaging import queues
from runtime.messaging.commands import Batch
from runtime.messaging.connection import connect
from runtime.messaging.outbox import REPLIES_BLOCK_S, Outbox
from runtime.messaging.queues import Ticket, decode_job
from tests.backgrounds import Greenlets
from tests.jobs.writer_desk import Desk
from tests.waiting import wait_until

LIMIT_S = 10


class Office:
    """An outbox whose greenlets the test ends, in front of a desk that works when the test says so."""

    def __init__(self, desk: Desk, *, backlog_max: int = 100, client: Any = None, replies: Any = None) -> None:
        self.desk = desk
        self.greenlets = Greenlets()
        self.outbox = Outbox(
            client or connect(desk.redis_url),
            replies or connect(desk.redis_url, block_s=REPLIES_BLOCK_S),
            desk.clock,
            "office",
            backlog_max,
        )

    def open(self) -> Office:
        """Start."""
        self.outbox.start(self.greenlets.background())
        return self

    def asks(self, *tickets: Ticket, until_queued: bool = False) -> list[gevent.Greenlet]:
        """Let one greenlet a ticket place it, all in the same turn of the loop."""
        place = self.outbox.place
        return [gevent.spawn(place, ticket, until_queued=until_queued) for ticket in tickets]

    def until(self, condition: Callable[[], bool]) -> None:
        """Let the greenlets run until something holds."""
        wait_until(condition, LIMIT_S, every_s=0.001, pause=gevent.sleep)

    def waiting(self, name: str = queues.BETS) -> list[Batch]:
        """Return the jobs that wait on a queue."""
        found: Any = self.desk.client.lrange(queues.QUEUE_PREFIX + name, 0, -1)
        data: list[Any] = [self.desk.client.hget(queues.JOB_PREFIX + one.decode(), "data") for one in found]
        return [decode_job(one) for one in data]


def results(greenlets: list[gevent.Greenlet]) -> list[Any]:
    """Return what the greenlets return; an exception is a result, too."""
    gevent.joinall(greenlets, timeout=LIMIT_S)
    assert all(one.ready() for one in greenlets)
    return [one.value if one.successful() else one.exception for one in greenlets]
