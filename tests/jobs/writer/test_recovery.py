"""What a writer's death, a poisoned job or a lost answer leaves behind: nothing, as far as money can tell."""

from __future__ import annotations

from typing import Any
from unittest.mock import Mock

import msgspec
import pytest
import redis
from msgspec import to_builtins
from rq import Queue, Worker
from rq.job import Job
from rq.serializers import JSONSerializer

from jobs.writer import core
from jobs.writer.book import AnotherWriter
from jobs.writer.main import lock_file
from jobs.writer.publish import catch_up, publish
from runtime.audit import audit
from runtime.messaging import queues, redis_keys
from runtime.process_lock import LockHeld, sole
from runtime.records.events import events_of_commit, events_of_user
from runtime.storage.database import AnotherWrites, OperationalError, open_writer
from tests.jobs.writer_desk import PRICE_CENTS, Desk
from tests.runtime.audit.test_audit import play


def backlog(desk: Desk) -> int:
    return int(desk.client.get(redis_keys.BACKLOG_BETS) or 0)


def test_jobs_are_rqs_own_for_those_who_look(desk: Desk) -> None:
    user = desk.player()
    desk.queue(desk.bet(user), desk.bet(user, rows=1), name=queues.BETS)
    queue = Queue(queues.BETS, connection=desk.client, serializer=JSONSerializer)
    [job] = queue.jobs
    assert (job.func_name, job.get_status(), job.origin) == ("jobs.writer.job.apply", "queued", "bets")
    assert len(job.args[0]["commands"]) == 2
    assert backlog(desk) == 2
    [worker] = Worker.all(connection=desk.client, serializer=JSONSerializer)
    assert sorted(worker.queue_names()) == ["bets", "commands"]
    desk.work()
    assert (queue.count, queue.started_job_registry.count, backlog(desk)) == (0, 0, 0)
    assert not desk.client.exists(f"rq:job:{job.id}")


def test_what_a_dead_writer_had_taken_is_done_first_and_once(desk: Desk) -> None:
    user = desk.player()
    taken, waiting = desk.bet(user), desk.bet(user, rows=1)
    desk.queue(taken, name=queues.BETS)
    assert len(desk.writer.inbox.collect(desk.clock.now_ms()).bets) == 1
    desk.queue(waiting, name=queues.BETS)
    desk.hire()
    assert backlog(desk) == 2
    desk.work()
    assert desk.database.execute("SELECT id FROM bets ORDER BY seq") == [(taken.id,), (waiting.id,)]
    assert backlog(desk) == 0
    assert set(desk.answers()) >= {taken.id, waiting.id}


def test_a_job_left_in_rqs_intermediate_list_is_done(desk: Desk) -> None:
    user = desk.player()
    bet = desk.bet(user)
    desk.queue(bet, name=queues.BETS)
    desk.client.lmove("rq:queue:bets", "rq:queue:bets:intermediate", "RIGHT", "LEFT")
    desk.hire()
    desk.work()
    assert desk.answers()[bet.id].code is None


