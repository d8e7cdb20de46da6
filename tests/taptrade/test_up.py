"""The launcher: refusals before the start, and a supervisor that restarts, stops in order and leaves nothing behind."""

from __future__ import annotations

import configparser
import contextlib
import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from jobs.rq.schedule import schedules
from runtime.settings import load
from taptrade import embedded_redis, sockets
from taptrade.announce import banner, hide_password
from taptrade.processes import PROCESSES, command, supervisor_config, supervisor_variables
from taptrade.supervise import RunOptions
from tests.conftest import answers
from tests.interpreter import preferring
from tests.taptrade.test_sockets import ODD
from tests.waiting import wait_until


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def port() -> int:
    return free_port()


def configuration(data: Path, *, embedded: bool = True, replica: str = "/elsewhere") -> configparser.ConfigParser:
    parser = configparser.ConfigParser(interpolation=None)
    parser.read_string(
        supervisor_config(load({"TAPTRADE_DATA": str(data), "TAPTRADE_REPLICA_URL": replica}), embedded_redis=embedded)
    )
    return parser


def test_every_process_is_restarted_always_and_redis_stops_last(tmp_path: Path) -> None:
    config = configuration(tmp_path)
    programs = {name.partition(":")[2]: config[name] for name in config.sections() if name.startswith("program:")}
    assert set(programs) == {process.name for process in PROCESSES}
    assert all(program["autorestart"] == "true" for program in programs.values())
    order = sorted(programs, key=lambda name: int(programs[name]["priority"]))
    assert (*order[:3], order[-1]) == ("redis", "replica", "writer", "api")


def test_no_redis_of_ours_where_one_is_given(tmp_path: Path) -> None:
    assert "program:redis" not in configuration(tmp_path, embedded=False)


def test_nothing_is_shipped_where_no_replica_is_set(tmp_path: Path) -> None:
    assert "program:replica" not in configuration(tmp_path, replica="")


@pytest.mark.parametrize("name", ODD)
def test_supervisor_understands_odd_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    data = tmp_path / name
    python = f"{tmp_path}/{name}/.venv/bin/python"
    file = tmp_path / "supervisord.conf"
    data.joinpath("logs").mkdir(parents=True)
    data.joinpath("run").mkdir()
    settings = load({"TAPTRADE_DATA": str(data), "TAPTRADE_REPLICA_URL": "/elsewhere"})
    file.write_text(supervisor_config(settings, embedded_redis=True))
    monkeypatch.setattr(sys, "executable", python)
    for variable, value in supervisor_variables(settings).items():
        monkeypatch.setenv(variable, value)
    options = RunOptions()
    options.realize(["-n", "-c", str(file)], doc="")
    programs = {program.name: program for group in options.process_group_configs for program in group.process_configs}
    assert set(programs) == {process.name for process in PROCESSES}
    assert all(program.stdout_logfile == str(data / "logs" / f"{name}.log") for name, program in programs.items())
    wanted = {name: command(name, "--under", str(os.getpid()), python=python) for name in programs}
    assert {name: shlex.split(program.command) for name, program in programs.items()} == wanted
    assert options.logfile == str(data / "logs" / "supervisord.log")
    assert options.pidfile == str(data / "run" / "supervisord.pid")
    [control] = options.configroot.supervisord.server_configs
    assert control["file"] == str(sockets.folder_of(data / "run") / sockets.CONTROL)


def test_banner_tells_mode_prices_and_how_to_play_but_no_password(tmp_path: Path) -> None:
    shown = banner(load({"TAPTRADE_DATA": str(tmp_path)}), "redis://:secret@127.0.0.1:7000/0", "version 3")
    for part in ("mode: demo", "replay of recorded", "taptrade player --bets 20", "http://127.0.0.1:8000/docs", "9181"):
        assert part in shown
    assert "secret" not in shown


def test_passwords_are_hidden_in_urls() -> None:
    assert hide_password("redis://:secret@host:1/0") == "redis://***@host:1/0"
    assert hide_password("unix:///run/redis.sock") == "unix:///run/redis.sock"


