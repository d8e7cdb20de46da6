"""The outbox: what gathers goes as one job, every answer finds who asked, and silence ends after two seconds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gevent
import gevent.socket
import msgspec
import pytest
import redis
from gevent.event import Event

from runtime.clock import ManualClock
from runtime.errors import Unavailable
from runtime.messaging import outbox as outboxes
from runtime.messaging import queues, redis_keys
from runtime.messaging.commands import Answered, Deposit, OpenAccount
from runtime.messaging.connection import connect
from runtime.messaging.outbox import REPLIES_BLOCK_S
from runtime.messaging.queues import EnqueueResult, Ticket
from tests.jobs.writer_desk import Desk
from tests.runtime.office import LIMIT_S, Office, results


@pytest.fixture
def desk(tmp_path: Path, redis_url: str, clock: ManualClock, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """Return a desk; every connection to Redis lets other greenlets run while it waits, as in the API's processes."""
    monkeypatch.setattr(redis.connection, "socket", gevent.socket)
    desk = Desk(tmp_path / "taptrade.db", redis_url, clock)
    yield desk
    desk.close()


@pytest.fixture
def office(desk: Desk) -> Iterator[Office]:
    """Return an open office."""
    office = Office(desk).open()
    yield office
    gevent.killall(office.greenlets.all)


def ticket(desk: Desk, user: str, *, rows: int = 0, nonce: str = "") -> Ticket:
    """Return a bet's ticket."""
    return Ticket(desk.bet(user, rows=rows), nonce_key=nonce)


def test_a_bet_is_queued_committed_and_answered(office: Office) -> None:
    desk = office.desk
    user = desk.player()
    bet = ticket(desk, user)
    asked = office.asks(bet)
    office.until(lambda: len(office.waiting()) == 1)
    desk.work()
    [answer] = results(asked)
    assert isinstance(answer, Answered)
    assert (answer.id, answer.code) == (bet.command.id, None)
    assert answer.outcome().data["balance"] == 999_900
    assert office.outbox.answered == 1


def test_a_bet_that_is_refused_when_nobody_waits_is_told_of(office: Office) -> None:
    desk, told = office.desk, list[str]()
    office.outbox.tell_refused = told.append
    one, two = desk.player(1), desk.player(2)
    bets = [ticket(desk, one), ticket(desk, one), ticket(desk, two)]  # the second one's cell is taken
    assert [queued.code for queued in results(office.asks(*bets, until_queued=True))] == ["", "", ""]
    assert list(office.outbox._left) == [bet.command.id for bet in bets]
    desk.work()
    office.until(lambda: not office.outbox._left)
    assert told == [one]
    waited = office.asks(ticket(desk, two))
    office.until(lambda: len(office.waiting()) == 1)
    desk.work()
    assert results(waited)[0].code == "DUPLICATE_BET"
    assert told == [one]


def test_bets_that_are_left_are_remembered_within_bounds(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outboxes, "LEFT_MAX", 2)
    user = office.desk.player()
    bets = [ticket(office.desk, user, rows=row) for row in range(3)]
    for bet in bets:
        results(office.asks(bet, until_queued=True))
    assert list(office.outbox._left) == [bet.command.id for bet in bets[1:]]


def test_a_command_goes_to_its_own_queue_and_comes_back_decoded(office: Office) -> None:
    desk = office.desk
    user = desk.player()
    now_ms = desk.clock.now_ms()
    common: dict[str, Any] = {"received_ms": now_ms, "decided_by_ms": now_ms + 10_000, "who": "op", "why": "wire"}
    command = Deposit(id=desk.new_id(), user_id=user, amount=7, reference="wire-1", **common)
    asked = gevent.spawn(office.outbox.submit, command)
    office.until(lambda: len(office.waiting(queues.COMMANDS)) == 1)
    assert office.waiting() == []
    desk.work()
    [outcome] = results([asked])
    assert (outcome.id, outcome.code, outcome.data["balance"]) == (command.id, None, 1_000_007)


