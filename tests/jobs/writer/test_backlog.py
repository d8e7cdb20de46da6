"""The count of waiting bets: right again by itself after somebody took jobs away, and never wrong by counting."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from rq import Queue
from rq.job import Job
from rq.serializers import JSONSerializer

from jobs.writer import main as writer_main
from jobs.writer.core import Writer
from jobs.writer.inbox import Inbox
from runtime.messaging import queues, redis_keys
from runtime.messaging.connection import connect
from runtime.settings import Settings
from tests.jobs.writer.test_main import new_process, running
from tests.jobs.writer_desk import Desk
from tests.waiting import wait_until


def backlog(client: Any) -> int:
    return int(client.get(redis_keys.BACKLOG_BETS) or 0)


def rq_queue(desk: Desk) -> Queue:
    return Queue(queues.BETS, connection=desk.client, serializer=JSONSerializer)


def empty(desk: Desk) -> None:
    rq_queue(desk).empty()  # type: ignore[no-untyped-call]


def delete_one(desk: Desk) -> None:
    rq_queue(desk).jobs[0].delete()


def lose_its_data(desk: Desk) -> None:
    desk.client.delete(f"rq:job:{rq_queue(desk).job_ids[0]}")


def delete_one_that_is_begun(desk: Desk) -> None:
    [taken] = desk.writer.inbox.collect(desk.clock.now_ms()).bets[:1]
    Job.fetch(taken.id, connection=desk.client, serializer=JSONSerializer).delete()


@pytest.mark.parametrize(
    ("tampering", "left"),
    [
        pytest.param(empty, 0, id="emptied"),
        pytest.param(delete_one, 2, id="one deleted"),
        pytest.param(lose_its_data, 2, id="one without its data"),
        pytest.param(delete_one_that_is_begun, 2, id="one deleted that was begun"),
    ],
)
def test_jobs_that_were_taken_away_are_counted_no_more(
    desk: Desk, tampering: Callable[[Desk], None], left: int
) -> None:
    user = desk.player()
    for row in range(3):
        desk.queue(desk.bet(user, rows=row), name=queues.BETS)
    tampering(desk)
    assert backlog(desk.client) == 3
    desk.writer.inbox.recount()
    assert backlog(desk.client) == left


def test_a_writer_with_nothing_to_do_counts_anew(
    settings: Settings, redis_client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer_main, "RECOUNT_EVERY_MS", 50)
    with running(new_process(settings)):
        wait_until(lambda: redis_client.exists(redis_keys.WRITER_ALIVE), what="a sign of life")
        for stuck in (9_990, -5):
            redis_client.set(redis_keys.BACKLOG_BETS, stuck)
            wait_until(lambda: backlog(redis_client) == 0, 5, what="the right count")


def test_a_long_queue_is_not_counted_again_and_again(
    settings: Settings, redis_client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    process = new_process(settings)
    process._begin()
    counted: list[str] = []
    monkeypatch.setattr(process.writer.inbox, "recount", lambda: counted.append("anew"))
    monkeypatch.setattr(Writer, "run_once", lambda *_: True)
    process.writer._more = True
    process._run_once()
    assert counted == []
    process.writer._more = False
    process._run_once()
    process._run_once()
    assert counted == ["anew"]
    process.stopping.set()
    process._close()


def test_counting_while_bets_come_and_go_is_exact(desk: Desk) -> None:
    users = [desk.player(number) for number in range(4)]
    bets = [[desk.bet(user, rows=row, columns=column) for row in range(8) for column in (3, 4, 5)] for user in users]
    sent: list[Any] = []

    def enqueue(mine: list[Any]) -> None:
        with connect(desk.redis_url) as client:
            queue = queues.Queue(client, queues.BETS, "test", backlog_max=10_000)
            for bet in mine:
                queue.enqueue([queues.Ticket(bet)], desk.clock.now_ms())
                sent.append(bet)

    def count() -> None:
        # What is counted wrong stays wrong once nobody counts any more, and bets still come and go then.
        with connect(desk.redis_url) as client:
            inbox = Inbox(client)
            while len(sent) < 60:
                inbox.recount()

    helpers = [threading.Thread(target=enqueue, args=(mine,)) for mine in bets] + [threading.Thread(target=count)]
    for helper in helpers:
        helper.start()
    while any(helper.is_alive() for helper in helpers) or rq_queue(desk).count:
        desk.writer.run_once()
    assert backlog(desk.client) == 0
    assert desk.database.execute("SELECT count(*) FROM bets") == [(len(sent),)]
