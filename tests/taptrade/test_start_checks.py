"""What is looked at before a start: each fault is a sentence, and nothing is written."""

from __future__ import annotations

import os
import socket
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
import redis
from supervisor.options import ServerOptions

from runtime.clock import ManualClock
from runtime.errors import TaptradeError
from runtime.messaging import connection
from runtime.settings import Settings, SettingsError, load
from runtime.storage.schema import WrongSchema
from taptrade import start_checks
from taptrade.housekeeping import migrate_databases
from taptrade.processes import module
from tests.function_settings import outside

RECORDED = """
CREATE TABLE schema_migrations (name, sha256, applied_at);
INSERT INTO schema_migrations VALUES ('{name}', '', 0);
"""


@pytest.fixture
def ours(tmp_path: Path) -> Settings:
    return load({"TAPTRADE_DATA": str(tmp_path / "data")})


def up(data: Path, **variables: str) -> tuple[int, str]:
    """Run `taptrade up` that is refused; return its status and what it said."""
    environment = outside()
    environment |= {"TAPTRADE_DATA": str(data), **variables}
    done = subprocess.run(
        module("taptrade", "up"), env=environment, capture_output=True, text=True, timeout=30, check=False
    )
    assert done.stdout == ""
    return done.returncode, done.stderr


def test_too_few_open_files_are_refused_in_a_sentence(tmp_path: Path) -> None:
    """Only a child is given fewer: a limit that was lowered cannot be raised again by everybody."""
    limited = "import resource, sys; resource.setrlimit(resource.RLIMIT_NOFILE, (200, 200));"
    asked = f"{limited} from taptrade.start_checks import require_open_files; require_open_files({10**9})"
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "a process may open 200 files here, and needs 1,000,000,000 at least" in done.stderr
    assert ServerOptions().default_map["minfds"] == start_checks.OPEN_FILES_LEAST


def test_redis_that_evicts_is_refused(redis_client: redis.Redis, redis_url: str) -> None:
    start_checks.require_fit_redis(redis_url)
    redis_client.config_set("maxmemory-policy", "allkeys-lru")
    try:
        with pytest.raises(SettingsError, match="allkeys-lru"):
            start_checks.require_fit_redis(redis_url)
    finally:
        redis_client.config_set("maxmemory-policy", "noeviction")


def test_redis_that_is_too_small_is_refused(redis_client: redis.Redis, redis_url: str) -> None:
    before = redis_client.config_get("maxmemory")["maxmemory"] or "0"
    redis_client.config_set("maxmemory", "100mb")
    try:
        with pytest.raises(SettingsError, match="maxmemory"):
            start_checks.require_fit_redis(redis_url)
    finally:
        redis_client.config_set("maxmemory", before)


@contextmanager
def answering(answer: bytes) -> Iterator[str]:
    """Listen on a port and say the same to everybody; the URL."""

    def serve(listener: socket.socket) -> None:
        while True:
            try:
                peer, _ = listener.accept()
            except OSError:
                return
            with peer:
                peer.recv(1024)
                peer.sendall(answer)

    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        thread = threading.Thread(target=serve, args=(listener,))
        thread.start()
        yield f"redis://127.0.0.1:{listener.getsockname()[1]}"
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()


def test_redis_that_is_too_old_is_refused_with_both_versions(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "VERSION_LEAST", (99, 1))
    with pytest.raises(SettingsError, match=r"TAPTRADE_REDIS_URL: the server is version \d+\.\d+\.\d+, and 99\.1 is"):
        start_checks.require_fit_redis(redis_url)


def test_every_process_refuses_a_redis_that_is_too_old(
    redis_client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection.wait_until_ready(redis_client, lambda _: None)
    monkeypatch.setattr(connection, "VERSION_LEAST", (99, 1))
    with pytest.raises(SettingsError, match=r"99\.1 is the least"):
        connection.wait_until_ready(redis_client, lambda _: None)


def test_redis_that_wants_another_password_is_refused(redis_client: redis.Redis, redis_url: str) -> None:
    redis_client.config_set("requirepass", "another")
    try:
        with pytest.raises(SettingsError, match="TAPTRADE_REDIS_URL: the server does not let us in: "):
            start_checks.require_fit_redis(redis_url)
    finally:
        redis_client.config_set("requirepass", "")


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(b"HTTP/1.1 400 Bad Request\r\n\r\n", id="HTTP"),
        pytest.param(b"-ERR unknown command 'HELLO'\r\n", id="a Redis that knows one protocol only"),
        pytest.param(b"SSH-2.0-OpenSSH_9.2\r\n", id="SSH"),
    ],
)
def test_what_is_no_redis_is_refused(answer: bytes) -> None:
    with answering(answer) as url, pytest.raises(SettingsError, match="TAPTRADE_REDIS_URL: "):
        start_checks.require_fit_redis(url)