def test_what_gathers_while_an_enqueue_is_under_way_goes_as_one_job(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    enqueue, gate, under_way = queues.Queue.enqueue, Event(), Event()

    def slowly(queue: queues.Queue, tickets: list[Ticket], now_ms: int) -> list[EnqueueResult]:
        under_way.set()
        gate.wait()
        return enqueue(queue, tickets, now_ms)

    monkeypatch.setattr(queues.Queue, "enqueue", slowly)
    office = Office(desk, backlog_max=10_000).open()
    bets = [ticket(desk, "u", rows=row) for row in range(231)]
    first = office.asks(bets[0])
    assert under_way.wait(LIMIT_S)
    rest = office.asks(*bets[1:])
    gevent.idle()  # each puts its ticket down and waits
    gate.set()
    office.until(lambda: len(office.waiting()) == 4)
    ids = [one.command.id for one in bets]
    # Those that go side by side may overtake each other.
    jobs = sorted(office.waiting(), key=lambda job: ids.index(job.commands[0].id))
    assert [len(job.commands) for job in jobs] == [1, 100, 100, 30]
    assert [one.id for job in jobs for one in job.commands] == ids
    assert {job.origin for job in jobs} == {"office"}
    gevent.killall(first + rest + office.greenlets.all)


def test_after_an_enqueue_bets_gather_for_the_next(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outboxes, "GATHER_S", LIMIT_S / 50)
    monkeypatch.setattr(outboxes, "GATHER_S_MAX", LIMIT_S / 50)
    office = Office(desk).open()
    bets = [ticket(desk, "u", rows=row) for row in range(4)]
    for bet in bets:
        asked = office.asks(bet)
        office.until(lambda: bool(office.waiting()))  # the first goes at once, the others one after the other
        assert not asked[0].ready()
    office.until(lambda: len(office.waiting()) == 2)
    jobs = office.waiting()
    assert [[one.id for one in job.commands] for job in jobs] == [
        [bets[0].command.id],
        [bet.command.id for bet in bets[1:]],
    ]
    gevent.killall(office.greenlets.all)


def test_jobs_of_what_gathered_do_not_wait_for_each_other(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    enqueue, gate = queues.Queue.enqueue, Event()
    under_way: list[int] = []

    def slowly(queue: queues.Queue, tickets: list[Ticket], now_ms: int) -> list[EnqueueResult]:
        under_way.append(len(tickets))
        gate.wait()
        return enqueue(queue, tickets, now_ms)

    monkeypatch.setattr(queues.Queue, "enqueue", slowly)
    office = Office(desk, backlog_max=10_000)
    asked = office.asks(*(ticket(desk, "u", rows=row) for row in range(231)))
    gevent.idle()  # each puts its ticket down before anything is sent
    office.open()
    office.until(lambda: sum(under_way) == 231)
    assert under_way == [100, 100, 31]
    gate.set()
    office.until(lambda: len(office.waiting()) == 3)
    gevent.killall(asked + office.greenlets.all)


def test_what_the_script_refuses_is_told_at_once_and_the_rest_of_the_job_goes_on(office: Office) -> None:
    desk = office.desk
    user, nonce = desk.player(), redis_keys.nonce("0x1", "abcd1234")
    desk.client.set(nonce, "somebody")
    bad, good = ticket(desk, user, nonce=nonce), ticket(desk, user, rows=1)
    refused, placed = office.asks(bad, good)
    assert results([refused]) == [EnqueueResult("NONCE", "somebody")]
    assert [len(job.commands) for job in office.waiting()] == [1]
    desk.work()
    assert results([placed])[0].id == good.command.id


def test_who_waits_only_for_the_queue_learns_that_it_is_queued(office: Office) -> None:
    user = office.desk.player()
    asked = office.asks(ticket(office.desk, user), until_queued=True)
    assert results(asked) == [EnqueueResult("", "")]
    assert len(office.waiting()) == 1


def test_a_full_backlog_refuses(desk: Desk) -> None:
    office = Office(desk, backlog_max=1).open()
    first = office.asks(ticket(desk, "u"), until_queued=True)
    assert results(first)[0].code == ""
    second = office.asks(ticket(desk, "u", rows=1))
    assert results(second)[0].code == "FULL"
    gevent.killall(office.greenlets.all)


def test_silence_ends_and_a_late_answer_troubles_nobody(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    desk = office.desk
    user = desk.player()
    with monkeypatch.context() as hurried:
        hurried.setattr(outboxes, "ANSWER_WAIT_S", 0.01)
        assert results(office.asks(ticket(desk, user))) == [None]
    assert office.outbox.answered == 0
    asked = office.asks(ticket(desk, user, rows=1))
    office.until(lambda: len(office.waiting()) == 2)
    desk.work()
    assert results(asked)[0].code is None
    assert desk.database.execute("SELECT count(*) FROM bets") == [(2,)]
    assert office.outbox.answered == 2


def test_a_command_without_an_answer_is_none(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outboxes, "ANSWER_WAIT_S", 0.01)
    now_ms = office.desk.clock.now_ms()
    command = OpenAccount(
        id=office.desk.new_id(),
        received_ms=now_ms,
        decided_by_ms=now_ms,
        user_id=office.desk.new_id(),
        wallet_address="0x" + "1" * 40,
        credit_cents=0,
    )
    assert results([gevent.spawn(office.outbox.submit, command)]) == [None]


def test_where_nothing_was_sent_everybody_is_told_and_the_next_try_counts(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    nowhere = connect("redis://127.0.0.1:1/0")
    office = Office(desk, client=nowhere).open()
    asked = office.asks(ticket(desk, "u"), ticket(desk, "u", rows=1))
    found = results(asked)
    assert [type(one) for one in found] == [Unavailable, Unavailable]
    assert [one.retry_after_s for one in found] == [1, 1]
    monkeypatch.setattr(nowhere, "connection_pool", connect(desk.redis_url).connection_pool)
    assert results(office.asks(ticket(desk, "u", rows=2), until_queued=True))[0].code == ""
    gevent.killall(office.greenlets.all)


def test_where_nobody_knows_whether_it_was_queued_nobody_is_told_that_it_was_not(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An answer of Redis that got lost: the bet is in the queue, so its player must hear of its commit."""
    user, honest = desk.player(), queues.Queue.enqueue

    def cut_off(queue: queues.Queue, tickets: list[Ticket], now_ms: int) -> list[EnqueueResult]:
        honest(queue, tickets, now_ms)
        raise redis.ConnectionError("Connection closed by server.")

    monkeypatch.setattr(queues.Queue, "enqueue", cut_off)
    office = Office(desk).open()
    asked = office.asks(ticket(desk, user))
    office.until(lambda: len(office.waiting()) == 1)
    assert not asked[0].ready()
    desk.work()
    assert results(asked)[0].code is None
    gevent.killall(office.greenlets.all)


def test_answers_are_heard_again_after_an_outage(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outboxes, "BACKOFF_S", 0.001)
    replies = connect(desk.redis_url, block_s=REPLIES_BLOCK_S)
    honest, outages = replies.blmpop, iter([redis.ConnectionError("away"), redis.TimeoutError("slow")])

    def away_at_first(*arguments: Any, **named: Any) -> Any:
        for outage in outages:
            raise outage
        return honest(*arguments, **named)

    monkeypatch.setattr(replies, "blmpop", away_at_first)
    office = Office(desk, replies=replies).open()
    user = desk.player()
    asked = office.asks(ticket(desk, user))
    office.until(lambda: len(office.waiting()) == 1)
    desk.work()
    assert results(asked)[0].code is None
    gevent.killall(office.greenlets.all)


def test_answers_of_a_life_before_are_passed_over(office: Office) -> None:
    desk = office.desk
    stale = msgspec.json.encode([{"id": desk.new_id(), "data": {}}, {"id": desk.new_id(), "data": {}, "code": "X"}])
    desk.client.rpush(redis_keys.replies("office"), stale)
    office.until(lambda: desk.client.llen(redis_keys.replies("office")) == 0)
    user = desk.player()
    asked = office.asks(ticket(desk, user))
    office.until(lambda: len(office.waiting()) == 1)
    desk.work()
    assert results(asked)[0].code is None
