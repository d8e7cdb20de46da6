"""The writer's process: its lock, its sign of life, trouble with the database, and what it leaves when it stops."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import msgspec
import pytest
import redis

from jobs.writer import main as writer_main
from jobs.writer.alive import Alive
from jobs.writer.book import Book
from jobs.writer.core import Writer
from jobs.writer.rules import risk_of
from runtime.clock import ManualClock, SystemClock
from runtime.errors import Unavailable
from runtime.game.ledger import SQL
from runtime.health.writer_watch import WriterWatch
from runtime.messaging import queues, redis_keys
from runtime.messaging.commands import OpenAccount
from runtime.messaging.connection import connect
from runtime.settings import Settings
from runtime.storage import checkpoints
from runtime.storage.database import LEDGER_MIGRATIONS, open_writer
from runtime.storage.migrate import migrate
from tests.jobs.writer_desk import Desk
from tests.waiting import wait_until


@pytest.fixture
def process(settings: Settings, clock: ManualClock) -> Iterator[writer_main.WriterProcess]:
    """Run a writer's loop in a thread; stop it at the end."""
    migrate(settings.database, LEDGER_MIGRATIONS, clock)
    client = connect(settings.redis_url, block_s=1)
    process = writer_main.WriterProcess(
        settings, client, open_writer(settings.database, checkpoint_pages=0), SystemClock()
    )
    thread = threading.Thread(target=process.run)
    thread.start()
    yield process
    process.stopping.set()
    thread.join(10)
    assert not thread.is_alive()


def alive(client: Any) -> dict[str, Any]:
    data = client.get(redis_keys.WRITER_ALIVE)
    return msgspec.json.decode(data) if data else {}


def test_it_says_that_it_lives_and_how_far_its_clock_is(process: writer_main.WriterProcess, redis_client: Any) -> None:
    wait_until(lambda: alive(redis_client).get("clock_ms", 0) > process.alive.since_ms, what="a sign of life")
    assert alive(redis_client)["trouble"] == ""


def test_a_locked_database_is_trouble_that_stops_new_bets_until_it_is_over(
    process: writer_main.WriterProcess, settings: Settings, redis_client: Any
) -> None:
    watch = WriterWatch(redis_client)
    wait_until(lambda: bool(alive(redis_client)), what="a sign of life")
    watch.look()
    watch.guard()
    process.database.execute("PRAGMA busy_timeout = 20")
    other = open_writer(settings.database)
    other.execute("BEGIN IMMEDIATE")
    queues.send_commands(redis_client, [account(process)], "test", process.clock.now_ms())
    wait_until(lambda: "locked" in alive(redis_client).get("trouble", ""), what="the trouble")
    watch.look()
    with pytest.raises(Unavailable):
        watch.guard()
    other.execute("ROLLBACK")
    wait_until(lambda: process.writer.book.number == 1, what="the commit after the lock is gone")
    wait_until(lambda: alive(redis_client).get("trouble") == "", what="the end of the trouble")
    watch.look()
    watch.guard()
    other.close()


def test_while_a_commit_may_be_in_doubt_no_time_is_told(
    process: writer_main.WriterProcess, settings: Settings, redis_client: Any
) -> None:
    process.has_spares = True  # as with PostgreSQL: who was cut off cannot know what was stored
    wait_until(lambda: bool(alive(redis_client)), what="a sign of life")
    process.database.execute("PRAGMA busy_timeout = 20")
    other = open_writer(settings.database)
    other.execute("BEGIN IMMEDIATE")
    queues.send_commands(redis_client, [account(process)], "test", process.clock.now_ms())
    wait_until(lambda: "locked" in alive(redis_client).get("trouble", ""), what="the trouble")
    told = alive(redis_client)
    redis_client.delete(redis_keys.WRITER_ALIVE)
    again = wait_until(lambda: alive(redis_client), what="the next sign of life")
    # The trouble may be said in other words by then: the lock is met by commits and by housekeeping.
    assert again | {"trouble": told["trouble"]} == told
    other.execute("ROLLBACK")
    wait_until(lambda: alive(redis_client).get("clock_ms", 0) > told["clock_ms"], what="the end of the doubt")
    other.close()


