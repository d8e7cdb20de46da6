"""A spare writer on PostgreSQL: when it takes over, that the one before cannot write any more, and what is in doubt."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
import pytest
from psycopg.conninfo import conninfo_to_dict

from jobs.writer.core import Stuck
from runtime.audit import audit
from runtime.clock import ManualClock, SystemClock
from runtime.messaging import queues, redis_keys
from runtime.messaging.commands import OpenAccount
from runtime.postgresql.connection import WRITING, PostgresDatabase
from runtime.postgresql.translation import OWN
from runtime.storage.database import AnotherWrites, OperationalError
from tests.jobs.writer_desk import Desk
from tests.postgres import Postgres
from tests.waiting import wait_until

pytestmark = pytest.mark.timeout(90)
STANDS_BY = "stands by for the writer"
ACCOUNTS = "SELECT count(*) FROM users"


@contextmanager
def writer(folder: Path, url: str, redis_url: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run a writer with a data folder of its own, as on a machine of its own; it is ended with the block."""
    folder.mkdir(exist_ok=True)
    named = {"TAPTRADE_DATA": str(folder), "TAPTRADE_DATABASE_URL": url, "TAPTRADE_REDIS_URL": redis_url}
    with (folder / "writer.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-I", "-m", "taptrade", "serve", "writer"],
            env=os.environ | named,
            stdout=log,
            stderr=log,
        )
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            process.send_signal(signal.SIGCONT)
        process.kill()
        process.wait(10)


def at_work(client: Any) -> int:
    """Return the process id of the writer that says that it lives, 0 if none does."""
    data = client.get(redis_keys.WRITER_ALIVE)
    return int(msgspec.json.decode(data)["pid"]) if data else 0


def said(folder: Path) -> str:
    return (folder / "writer.log").read_text()


def open_account(client: Any) -> str:
    now_ms = SystemClock().now_ms()
    command = OpenAccount(
        id=queues.new_id(now_ms),
        received_ms=now_ms,
        decided_by_ms=now_ms + 60_000,
        user_id=queues.new_id(now_ms),
        wallet_address="0x" + os.urandom(20).hex(),
        credit_cents=100,
    )
    queues.send_commands(client, [command], "test", now_ms)
    return command.id


@pytest.fixture
def url(postgres: Postgres) -> str:
    return postgres.house()


@pytest.fixture
def ledger(url: str) -> Iterator[PostgresDatabase]:
    """Return a connection that looks on."""
    with closing(PostgresDatabase(url)) as database:
        yield database


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "stopped"])
def test_a_spare_takes_over_and_who_was_stopped_can_write_no_more(
    end: signal.Signals, tmp_path: Path, url: str, redis_url: str, redis_client: Any, ledger: PostgresDatabase
) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    with ExitStack() as stack:
        first = stack.enter_context(writer(one, url, redis_url))
        wait_until(lambda: at_work(redis_client) == first.pid, 20, what="the first writer")
        second = stack.enter_context(writer(other, url, redis_url))
        wait_until(lambda: STANDS_BY in said(other), 20, what="the spare")
        open_account(redis_client)
        wait_until(lambda: ledger.execute(ACCOUNTS) == [(1,)], what="the first account")
        first.send_signal(end)
        open_account(redis_client)
        wait_until(lambda: ledger.execute(ACCOUNTS) == [(2,)], 20, what="the account that the spare opens")
        wait_until(lambda: at_work(redis_client) == second.pid, what="word of the spare")
        if end == signal.SIGSTOP:
            assert "its session is ended" in said(other)
            first.send_signal(signal.SIGCONT)
            wait_until(lambda: first.poll() is not None, 20, what="the end of the one that was stopped")
            assert "the database has another writer" in said(one)
            again = stack.enter_context(writer(one, url, redis_url))
            wait_until(lambda: said(one).count(STANDS_BY) == 1, 20, what="the second spare")
            assert again.poll() is None
        open_account(redis_client)
        wait_until(lambda: ledger.execute(ACCOUNTS) == [(3,)], what="the third account")
        # The job ends after its commit.
        wait_until(lambda: redis_client.zcard("rq:wip:commands") == 0, what="the end of the job")
    ((epoch, number),) = ledger.execute("SELECT epoch, number FROM shards")
    assert epoch == 2
    assert [(number,)] == ledger.execute("SELECT max(number) FROM commits")


def test_a_job_that_a_writer_took_without_knowing_that_it_was_none_is_done_by_the_one_at_work(
    tmp_path: Path, url: str, redis_url: str, redis_client: Any, ledger: PostgresDatabase
) -> None:
    open_account(redis_client)
    job_id = redis_client.lpop("rq:queue:commands").decode()
    with writer(tmp_path / "one", url, redis_url) as process:
        wait_until(lambda: at_work(redis_client) == process.pid, 20, what="the writer")
        redis_client.zadd("rq:wip:commands", {f"{job_id}:writer-of-before": "inf"})
        wait_until(lambda: ledger.execute(ACCOUNTS) == [(1,)], 20, what="the account")
        wait_until(lambda: redis_client.zcard("rq:wip:commands") == 0, what="the end of the job")