def test_redis_that_is_away_is_waited_for(capsys: pytest.CaptureFixture[str]) -> None:
    with answering(b"") as url:
        start_checks.require_fit_redis(url)
    assert "does not answer yet" in capsys.readouterr().err


def test_databases_that_are_not_there_yet_or_ours_are_fit(ours: Settings) -> None:
    start_checks.require_fit_databases(ours)
    assert not ours.data.exists()
    migrate_databases(ours)
    start_checks.require_fit_databases(ours)


@pytest.mark.parametrize(
    ("script", "refusal"),
    [
        ("CREATE TABLE notes (text)", "taptrade.db is the database of something else"),
        (
            RECORDED.format(name="9999_later.sql"),
            "taptrade.db has the migration 9999_later.sql, which this version does not know",
        ),
        (RECORDED.format(name="0001_initial.sql"), "taptrade.db was made by another 0001_initial.sql than ours"),
    ],
)
def test_a_database_of_others_is_refused(ours: Settings, clock: ManualClock, script: str, refusal: str) -> None:
    ours.data.mkdir()
    with closing(sqlite3.connect(ours.database)) as theirs:
        theirs.executescript(script)
    before = ours.database.read_bytes()
    with pytest.raises(WrongSchema, match=refusal):
        start_checks.require_fit_databases(ours)
    assert ours.database.read_bytes() == before


@pytest.mark.parametrize("kind", ["text", "folder"])
def test_what_is_no_database_is_refused(ours: Settings, kind: str) -> None:
    ours.data.mkdir()
    if kind == "text":
        ours.database.write_text("these are not the bytes of a database\n" * 100)
    else:
        ours.database.mkdir()
    with pytest.raises(TaptradeError, match=r"taptrade\.db cannot be (read|used): "):
        start_checks.require_fit_databases(ours)


@pytest.mark.parametrize("name", ["two\nlines", "a\tb", "bytes \udcff"])
def test_a_folder_whose_name_cannot_be_shown_is_refused(name: str) -> None:
    with pytest.raises(SettingsError, match=r"TAPTRADE_DATA=.*: must be of printable characters"):
        load({"TAPTRADE_DATA": name})


def test_a_file_is_no_data_folder(tmp_path: Path) -> None:
    file = tmp_path / "data"
    file.write_text("a diary")
    status, told = up(file)
    assert (status, told) == (2, f"taptrade: TAPTRADE_DATA={file}: this is a file, and must be a folder\n")
    assert file.read_text() == "a diary"


def test_what_this_user_cannot_write_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "api.log").touch()
    start_checks.require_writable(tmp_path)
    start_checks.require_writable(tmp_path / "not yet")
    # Who is root can write everything; so the system is asked in its stead.
    monkeypatch.setattr(os, "access", lambda path, _mode: not str(path).endswith(".log"))
    with pytest.raises(SettingsError, match=r"this user cannot write .*/logs/api\.log"):
        start_checks.require_writable(tmp_path)


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"TAPTRADE_HOST": "nobody.invalid"}, "taptrade: TAPTRADE_HOST=nobody.invalid: no address is known"),
        ({"TAPTRADE_HOST": "192.0.2.1"}, "taptrade: cannot listen on 192.0.2.1:8000 (Cannot assign requested address)"),
        ({"TAPTRADE_DASHBOARD_HOST": "2001:db8::1"}, "taptrade: cannot listen on [2001:db8::1]:9181 ("),
        ({"PATH": "", "TAPTRADE_REWARD_MODEL": "nobody.knows:It"}, "taptrade: TAPTRADE_REWARD_MODEL: "),
    ],
)
def test_a_start_that_cannot_succeed_says_so_at_once_and_leaves_no_trace(
    tmp_path: Path, variables: dict[str, str], said: str
) -> None:
    status, told = up(tmp_path / "data", **variables)
    assert (status, told.count("\n")) == (2, 1)
    assert told.startswith(said)
    assert [*tmp_path.iterdir()] == []


def test_a_database_with_a_damaged_page_is_named(ours: Settings) -> None:
    migrate_databases(ours)
    with closing(sqlite3.connect(ours.database)) as reader:
        [page] = reader.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'rules_in_force'").fetchone()
    content = ours.database.read_bytes()
    ours.database.write_bytes(content[: (page - 1) * 4096] + b"\xff" * 4096 + content[page * 4096 :])
    with pytest.raises(TaptradeError, match=r"taptrade\.db cannot be used: database disk image is malformed"):
        start_checks.require_fit_databases(ours)


def test_a_folder_of_another_program_stays_as_it_is(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / "taptrade.db").write_text("a diary\n" * 1000)
    status, told = up(data)
    assert (status, told.count("\n")) == (2, 1)
    assert told.startswith(f"taptrade: {data}/taptrade.db cannot be used: ")
    assert [path.name for path in data.iterdir()] == ["taptrade.db"]
