"""The queues: ids that never repeat, answers to those who ask, and jobs that are read only if they are the writer's."""

from __future__ import annotations

import os
import threading
import zlib
from typing import Any

import msgspec
import pytest
import redis

from runtime.clock import ManualClock
from runtime.game.ids import tail_of, ulid_ms
from runtime.log import REQUEST_ID
from runtime.messaging import queues, redis_keys
from runtime.messaging.commands import Deposit
from runtime.messaging.queues import BATCH_COMMANDS_MAX, WRITER_JOB, ask, decode_job, new_id, send_commands

NOW_MS = 1_790_000_000_000


def deposit(number: int = 1) -> Deposit:
    """Return a command."""
    common: dict[str, Any] = {"id": new_id(NOW_MS), "received_ms": NOW_MS, "decided_by_ms": NOW_MS + 1}
    return Deposit(user_id="u", amount=number, reference=f"r{number}", who="op", why="wire", **common)


def test_ids_bear_their_time_and_do_not_repeat() -> None:
    ids = [new_id(NOW_MS) for _ in range(3 * queues.STOCK_DRAWS)]
    assert len(set(ids)) == len(ids)
    assert {ulid_ms(one) for one in ids} == {NOW_MS}


def test_ids_made_for_a_request_end_with_its_tail_and_do_not_repeat() -> None:
    outside = REQUEST_ID.set("r1")
    ids = {new_id(NOW_MS) for _ in range(1_000)}
    REQUEST_ID.set("")
    of_no_request = {new_id(NOW_MS)[-5:] for _ in range(100)}
    REQUEST_ID.reset(outside)
    assert len(ids) == 1_000
    assert {id_[-5:] for id_ in ids} == {tail_of("r1")}
    assert {ulid_ms(id_) for id_ in ids} == {NOW_MS}
    assert len(of_no_request) > 90


def test_a_forked_process_draws_ids_of_its_own() -> None:
    new_id(NOW_MS)  # there is a stock, which a fork would share
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(write, new_id(NOW_MS).encode())
        os._exit(0)
    os.waitpid(child, 0)
    theirs = os.read(read, 26).decode()
    ours = {new_id(NOW_MS) for _ in range(queues.STOCK_DRAWS)}
    os.close(read)
    os.close(write)
    assert len(theirs) == 26
    assert theirs not in ours


def test_many_commands_go_as_jobs_of_a_hundred(redis_client: Any) -> None:
    commands = [deposit(number + 1) for number in range(BATCH_COMMANDS_MAX + 1)]
    send_commands(redis_client, commands, "settler", NOW_MS)
    ids = redis_client.lrange(queues.QUEUE_PREFIX + queues.COMMANDS, 0, -1)
    jobs = [decode_job(redis_client.hget(queues.JOB_PREFIX + one.decode(), "data")) for one in ids]
    assert [len(job.commands) for job in jobs] == [BATCH_COMMANDS_MAX, 1]
    assert [one for job in jobs for one in job.commands] == commands
    assert {job.origin for job in jobs} == {"settler"}


def test_a_command_counts_in_the_backlog_and_in_its_job_as_the_bets_that_it_brings(redis_client: Any) -> None:
    queue = queues.Queue(redis_client, queues.BETS, "api", backlog_max=25)
    tickets = [queues.Ticket(deposit(number), bets=bets) for number, bets in enumerate((10, 1, 10), 1)]
    assert [one.code for one in queue.enqueue(tickets, NOW_MS)] == ["", "", ""]
    assert int(redis_client.get(redis_keys.BACKLOG_BETS)) == 21
    [job_id] = redis_client.lrange(queues.QUEUE_PREFIX + queues.BETS, 0, -1)
    assert redis_client.hget(queues.JOB_PREFIX + job_id.decode(), "commands") == b"21"
    assert [one.code for one in queue.enqueue([queues.Ticket(deposit(4), bets=5)], NOW_MS)] == ["FULL"]
    assert [one.code for one in queue.enqueue([queues.Ticket(deposit(5), bets=4)], NOW_MS)] == [""]


def test_a_gesture_counts_in_its_limit_only_where_all_of_it_fits(redis_client: Any) -> None:
    queue = queues.Queue(redis_client, queues.BETS, "api")

    def sent(bets: int) -> tuple[str, str]:
        [result] = queue.enqueue([queues.Ticket(deposit(bets), limit_key="l", limit=10, bets=bets)], NOW_MS)
        return result.code, result.argument

    assert [sent(bets) for bets in (7, 4, 3, 1)] == [("", ""), ("LIMIT", "3"), ("", ""), ("LIMIT", "0")]
    assert 0 < redis_client.ttl("l") <= 60


def test_who_asks_gets_the_answer(redis_client: Any) -> None:
    command = deposit()
    answer = msgspec.json.encode([{"id": command.id, "data": {"balance": 7}}])

    def writer() -> None:
        redis_client.blpop([queues.QUEUE_PREFIX + queues.COMMANDS], timeout=10)
        redis_client.rpush(redis_keys.replies(f"ask-{command.id}"), answer)

    thread = threading.Thread(target=writer)
    thread.start()
    outcome = ask(redis_client, command, NOW_MS)
    thread.join(10)
    assert outcome is not None
    assert (outcome.id, outcome.data, outcome.code) == (command.id, {"balance": 7}, None)


def test_who_asks_and_is_not_answered_knows_nothing(
    redis_client: Any, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ask(redis_client, deposit(), clock.now_ms(), wait_s=0.01) is None

    def away(*_: Any, **__: Any) -> None:
        raise redis.ConnectionError("away")

    monkeypatch.setattr(redis_client, "blpop", away)
    assert ask(redis_client, deposit(), clock.now_ms()) is None
    assert redis_client.llen(queues.QUEUE_PREFIX + queues.COMMANDS) == 2  # both may still be done


def job(function: str = WRITER_JOB, **changed: Any) -> bytes:
    """Return the data of a job."""
    command = msgspec.to_builtins(deposit()) | changed
    return msgspec.json.encode([function, None, [{"v": 1, "origin": "o", "commands": [command]}], {}])


def test_a_job_is_read_plain_or_as_rq_compresses_it() -> None:
    data = job()
    assert decode_job(data) == decode_job(zlib.compress(data))


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"x no zlib", id="no zlib"),
        pytest.param(zlib.compress(b"{"), id="compressed nonsense"),
        pytest.param(job("os.system"), id="another function"),
        pytest.param(job(amount=-5), id="a negative amount"),
        pytest.param(job(amount=0), id="nothing to credit"),
        pytest.param(job(amount=10**14), id="too much"),
        pytest.param(job(amount=1.5), id="half a cent"),
        pytest.param(job(kind="mint"), id="no such command"),
        pytest.param(job(id="short"), id="no id"),
        pytest.param(job().replace(b'"v":1', b'"v":2'), id="another version"),
        pytest.param(b"\x80\x04\x95", id="pickle"),
    ],
)
def test_anything_else_is_no_job(data: bytes) -> None:
    with pytest.raises(msgspec.MsgspecError):
        decode_job(data)
