"""The launcher: refusals before the start, and a supervisor that restarts, stops in order and leaves nothing behind."""

from __future__ import annotations

import configparser
import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from runtime.settings import SettingsError, load
from taptrade import embedded_redis, up
from taptrade.announce import banner, hide_password
from taptrade.processes import NAMES, SOCKET_PATH_BYTES_MAX, supervisor_config
from tests.conftest import answers
from tests.waiting import wait_until


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def port() -> int:
    return free_port()


def configuration(data: Path, *, embedded: bool = True) -> configparser.ConfigParser:
    parser = configparser.ConfigParser(interpolation=None)
    parser.read_string(supervisor_config(load({"TAPTRADE_DATA": str(data)}), embedded_redis=embedded))
    return parser


def test_every_process_is_restarted_always_and_redis_stops_last(tmp_path: Path) -> None:
    config = configuration(tmp_path)
    programs = {name.partition(":")[2]: config[name] for name in config.sections() if name.startswith("program:")}
    assert set(programs) == set(NAMES)
    assert all(program["autorestart"] == "true" for program in programs.values())
    order = sorted(programs, key=lambda name: int(programs[name]["priority"]))
    assert (order[0], order[1], order[-1]) == ("redis", "writer", "api")


def test_no_redis_of_ours_where_one_is_given(tmp_path: Path) -> None:
    assert "program:redis" not in configuration(tmp_path, embedded=False)


def test_long_data_folders_do_without_a_control_socket(tmp_path: Path) -> None:
    assert "unix_http_server" in configuration(tmp_path)
    assert "unix_http_server" not in configuration(tmp_path / ("d" * SOCKET_PATH_BYTES_MAX))


def test_supervisor_understands_odd_paths(tmp_path: Path) -> None:
    data = tmp_path / 'a b 50% of "it"'
    file = tmp_path / "supervisord.conf"
    data.joinpath("logs").mkdir(parents=True)
    data.joinpath("run").mkdir()
    file.write_text(supervisor_config(load({"TAPTRADE_DATA": str(data)}), embedded_redis=True))
    options = up.RunOptions()
    options.realize(["-n", "-c", str(file)], doc="")
    programs = {program.name: program for group in options.process_group_configs for program in group.process_configs}
    assert set(programs) == set(NAMES)
    assert all(program.stdout_logfile == str(data / "logs" / f"{name}.log") for name, program in programs.items())
    assert options.logfile == str(data / "logs" / "supervisord.log")


def test_data_folder_is_held_by_one_run(tmp_path: Path) -> None:
    lock = up.lock_data(tmp_path)
    with pytest.raises(SettingsError, match=f"in use by another run .process {os.getpid()}"):
        up.lock_data(tmp_path)
    lock.close()
    up.lock_data(tmp_path).close()


def test_data_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SettingsError, match="cannot write there"):
        up.lock_data(tmp_path / "file" / "data")


def test_taken_port_names_its_setting(port: int) -> None:
    up.require_free_port("127.0.0.1", port, "TAPTRADE_PORT")
    with socket.socket() as other:
        other.bind(("127.0.0.1", port))
        other.listen()
        with pytest.raises(SettingsError, match=f"127.0.0.1:{port} .* set TAPTRADE_PORT"):
            up.require_free_port("127.0.0.1", port, "TAPTRADE_PORT")


def test_redis_that_evicts_is_refused(redis_client: redis.Redis, redis_url: str) -> None:
    up.require_roomy_redis(redis_url)
    redis_client.config_set("maxmemory-policy", "allkeys-lru")
    try:
        with pytest.raises(SettingsError, match="allkeys-lru"):
            up.require_roomy_redis(redis_url)
    finally:
        redis_client.config_set("maxmemory-policy", "noeviction")


def test_redis_that_is_too_small_is_refused(redis_client: redis.Redis, redis_url: str) -> None:
    before = redis_client.config_get("maxmemory")["maxmemory"] or "0"
    redis_client.config_set("maxmemory", "100mb")
    try:
        with pytest.raises(SettingsError, match="maxmemory"):
            up.require_roomy_redis(redis_url)
    finally:
        redis_client.config_set("maxmemory", before)


def test_banner_tells_mode_prices_and_how_to_play_but_no_password(tmp_path: Path) -> None:
    shown = banner(load({"TAPTRADE_DATA": str(tmp_path)}), "redis://:secret@127.0.0.1:7000/0")
    for part in ("mode: demo", "replay of recorded", "taptrade player --bets 20", "http://127.0.0.1:8000/docs", "9181"):
        assert part in shown
    assert "secret" not in shown


def test_passwords_are_hidden_in_urls() -> None:
    assert hide_password("redis://:secret@host:1/0") == "redis://***@host:1/0"
    assert hide_password("unix:///run/redis.sock") == "unix:///run/redis.sock"


@contextlib.contextmanager
def running(data: Path, port: int, dashboard_port: int) -> Iterator[subprocess.Popen[bytes]]:
    """Run `taptrade up` in a process group of its own; it must have ended by the end of the block."""
    variables = os.environ | {
        "TAPTRADE_DATA": str(data),
        "TAPTRADE_PORT": str(port),
        "TAPTRADE_DASHBOARD_PORT": str(dashboard_port),
    }
    with (data.parent / "up.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "taptrade", "up"], env=variables, stdout=log, stderr=log, start_new_session=True
        )
    try:
        yield process
        process.wait(30)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


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
    with running(data, port, free_port()) as launcher:
        first = wait_until(lambda: pid_of("support:scheduler", data), 20)
        os.kill(first, signal.SIGKILL)
        wait_until(lambda: pid_of("support:scheduler", data) not in (0, first), 5)
        url = embedded_redis.recorded_url(data)
        assert url
        with redis.Redis.from_url(url) as client:
            wait_until(lambda: answers(url) and client.zcard("rq:scheduler:scheduled_jobs") == 5, 20)
        os.killpg(launcher.pid, signal.SIGINT)
    assert launcher.returncode == 0
    assert (tmp_path / "up.log").read_text().endswith("taptrade: stopped\n")
    assert of_the_run(data) == []


def test_nothing_outlives_a_killed_supervisor(tmp_path: Path, port: int) -> None:
    data = tmp_path / "data"
    with running(data, port, free_port()) as launcher:
        wait_until(lambda: pid_of("support:scheduler", data), 20)
        launcher.kill()
    wait_until(lambda: not of_the_run(data), 15, what="the end of all processes")