def test_the_time_that_others_were_told_is_not_gone_behind(settings: Settings, clock: ManualClock) -> None:
    migrate(settings.database, LEDGER_MIGRATIONS, clock)
    with closing(open_writer(settings.database)) as database, connect(settings.redis_url) as client:
        book = Book(database, clock, risk_of(settings))
        Alive(client, 1, 0).say(book, "", frozenset())
        told_ms = clock.now_ms()
        clock.wall_ms -= 15_000
        assert book.now_ms() == told_ms
        other = Book(database, clock, risk_of(settings))
        Alive(client, 1, 0).hear(other)
        assert other.now_ms() == told_ms


def account(process: writer_main.WriterProcess) -> Any:
    now_ms = process.clock.now_ms()
    return OpenAccount(
        id=queues.new_id(now_ms),
        received_ms=now_ms,
        decided_by_ms=now_ms + 10_000,
        user_id=queues.new_id(now_ms),
        wallet_address="0x" + "1" * 40,
        credit_cents=100,
    )


def test_a_job_that_an_outage_struck_from_its_hands_is_done(
    process: writer_main.WriterProcess, redis_client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest, struck = Writer._run, threading.Event()

    def is_away_once(writer: Writer, jobs: list[Any], tick: Any, **more: Any) -> None:
        if jobs and not struck.is_set():
            struck.set()
            raise redis.ConnectionError("away")
        honest(writer, jobs, tick, **more)

    monkeypatch.setattr(Writer, "_run", is_away_once)
    queues.send_commands(redis_client, [account(process)], "test", process.clock.now_ms())
    wait_until(lambda: process.writer.book.number == 1, what="the commit of what was taken before the outage")
    assert struck.is_set()
    wait_until(lambda: redis_client.zcard("rq:wip:commands") == 0, what="the end of the job")


def test_what_redis_forgot_that_is_done_is_ended_and_not_done_again(
    process: writer_main.WriterProcess, redis_client: Any
) -> None:
    queues.send_commands(redis_client, [account(process)], "test", process.clock.now_ms())
    wait_until(lambda: process.writer.book.number == 1, what="the commit")
    redis_client.zadd("rq:wip:bets", {"ghost:of-this-writer": "inf"})
    redis_client.set(redis_keys.BACKLOG_BETS, 7)
    process._was_away = True
    wait_until(lambda: redis_client.zcard("rq:wip:bets") == 0, what="the end of a job that nobody holds")
    assert int(redis_client.get(redis_keys.BACKLOG_BETS)) == 0
    assert process.writer.book.number == 1


def test_the_wal_starts_anew_while_the_writer_works_and_its_length_is_measured(
    process: writer_main.WriterProcess, settings: Settings, redis_client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoints, "PAGES_DUE", 20)
    other = open_writer(settings.database, checkpoint_pages=0)
    other.execute("CREATE TABLE bulk (text TEXT)")
    other.execute("INSERT INTO bulk VALUES (?)", ("x" * 300_000,))
    wait_until(lambda: other.checkpoint("NOOP").copied > 70, what="a copy of the WAL")
    queues.send_commands(redis_client, [account(process)], "test", process.clock.now_ms())
    wait_until(lambda: process.writer.book.number == 1, what="a commit after that")
    assert 0 < other.checkpoint("NOOP").pages <= 20
    gauges = process.writer.metrics.snapshot(1, 0).gauges
    assert gauges["taptrade_wal_bytes"]["taptrade.db"] > 300_000
    assert gauges["taptrade_wal_held_seconds"] == {"taptrade.db\x1f": 0}
    other.close()


def test_old_idempotency_keys_are_forgotten(desk: Desk) -> None:
    desk.database.execute("INSERT INTO idempotency_keys VALUES ('u', 'r', 'old', 'h', '{}', 1)")
    now_ms = desk.clock.now_ms()
    desk.database.execute("INSERT INTO idempotency_keys VALUES ('u', 'r', 'new', 'h', '{}', ?)", (now_ms,))
    desk.database.execute(SQL["forget_idempotency_keys"], (now_ms - 24 * 3600 * 1000,))
    assert desk.database.execute("SELECT key FROM idempotency_keys") == [("new",)]