def test_a_death_between_commit_and_publication_loses_no_news_and_no_answer(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = desk.player()
    bet = desk.bet(user)

    def dies(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(core, "publish", dies)
    with pytest.raises(KeyboardInterrupt):
        desk.place(bet)
    monkeypatch.undo()
    assert desk.balance(user) == 999_900
    assert desk.answers().get(bet.id) is None
    assert catch_up(desk.client, desk.database.execute) == 1
    assert catch_up(desk.client, desk.database.execute) == 0
    desk.hire()
    desk.work()
    assert desk.answers()[bet.id].data["balance"] == 999_900
    assert desk.balance(user) == 999_900
    entries: Any = desk.client.xrange(redis_keys.BUS_COMMITS)
    numbers = [int(fields[b"commit"]) for _, fields in entries]
    assert numbers == sorted(set(numbers))


def test_an_outage_of_redis_after_the_commit_is_told_when_it_is_back(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = desk.player()
    bet = desk.bet(user)
    honest = publish
    calls: list[int] = []

    def away_at_first(*arguments: Any) -> None:
        calls.append(1)
        if len(calls) == 1:
            raise redis.ConnectionError("away")
        honest(*arguments)

    monkeypatch.setattr(core, "publish", away_at_first)
    desk.queue(bet, name=queues.BETS)
    with pytest.raises(redis.ConnectionError):
        desk.work()
    desk.work()
    assert desk.answers()[bet.id].code is None
    assert desk.database.execute("SELECT count(*) FROM bets") == [(1,)]
    assert backlog(desk) == 0


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"not json", id="not JSON"),
        pytest.param(b'["os.system",null,["rm"],{}]', id="another function"),
        pytest.param(
            b'["jobs.writer.job.apply",null,[{"v":1,"origin":"x","commands":[{"kind":"deposit","id":"'
            + b"0" * 26
            + b'","received_ms":1,"decided_by_ms":1,"user_id":"u","amount":-50,"reference":"r","who":"w",'
            + b'"why":"y"}]}],{}]',
            id="a negative deposit",
        ),
    ],
)
def test_a_poisoned_job_fails_with_its_reason_and_stops_nothing(desk: Desk, data: bytes) -> None:
    user = desk.player()
    queue = Queue(queues.BETS, connection=desk.client, serializer=JSONSerializer)
    poison = Job.create("jobs.writer.job.apply", connection=desk.client, serializer=JSONSerializer, origin="bets")
    poison.save()
    desk.client.hset(poison.key, "data", data)
    desk.client.rpush(queue.key, poison.id)
    bet = desk.bet(user)
    desk.queue(bet, name=queues.BETS)
    desk.work()
    assert desk.answers()[bet.id].code is None
    assert queue.failed_job_registry.get_job_ids() == [poison.id]
    failed = Job.fetch(poison.id, connection=desk.client, serializer=JSONSerializer)
    assert failed.get_status() == "failed"
    result = failed.latest_result()
    assert result is not None
    assert "cannot be read" in str(result.exc_string)