def test_no_commit_is_made_in_another_writers_epoch(url: str) -> None:
    with closing(PostgresDatabase(url, prepare=WRITING, lock=True)) as first:
        with closing(PostgresDatabase(url, prepare="")) as by_hand:
            by_hand.execute(OWN["begin_epoch"])
        with pytest.raises(AnotherWrites, match="another writer has begun an epoch"), first.transaction():
            first.at_commit(OWN["go_on_in_epoch"], (1, b"h" * 32, 1, 1, first.epoch, 0))


class Line:
    """The server's socket, passed on by one that closes a session before a text that the client or the server says."""

    def __init__(self, folder: Path, server: Path) -> None:
        self.cuts_before = b""
        self._name = server.name
        self._server = server
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.bind(str(folder / server.name))
        self._socket.listen()
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Let nobody in any more."""
        self._socket.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, there = self._socket.accept()[0], socket.socket(socket.AF_UNIX)
                there.connect(str(self._server))
                for source, sink in ((client, there), (there, client)):
                    threading.Thread(target=self._pass_on, args=(source, sink, there), daemon=True).start()

    def _pass_on(self, source: socket.socket, sink: socket.socket, server: socket.socket) -> None:
        is_cut = False
        with suppress(OSError):
            while data := source.recv(1 << 20):
                if self.cuts_before and self.cuts_before in data:
                    # The server ends its session at that, and the client hears of it after the lock is let go.
                    self.cuts_before, is_cut = b"", True
                    server.shutdown(socket.SHUT_WR)
                if not is_cut:
                    sink.sendall(data)
        for one in (source, sink):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        source.close()


@pytest.fixture
def line(postgres: Postgres) -> Iterator[tuple[Line, str]]:
    """Return a line to the server, and the URL of a house over it."""
    url = postgres.house()
    server = conninfo_to_dict(url)
    # Sockets' paths must be short.
    with TemporaryDirectory(prefix="tap-line-") as folder:
        found = Line(Path(folder), Path(str(server["host"])) / ".s.PGSQL.5432")
        yield found, f"postgresql://{server['user']}@/{server['dbname']}?host={folder}"
        found.close()


def test_a_writer_that_starts_while_its_server_is_away_says_so_once_and_waits(
    tmp_path: Path, postgres: Postgres, redis_url: str, redis_client: Any
) -> None:
    server = conninfo_to_dict(postgres.house())
    with TemporaryDirectory(prefix="tap-line-") as folder, ExitStack() as stack:
        url = f"postgresql://{server['user']}@/{server['dbname']}?host={folder}"
        process = stack.enter_context(writer(tmp_path / "one", url, redis_url))
        wait_until(lambda: "waits for the database" in said(tmp_path / "one"), 20, what="word of the server")
        stack.enter_context(closing(Line(Path(folder), Path(str(server["host"])) / ".s.PGSQL.5432")))
        wait_until(lambda: at_work(redis_client) == process.pid, 20, what="the writer")
    assert said(tmp_path / "one").count("waits for the database") == 1
    assert "Traceback" not in said(tmp_path / "one")


@pytest.mark.parametrize("cuts_before", [b"INSERT INTO bet_rows", b"COMMIT\0"], ids=["not made", "made, not heard of"])
def test_a_commit_that_is_in_doubt_is_looked_up_before_its_bets_are_answered(
    cuts_before: bytes, line: tuple[Line, str], tmp_path: Path, redis_url: str, clock: ManualClock
) -> None:
    to_server, url = line
    desk = Desk(tmp_path / "taptrade.db", redis_url, clock, database_url=url)
    with closing(desk):
        user = desk.player()
        bets = [desk.bet(user), desk.bet(user, rows=1)]
        desk.queue(*bets, name=queues.BETS)
        to_server.cuts_before = cuts_before
        with pytest.raises(Stuck):
            desk.writer.run_once()
        assert desk.answers().keys().isdisjoint(bet.id for bet in bets)
        wait_until(lambda: works(desk), what="the writer's lock, which goes with the session that was cut")
        answers = [desk.answers()[bet.id] for bet in bets]
        assert [answer.code for answer in answers] == [None, None]
        assert desk.database.execute("SELECT count(*) FROM bets") == [(2,)]
        assert desk.balance(user) == 1_000_000 - 2 * bets[0].amount
        assert audit(desk.database).faults == []
        ((commits,),) = desk.database.execute("SELECT count(*) FROM commits")
        assert desk.database.execute("SELECT number FROM shards") == [(commits,)]


def works(desk: Desk) -> bool:
    """Let the writer work, and tell whether it could."""
    try:
        desk.work()
    except (AnotherWrites, OperationalError, Stuck):
        return False
    return True