@contextlib.contextmanager
def running(
    data: Path, port: int, dashboard_port: int, *options: str, python: str = sys.executable, **settings: str
) -> Iterator[subprocess.Popen[bytes]]:
    """Run `taptrade up` in a process group of its own; it must have ended by the end of the block."""
    variables = os.environ | {
        "TAPTRADE_DATA": str(data),
        "TAPTRADE_PORT": str(port),
        "TAPTRADE_DASHBOARD_PORT": str(dashboard_port),
        **settings,
    }
    with (data.parent / "up.log").open("wb") as log:
        process = subprocess.Popen(
            [python, "-I", "-m", "taptrade", "up", *options],
            env=variables,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        yield process
        process.wait(30)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def pid_of(name: str, data: Path) -> int:
    """Ask the supervisor for a process's id; 0 while it does not run."""
    ctl = [str(Path(sys.executable).with_name("supervisorctl")), "-c", str(data / "run" / "supervisord.conf"), "pid"]
    answer = subprocess.run([*ctl, name], capture_output=True, text=True, check=False).stdout.strip()
    return int(answer) if answer.isdigit() else 0


def of_the_run(data: Path) -> list[str]:
    """List the processes whose environment or command line names the data folder."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if f"TAPTRADE_DATA={data}\0".encode() in (entry / "environ").read_bytes() and entry.name != str(
                os.getpid()
            ):
                command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                if command:
                    found.append(f"{entry.name} {command}")
    return found


def test_killed_process_comes_back_and_ctrl_c_stops_all(tmp_path: Path, port: int) -> None:
    data = tmp_path / "data"
    with running(data, port, free_port(), "--json") as launcher:
        first = wait_until(lambda: pid_of("support:scheduler", data), 20)
        wait_until(lambda: Path(f"/proc/{first}/comm").read_text() == "tap-scheduler\n", what="its name")
        os.kill(first, signal.SIGKILL)
        wait_until(lambda: pid_of("support:scheduler", data) not in (0, first), 5)
        url = embedded_redis.recorded_url(data)
        assert url
        with redis.Redis.from_url(url) as client:
            wait_until(lambda: answers(url) and client.zcard("rq:scheduler:scheduled_jobs") == len(schedules()), 20)
        wait_until(lambda: '"ready"' in (tmp_path / "up.log").read_text(), 30)
        os.killpg(launcher.pid, signal.SIGINT)
    assert launcher.returncode == 0
    told = [json.loads(line) for line in (tmp_path / "up.log").read_text().splitlines()]
    assert [one["event"] for one in told if one["event"] != "waiting"] == ["starting", "ready", "stopped"]
    assert [one["url"] for one in told if one["event"] == "ready"] == [f"http://127.0.0.1:{port}"]
    assert of_the_run(data) == []


def test_nothing_outlives_a_killed_supervisor_and_the_next_run_waits_for_the_end(tmp_path: Path, port: int) -> None:
    data, dashboard_port = tmp_path / "data", free_port()
    with running(data, port, dashboard_port) as launcher:
        wait_until(lambda: pid_of("api", data) and listens(port), 20)
        launcher.kill()
    with running(data, port, dashboard_port) as launcher:
        wait_until(lambda: pid_of("support:scheduler", data), 20)
        launcher.kill()
    assert wait_until(lambda: not of_the_run(data), 30, what="the end of all processes")


def test_a_process_that_cannot_start_is_named_with_its_last_words(tmp_path: Path, port: int) -> None:
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "rq_dashboard.py").write_text("import a_library_that_nobody_has\n")
    python = preferring(broken, tmp_path / "python")
    with running(tmp_path / "data", port, free_port(), python=python) as launcher:
        [told] = wait_until(lambda: re.findall("taptrade: dashboard .*", (tmp_path / "up.log").read_text()), 30)
        os.killpg(launcher.pid, signal.SIGINT)
    assert told.startswith("taptrade: dashboard does not start, it has ended 3 times: ModuleNotFoundError: No module")


def test_redis_that_cannot_read_its_files_is_named_at_once_and_begins_anew(tmp_path: Path, port: int) -> None:
    data = tmp_path / "data"
    appended = data / "redis" / "appendonlydir"
    appended.mkdir(parents=True)
    (appended / "appendonly.aof.manifest").write_text("file appendonly.aof.1.incr.aof seq 1 type i\n")
    (appended / "appendonly.aof.1.incr.aof").write_text("these are no commands\n" * 100)
    with running(data, port, free_port()) as launcher:
        [told] = wait_until(lambda: re.findall("taptrade: redis .*", (tmp_path / "up.log").read_text()), 30)
        subprocess.run(["sh", "-c", told.partition("`")[2].partition("`")[0]], check=True)
        url = embedded_redis.recorded_url(data)
        assert url
        wait_until(lambda: answers(url), 20)
        os.killpg(launcher.pid, signal.SIGINT)
    assert told.startswith("taptrade: redis does not start, it has ended ")
    assert "Bad file format reading the append only file" in told
    assert len(list(data.glob("redis-damaged-*/appendonlydir/*"))) == 2
