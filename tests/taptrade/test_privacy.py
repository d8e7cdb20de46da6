"""Who may read what a run keeps: files of every way of starting, and secrets in every process of a real run."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from rq import Queue
from rq.serializers import JSONSerializer

from jobs.dashboard.key import KEY_FILE, key_file, prepare_key
from runtime.machine import identity, machine_of
from runtime.messaging import redis_keys
from runtime.messaging.connection import connect
from runtime.settings import load
from runtime.settings_table import TABLE
from taptrade import embedded_redis
from taptrade.housekeeping import migrate_databases
from taptrade.own_files import close_to_others
from taptrade.processes import PROCESSES, SECRETS, take_secrets
from tests.conftest import start_redis
from tests.serving import serving
from tests.taptrade.test_up import free_port, pid_of, running
from tests.waiting import wait_until

PROCESSOR, DASHBOARD, PASSWORD = "processor-" * 4, "dashboard-" * 4, "redis-password-of-a-test"


@pytest.fixture(autouse=True)
def _lax_umask() -> Iterator[None]:
    """Start everything as most shells would: what it makes is readable by all unless it sees to that itself."""
    before = os.umask(0o022)
    yield
    os.umask(before)


def open_files(folder: Path) -> list[str]:
    """Return what others could read or enter, the folder itself included."""
    found = [path for path in (folder, *folder.rglob("*")) if not path.is_symlink()]
    return sorted(f"{path} {path.stat().st_mode:o}" for path in found if stat.S_IMODE(path.stat().st_mode) & 0o077)


def open_of_ours(data: Path) -> list[str]:
    """Return the same without what tests put there: the files of a Redis of theirs, and an interpreter."""
    return [path for path in open_files(data) if not path.startswith((f"{data}/redis/", f"{data}/python"))]


def environment_of(pid: int) -> str:
    return Path(f"/proc/{pid}/environ").read_bytes().decode(errors="replace")


def is_without(pid: int, secret: str) -> bool:
    environment = environment_of(pid)
    return "TAPTRADE_DATA=" in environment and secret not in environment


def command_of(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")


def children_of(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def descendants_of(pid: int) -> list[int]:
    return [found for child in children_of(pid) for found in (child, *descendants_of(child))]


def opens(port: int, key: str) -> bool:
    """Tell whether a key opens the dashboard at a port."""
    url = f"http://localhost:{port}"
    answer = httpx.post(f"{url}/_sign-in", data={"key": key}, headers={"Origin": url}, trust_env=False)
    return answer.status_code == 303


def names(settings: dict[str, str]) -> dict[str, str]:
    return {**os.environ, **settings}


@pytest.mark.timeout(120)
def test_a_run_keeps_its_files_and_its_secrets_to_itself(tmp_path: Path) -> None:
    data, port, dashboard_port = tmp_path / "data", free_port(), free_port()
    data.mkdir(mode=0o755)
    secrets = {"TAPTRADE_PROCESSOR_SECRET": PROCESSOR, "TAPTRADE_DASHBOARD_KEY": DASHBOARD}
    supported = {"settler", "jobs", "scheduler", "functions", "feed", "dashboard"}
    replica = tmp_path / "elsewhere"
    with running(
        data, port, dashboard_port, TAPTRADE_FEED="sim", TAPTRADE_REPLICA_URL=str(replica), **secrets
    ) as launcher:
        said = tmp_path / "up.log"
        wait_until(lambda: "taptrade is up" in said.read_text(), 50, what="the banner")
        pids = {
            process.name: pid_of(f"support:{process.name}" if process.name in supported else process.name, data)
            for process in PROCESSES
        }
        everybody = descendants_of(launcher.pid)
        of_the_api = {pids["api"], *descendants_of(pids["api"])}
        knows = {pid for pid in everybody if PROCESSOR in environment_of(pid)}
        shown = "".join(map(environment_of, [launcher.pid, *everybody]))
        commands = " ".join(map(command_of, everybody))
        metrics = urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics").read().decode()
        assert opens(dashboard_port, DASHBOARD)
        assert not opens(dashboard_port, PROCESSOR)
        open_while_it_runs = open_files(data)
        os.killpg(launcher.pid, signal.SIGINT)
    assert set(pids.values()) <= set(everybody)
    # All others are forks: what they show is what the supervisor began with.
    assert knows == of_the_api
    assert DASHBOARD not in shown
    assert len(of_the_api) >= 2, "gunicorn's master and its worker"
    written = "".join(path.read_bytes().decode(errors="replace") for path in data.rglob("*") if path.is_file())
    for secret in (PROCESSOR, DASHBOARD):
        assert secret not in commands
        assert secret not in metrics
        assert secret not in written
        assert secret not in said.read_text()
    assert open_while_it_runs == []
    assert f"others could look into {data}; it is closed now" in said.read_text()
    assert {path.name for path in data.iterdir()} >= {"taptrade.db", "ticks.db", "logs", "redis", "run"}
    assert open_files(data) == []
    assert list(replica.rglob("*.ltx"))
    assert open_files(replica) == []


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """Return a data folder with a Redis that runs in it, and its URL."""
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    url = embedded_redis.prepare(data)
    server = start_redis(data)
    (data / "redis.log").unlink()  # the test's own
    yield data, url
    server.terminate()
    server.wait(10)


def test_processes_that_are_served_one_by_one_keep_their_files_to_themselves(served: tuple[Path, str]) -> None:
    data, url = served
    variables = {"TAPTRADE_DATA": str(data), "TAPTRADE_REDIS_URL": url}
    taptrade = [sys.executable, "-m", "taptrade"]
    subprocess.run([*taptrade, "migrate"], env=names(variables), check=True, capture_output=True)
    assert open_files(data) == []
    with serving("writer", data, url), serving("feed", data, url), serving("jobs", data, url):
        with connect(url) as client:
            queue = Queue("jobs", connection=client, serializer=JSONSerializer)
            for work in ("backup.backup_live", "integrity.audit_daily"):
                queue.enqueue(f"jobs.upkeep.{work}")
            wait_until(lambda: queue.finished_job_registry.count == 2, 20, what="the end of both jobs")
            # The others may have begun later than the jobs have ended.
            wait_until(lambda: bool(client.exists(redis_keys.WRITER_ALIVE)), 20, what="the writer")
            wait_until((data / "run" / "feed.lock").exists, 20, what="the feed")
        assert list(data.glob("backups/*.json"))
        for name in ("writer", "feed", "jobs"):
            (data / f"{name}.log").chmod(0o600)  # the test's own
        assert open_of_ours(data) == []
    subprocess.run([*taptrade, "audit"], env=names(variables), check=True, capture_output=True)
    assert open_of_ours(data) == []


@pytest.mark.parametrize("name", ["writer", "dashboard"])
def test_a_process_that_is_given_secrets_of_others_begins_anew_without_them(
    served: tuple[Path, str], name: str
) -> None:
    data, url = served
    migrate_databases(load({"TAPTRADE_DATA": str(data), "TAPTRADE_REDIS_URL": url}))
    secrets = {"TAPTRADE_PROCESSOR_SECRET": PROCESSOR, "TAPTRADE_DASHBOARD_KEY": DASHBOARD}
    port = str(free_port())
    with serving(name, data, url, TAPTRADE_DASHBOARD_PORT=port, **secrets) as process:
        # For a moment of its new beginning a process has no environment at all.
        wait_until(lambda: is_without(process.pid, PROCESSOR), 10, what="a process without the secret")
        assert (DASHBOARD in environment_of(process.pid)) == (name == "dashboard")
        assert command_of(process.pid).split("\0")[-3:] == ["serve", name, ""]
        alive = [sys.executable, "-m", "taptrade", "alive", name]
        variables = {"TAPTRADE_DATA": str(data), "TAPTRADE_REDIS_URL": url, "TAPTRADE_DASHBOARD_PORT": port}
        wait_until(lambda: subprocess.run(alive, env=names(variables), check=False).returncode == 0, 20)


def test_every_secret_says_who_needs_it() -> None:
    secret = {row.variable for row in TABLE if row.secret}
    of_libraries = {"AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"}
    assert secret | of_libraries == {*SECRETS, "TAPTRADE_REDIS_URL"}
    assert {name for names in SECRETS.values() for name in names} <= {process.name for process in PROCESSES}


def test_secrets_are_taken_out_and_sorted() -> None:
    environ = {"TAPTRADE_PROCESSOR_SECRET": "a", "TAPTRADE_DASHBOARD_KEY": "", "TAPTRADE_PORT": "1"}
    assert take_secrets(environ) == {
        "api": {"TAPTRADE_PROCESSOR_SECRET": "a"},
        "dashboard": {"TAPTRADE_DASHBOARD_KEY": ""},
    }
    assert environ == {"TAPTRADE_PORT": "1"}


def test_who_is_not_told_where_the_ledger_is_still_knows_that_machines_share_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    environ = {"TAPTRADE_DATABASE_URL": "postgresql://db.example/house"}
    assert "scheduler" not in take_secrets(environ)
    assert machine_of(load(environ)) == ""
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    assert machine_of(load({})) == identity(load({}))


def test_commands_show_no_secret(tmp_path: Path) -> None:
    variables = {
        "TAPTRADE_DATA": str(tmp_path),
        "TAPTRADE_REDIS_URL": f"redis://:{PASSWORD}@127.0.0.1:1/0",
        "TAPTRADE_PROCESSOR_SECRET": PROCESSOR,
        "TAPTRADE_DASHBOARD_KEY": DASHBOARD,
    }
    for words in (["config"], ["alive", "writer"], ["breaker"], ["audit"], ["serve", "dashboard", "--help"]):
        done = subprocess.run(
            [sys.executable, "-m", "taptrade", *words],
            env=names(variables),
            capture_output=True,
            text=True,
            check=False,
        )
        shown = done.stdout + done.stderr
        assert shown
        assert not any(secret in shown for secret in (PASSWORD, PROCESSOR, DASHBOARD)), words


def folder_of_an_older_build(path: Path) -> Path:
    """Make a data folder with everything open, and a link in it to something else."""
    path.mkdir()
    for name in ("taptrade.db", "taptrade.db-wal", "ticks.db", "heads.jsonl", "dashboard.key"):
        (path / name).touch(0o644)
    for name in ("backups", "logs", "run", "redis"):
        (path / name).mkdir()
        (path / name / "file").touch(0o644)
    (path / "run" / "link").symlink_to("/etc/hostname")
    return path


def test_what_others_could_read_is_closed_and_said_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = folder_of_an_older_build(tmp_path / "data")
    mode = Path("/etc/hostname").stat().st_mode
    close_to_others(folder)
    prepare_key(load({"TAPTRADE_DATA": str(folder)}))
    assert open_files(folder) == []
    said = capsys.readouterr().err
    assert f"others could look into {folder}; it is closed now" in said
    assert f"others could reach 12 files and folders in {folder}; they are closed now" in said
    assert Path("/etc/hostname").stat().st_mode == mode
    close_to_others(folder)
    assert capsys.readouterr().err == ""


def test_a_folder_with_more_in_it_is_not_closed_but_ours_in_it_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = folder_of_an_older_build(tmp_path / "home")
    (folder / "letters").mkdir()
    close_to_others(folder)
    assert open_files(folder) == [
        f"{folder} 40755",
        f"{folder}/{KEY_FILE} 100644",
        f"{folder}/letters 40755",
    ], "but the key, which is replaced by the start that uses it"
    assert f"others can look into {folder}" in capsys.readouterr().err


def test_a_key_that_others_could_read_is_replaced_by_a_start(tmp_path: Path, redis_url: str) -> None:
    key = key_file(tmp_path / "data")
    key.parent.mkdir(mode=0o755)
    key.write_text("k" * 43 + "\n")
    with serving("dashboard", key.parent, redis_url, TAPTRADE_DASHBOARD_PORT=str(free_port())):
        wait_until(lambda: key.exists() and key.read_text().strip() not in ("", "k" * 43), 20, what="another key")
        assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert "others could read" in (key.parent / "dashboard.log").read_text()


def test_no_folder_is_no_trouble(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    close_to_others(tmp_path / "nothing")
    assert not (tmp_path / "nothing").exists()
    assert capsys.readouterr().err == ""


def test_what_cannot_be_closed_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = folder_of_an_older_build(tmp_path / "data")

    def refuse(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(Path, "chmod", refuse)
    close_to_others(folder)
    assert f"others can reach {folder}/taptrade.db, and this user may not change that" in capsys.readouterr().err
