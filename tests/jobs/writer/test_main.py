"""The writer's process from its start to its end, and the troubles that it sits out in between."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
import pytest
import redis

from jobs.writer import core
from jobs.writer import main as writer_main
from jobs.writer.core import RIPE_WAIT_S, Writer
from jobs.writer.inbox import Collected, TakenJob
from jobs.writer.main import lock_file
from runtime.clock import ManualClock, SystemClock
from runtime.game.buckets import Bucket
from runtime.messaging import queues, redis_keys
from runtime.messaging.commands import OpenAccount
from runtime.messaging.connection import connect
from runtime.messaging.redis_values import decode_buckets
from runtime.process_lock import is_held
from runtime.settings import Settings
from runtime.storage.database import LEDGER_MIGRATIONS, OperationalError, open_writer
from runtime.storage.migrate import migrate
from tests.waiting import wait_until


def new_process(settings: Settings) -> writer_main.WriterProcess:
    """Return a writer that has not begun."""
    migrate(settings.database, LEDGER_MIGRATIONS, ManualClock(1))
    client = connect(settings.redis_url, block_s=1)
    return writer_main.WriterProcess(
        settings, client, open_writer(settings.database, checkpoint_pages=0), SystemClock()
    )


@contextmanager
def running(process: writer_main.WriterProcess) -> Iterator[writer_main.WriterProcess]:
    """Run its loop in a thread within the block."""
    thread = threading.Thread(target=process.run)
    thread.start()
    try:
        yield process
    finally:
        process.stopping.set()
        thread.join(10)
    assert not thread.is_alive()


def alive(client: Any) -> dict[str, Any]:
    """Return what the writer says of itself."""
    data = client.get(redis_keys.WRITER_ALIVE)
    return msgspec.json.decode(data) if data else {}


def open_account(client: Any, number: int) -> None:
    """Queue a login."""
    now_ms = SystemClock().now_ms()
    command = OpenAccount(
        id=queues.new_id(now_ms),
        received_ms=now_ms,
        decided_by_ms=now_ms + 10_000,
        user_id=queues.new_id(now_ms),
        wallet_address=f"0x{number:040x}",
        credit_cents=100,
    )
    queues.send_commands(client, [command], "test", now_ms)


def test_a_new_writer_tells_of_what_the_last_one_did_not(
    settings: Settings, redis_client: Any, caplog: pytest.LogCaptureFixture
) -> None:
    with running(new_process(settings)) as process:
        open_account(redis_client, 1)
        wait_until(lambda: process.writer.book.number == 1, what="a commit")
    redis_client.delete(redis_keys.BUS_COMMITS)
    redis_client.set(redis_keys.PUBLISHED_COMMIT, 0)
    with running(new_process(settings)):
        wait_until(lambda: redis_client.xlen(redis_keys.BUS_COMMITS) == 1, what="the news of the commit")
    assert "told of 1 commits" in caplog.text


def test_after_redis_lost_its_memory_what_was_held_is_let_go_of(settings: Settings, redis_client: Any) -> None:
    process = new_process(settings)
    process._begin()
    open_account(redis_client, 1)
    found = process.writer.inbox.collect(process.clock.now_ms())
    process.writer.held = found.commands
    redis_client.flushall()
    process._was_away = True
    process._run_once()
    assert (process.writer.held, process.writer.book.number) == ([], 0)
    open_account(redis_client, 2)
    process._run_once()
    assert process.writer.book.number == 1
    process._close()


def test_what_only_the_writer_knows_of_is_kept_over_an_outage(settings: Settings, redis_client: Any) -> None:
    process = new_process(settings)
    process._begin()
    open_account(redis_client, 1)
    process.writer.held = process.writer.inbox.collect(process.clock.now_ms()).commands
    redis_client.delete("rq:wip:commands")
    process._was_away = True
    process._run_once()
    assert process.writer.book.number == 1
    process._close()


@pytest.mark.parametrize("emptied", [False, True])
def test_what_was_set_aside_is_kept_over_an_outage_unless_redis_came_up_empty(
    settings: Settings, redis_client: Any, emptied: bool
) -> None:
    process = new_process(settings)
    process._begin()
    open_account(redis_client, 1)
    process.writer.aside = process.writer.inbox.collect(process.clock.now_ms()).commands
    redis_client.flushall() if emptied else redis_client.delete("rq:wip:commands")
    process._was_away = True
    process._run_once()
    assert (process.writer.aside, process.writer.book.number) == ([], 0 if emptied else 1)
    process._close()


def test_a_database_that_fails_beside_a_commit_is_trouble_until_it_is_over(
    settings: Settings, redis_client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest, failing = writer_main.WriterProcess._forget_idempotency_keys, threading.Event()
    failing.set()

    def fails(process: writer_main.WriterProcess) -> None:
        process._due.pop("forget")
        if failing.is_set():
            raise OperationalError("disk I/O error")
        honest(process)

    monkeypatch.setattr(writer_main.WriterProcess, "_forget_idempotency_keys", fails)
    with running(new_process(settings)) as process:
        wait_until(lambda: "disk I/O error" in process.trouble, what="the trouble")
        failing.clear()
        wait_until(lambda: alive(redis_client).get("trouble") == "", what="its end")


def test_trouble_that_nobody_can_be_told_of_is_sat_out(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    process = new_process(settings)

    def away(*_: Any, **__: Any) -> None:
        raise redis.ConnectionError("away")

    monkeypatch.setattr(process.client, "set", away)
    process._say_so()
    process.database.close()


def test_a_writer_that_cannot_say_goodbye_ends_all_the_same(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    process = new_process(settings)

    def away() -> None:
        raise redis.ConnectionError("away")

    monkeypatch.setattr(process.writer.inbox, "close", away)
    with running(process):
        wait_until(lambda: alive(process.metrics_client), what="a sign of life")
    assert "left without telling Redis" in caplog.text


def test_a_bet_that_waits_for_its_tick_does_not_keep_the_writer_spinning(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    process = new_process(settings)
    process._begin()
    inbox = process.writer.inbox
    waits: list[float] = []
    collect = inbox.collect

    def note(now_ms: int, *, wait_s: float = 0) -> Collected:
        waits.append(wait_s)
        return collect(now_ms)

    monkeypatch.setattr(inbox, "collect", note)
    monkeypatch.setattr(core, "part_ripe", lambda jobs, *_: ([], list(jobs)))
    process._run_once()
    process.writer.aside = [TakenJob("job", "bets", 1, None)]
    process._run_once()
    assert waits == [writer_main.IDLE_WAIT_S, RIPE_WAIT_S]
    process._close()


@pytest.mark.parametrize(
    ("placing", "passed_ms", "waits"),
    [
        pytest.param(0.0, 0, [0.005], id="after a lonely bet"),
        pytest.param(0.0, 3, [0.002], id="the commit's own time counts"),
        pytest.param(0.0, 5, [], id="after a pause nobody waits"),
        pytest.param(20.0, 0, [0.011], id="the more come the longer"),
        pytest.param(1_000.0, 0, [0.020], id="but no longer than that"),
    ],
)
def test_bets_gather_between_two_turns(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, placing: float, passed_ms: int, waits: list[float]
) -> None:
    process = new_process(settings)
    process._begin()
    clock = process.clock = ManualClock(1)
    waited: list[float] = []
    monkeypatch.setattr(process.stopping, "wait", waited.append)

    def turn(writer: Writer, _: float) -> bool:
        writer.placing, writer.collected_ms = placing, clock.monotonic_ms()
        clock.advance(passed_ms)
        return True

    monkeypatch.setattr(Writer, "run_once", turn)
    process._run_once()
    assert waited == pytest.approx(waits)
    process._close()


@contextmanager
def whole_process(settings: Settings) -> Iterator[subprocess.Popen[bytes]]:
    """Run `main` in a process of its own within the block."""
    migrate(settings.database, LEDGER_MIGRATIONS, ManualClock(1))
    plain = "runtime.game.rewards:BrownianTouch"  # the ticks of these tests have no signals
    variables = {
        "TAPTRADE_DATA": str(settings.data),
        "TAPTRADE_REDIS_URL": settings.redis_url,
        "TAPTRADE_REWARD_MODEL": plain,
    }
    child = subprocess.Popen(
        [sys.executable, "-c", "from jobs.writer.main import main; main()"],
        env={**os.environ, **variables},
        stderr=subprocess.PIPE,
    )
    try:
        yield child
    finally:
        child.kill()
        child.communicate()


@pytest.mark.parametrize("told", [signal.SIGTERM, signal.SIGINT])
def test_the_process_ends_when_it_is_told_to_and_leaves_nothing_behind(
    settings: Settings, redis_client: Any, told: signal.Signals
) -> None:
    with whole_process(settings) as child:
        wait_until(lambda: alive(redis_client).get("pid") == child.pid, 20, what="a sign of life")
        child.send_signal(told)
        assert child.wait(20) == 0
    assert redis_client.smembers("rq:workers") == set()
    assert not is_held(lock_file(settings.data))


def test_the_process_ends_when_somebody_else_writes(settings: Settings, redis_client: Any) -> None:
    with whole_process(settings) as child:
        wait_until(lambda: alive(redis_client), 20, what="a sign of life")
        by_hand = open_writer(settings.database)
        by_hand.execute("INSERT INTO commit_rows VALUES (1, 1, zeroblob(32), zeroblob(32), 0, '{}', 0, 0, 0, 0, x'')")
        by_hand.close()
        open_account(redis_client, 1)
        _, said = child.communicate(timeout=20)
        assert child.returncode == 1
    assert b"the database has another writer" in said


def test_the_writer_says_again_and_again_which_buckets_are_closed(settings: Settings, redis_client: Any) -> None:
    process = new_process(settings)
    bucket = Bucket("model", "1", 200_000, 7)
    process.writer.settlement.standings.closed = frozenset({bucket})

    def said() -> bool:
        return bool(decode_buckets(redis_client.get(redis_keys.BUCKETS_CLOSED)) == {bucket})

    with running(process):
        wait_until(said, what="the closed buckets")
        redis_client.delete(redis_keys.BUCKETS_CLOSED)
        wait_until(said, what="the closed buckets in a Redis that lost them")
    assert said()