def test_a_job_whose_hash_is_gone_is_reported_and_stops_nothing(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    user = desk.player()
    desk.client.rpush("rq:queue:bets", "vanished")
    bet = desk.bet(user)
    desk.queue(bet, name=queues.BETS)
    desk.work()
    assert desk.answers()[bet.id].code is None
    assert "vanished" in caplog.text


def test_a_locked_database_is_waited_for_and_loses_nothing(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    user = desk.player()
    bet = desk.bet(user)
    desk.queue(bet, name=queues.BETS)
    other = open_writer(desk.path)
    desk.database.execute("PRAGMA busy_timeout = 1")
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(core.Stuck):
        desk.writer.run_once()
    other.execute("ROLLBACK")
    other.close()
    desk.work()
    assert desk.answers()[bet.id].code is None
    assert backlog(desk) == 0


def test_a_second_writer_cannot_start_and_if_it_could_it_would_commit_nothing(desk: Desk) -> None:
    user = desk.player()
    lock = lock_file(desk.path.parent)
    with sole("writer", lock), pytest.raises(LockHeld), sole("writer", lock):
        pass
    first = desk.writer
    desk.hire()
    desk.place(desk.bet(user))
    desk.queue(desk.bet(user, rows=1), name=queues.BETS)
    with pytest.raises(AnotherWriter):
        first.run_once()
    assert audit(desk.database).faults == []


def test_news_read_from_the_database_is_what_was_published(desk: Desk) -> None:
    play(desk)
    entries: Any = desk.client.xrange(redis_keys.BUS_COMMITS)
    assert len(entries) > 10
    for _, fields in entries:
        published = msgspec.json.decode(fields[b"events"])
        assert to_builtins(events_of_commit(desk.database.execute, int(fields[b"commit"]))) == published


def test_a_users_news_come_in_order_page_by_page_without_gap_or_repeat(desk: Desk) -> None:
    play(desk)
    user = desk.database.execute("SELECT id FROM users ORDER BY id")[0][0]
    newest = desk.writer.book.number
    whole = events_of_user(desk.database.execute, user, (0, -1), newest, 500)
    paged: list[Any] = []
    after = (0, -1)
    while page := events_of_user(desk.database.execute, user, after, newest, 3):
        paged += page
        after = (page[-1][0], page[-1][1].n)
    assert paged == whole
    assert {event.user for _, event in whole} == {user, None}
    places = [(commit, event.n) for commit, event in whole]
    assert places == sorted(set(places))


def test_a_full_backlog_refuses_with_a_verdict_and_takes_nothing(desk: Desk) -> None:
    user = desk.player()
    queue = queues.Queue(desk.client, queues.BETS, "test", backlog_max=3)
    tickets = [queues.Ticket(desk.bet(user, rows=row), nonce_key=f"nonce:a:{row}") for row in range(4)]
    verdicts = [admission.code for admission in queue.enqueue(tickets, desk.clock.now_ms())]
    assert verdicts == ["FULL"] * 4
    assert not desk.client.exists("nonce:a:0", "rq:queue:bets")
    assert [one.code for one in queue.enqueue(tickets[:3], desk.clock.now_ms())] == [""] * 3
    assert [one.code for one in queue.enqueue(tickets[:1], desk.clock.now_ms())] == ["NONCE"]


def test_a_disk_error_keeps_the_jobs_for_the_next_turn(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    user = desk.player()
    bet = desk.bet(user)
    desk.queue(bet, name=queues.BETS)

    def full(*_: object) -> None:
        raise OperationalError("database or disk is full")

    monkeypatch.setattr(desk.writer.book.database, "execute_many", full)
    for _ in range(3):
        with pytest.raises(core.Stuck):
            desk.writer.run_once()
    monkeypatch.undo()
    assert desk.balance(user) == 1_000_000
    desk.work()
    assert desk.balance(user) == 999_900
    assert audit(desk.database).faults == []


def test_a_superseded_writer_leaves_its_job_to_the_one_at_work(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    user, first = desk.player(), desk.writer
    desk.queue(desk.bet(user), name=queues.BETS)

    monkeypatch.setattr(first.book.database, "execute_many", Mock(side_effect=AnotherWrites))
    with pytest.raises(AnotherWrites):
        first.run_once()
    monkeypatch.undo()
    assert desk.client.zcard("rq:failed:bets") == 0
    desk.hire()
    desk.work()
    assert desk.balance(user) == 999_900


def test_a_failing_look_for_begun_columns_fails_no_job_and_is_repeated(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = desk.player()
    bet = desk.bet(user)
    desk.place(bet)
    start_s = int(bet.cell_id.split("_")[0])
    look = desk.writer.settlement.look
    failures = [OperationalError("disk I/O error")]

    def failing_once() -> None:
        if failures:
            raise failures.pop()
        look()

    monkeypatch.setattr(type(desk.writer.settlement), "look", lambda _: failing_once())
    with pytest.raises(OperationalError):
        desk.settle(start_s, PRICE_CENTS, PRICE_CENTS)
    desk.work()
    assert desk.database.execute("SELECT status FROM bets") == [("won",)]
    assert Queue(queues.COMMANDS, connection=desk.client, serializer=JSONSerializer).failed_job_registry.count == 0
    assert audit(desk.database).faults == []


def test_a_failed_job_that_is_requeued_is_done_and_the_backlog_stays_right(desk: Desk) -> None:
    user = desk.player()
    bet = desk.bet(user)
    desk.queue(bet, name=queues.BETS)
    [job] = desk.writer.inbox.collect(desk.clock.now_ms()).bets
    desk.writer.inbox.fail(job, "an operator wants to look at it")
    assert backlog(desk) == 0
    queue = Queue(queues.BETS, connection=desk.client, serializer=JSONSerializer)
    queue.failed_job_registry.requeue(job.id)
    desk.work()
    assert desk.answers()[bet.id].code is None
    assert backlog(desk) == 0
    assert queue.failed_job_registry.count == 0
