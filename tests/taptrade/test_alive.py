"""`taptrade alive`: well, silent, and away are told apart by the exit status and a reason."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import msgspec
import pytest
import redis

from runtime.clock import SystemClock
from runtime.machine import machine_of
from runtime.messaging.metrics_exchange import FRESH_MS, StandingBy, push
from runtime.messaging.redis_keys import FEED_ALIVE, METRICS, SETTLER_ALIVE, WRITER_ALIVE, of_shard
from runtime.metrics.table import Metrics
from runtime.settings import load
from taptrade import embedded_redis
from taptrade.alive import PROBES, main
from taptrade.claims import lock_data
from taptrade.processes import PROCESSES
from tests.backgrounds import idle
from tests.conftest import start_redis


class Answering(BaseHTTPRequestHandler):
    """Answer /readyz well and everything else with 503."""

    def do_GET(self) -> None:
        """Answer."""
        self.send_response(200 if self.path == "/readyz" else 503)
        self.send_header("Content-Length", "3")
        self.end_headers()
        self.wfile.write(b"ill")

    def log_message(self, *_: Any) -> None:
        """Keep quiet."""


class Server6(HTTPServer):
    """A server on an address of version 6."""

    address_family = socket.AF_INET6


@contextmanager
def answering(host: str) -> Iterator[int]:
    """Run a server that answers at an address and no other; its port."""
    with (Server6 if ":" in host else HTTPServer)((host, 0), Answering) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def port() -> Iterator[int]:
    """Run a server that answers; its port."""
    with answering("127.0.0.1") as port:
        yield port


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch, redis_url: str, tmp_path: Path) -> pytest.MonkeyPatch:
    """Point the command at the test's Redis."""
    monkeypatch.setenv("TAPTRADE_REDIS_URL", redis_url)
    monkeypatch.setenv("TAPTRADE_DATA", str(tmp_path))
    return monkeypatch


def test_the_writer_of_another_shard_is_asked_for_by_its_name(
    environment: pytest.MonkeyPatch, redis_client: redis.Redis, capsys: pytest.CaptureFixture[str]
) -> None:
    environment.setenv("TAPTRADE_DATABASE_URL", "postgresql://nowhere.example/house")
    machine = machine_of(load())
    StandingBy("writer", machine, redis_client, SystemClock(), 1)()
    assert main(["writer-2"]) == 0
    assert capsys.readouterr().out == "writer-2: stands by\n"
    assert main(["writer"]) == 1
    redis_client.set(WRITER_ALIVE, "sign", ex=5)
    assert main(["writer"]) == 1
    assert "nothing was heard of it" in capsys.readouterr().err
    second = Metrics("writer", 1)
    second.machine = machine
    push(redis_client, second, SystemClock(), idle())
    assert main(["writer-2"]) == 1
    redis_client.set(of_shard(WRITER_ALIVE, 2), "sign", ex=5)
    assert main(["writer-2"]) == 0


@pytest.mark.parametrize("name", ["writer-1", "writer-65", "writer-02", "writer-", "feed-2", "redis", "nobody"])
def test_what_there_is_not_cannot_be_asked(
    name: str, environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main([name])
    assert ended.value.code == 2
    assert f"invalid choice: {name!r}" in capsys.readouterr().err


@pytest.mark.parametrize("host", ["127.0.0.2", "::1"])
def test_the_api_is_asked_at_the_address_that_it_listens_on(
    host: str, environment: pytest.MonkeyPatch, redis_client: redis.Redis
) -> None:
    push(redis_client, Metrics("api"), SystemClock(), idle())
    with answering(host) as port:
        environment.setenv("TAPTRADE_PORT", str(port))
        assert main(["api"]) == 1
        environment.setenv("TAPTRADE_HOST", host)
        assert main(["api"]) == 0


def test_a_redis_with_password_and_number_is_found_by_what_its_run_left(
    environment: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    socket_url = embedded_redis.prepare(tmp_path)
    process = start_redis(tmp_path)
    url = socket_url.replace("unix://", "unix://:a-word-to-pass@") + "?db=3"
    try:
        with redis.Redis.from_url(socket_url) as client:
            client.config_set("requirepass", "a-word-to-pass")
        with redis.Redis.from_url(url) as client:
            client.set(FEED_ALIVE, 1)
            push(client, Metrics("feed"), SystemClock(), idle())
        environment.delenv("TAPTRADE_REDIS_URL")
        assert main(["feed"]) == 1
        assert capsys.readouterr().err.startswith("feed: Redis does not answer: ")
        embedded_redis.record_url(tmp_path, url)
        assert main(["feed"]) == 0
        assert (tmp_path / "run" / "redis.url").stat().st_mode & 0o077 == 0
    finally:
        process.terminate()
        process.wait(10)


def test_every_process_but_redis_can_be_asked_for() -> None:
    assert set(PROBES) == {process.name for process in PROCESSES} - {"redis"}


@pytest.mark.parametrize(("name", "key"), [("writer", WRITER_ALIVE), ("settler", SETTLER_ALIVE), ("feed", FEED_ALIVE)])
@pytest.mark.usefixtures("environment")
def test_a_key_that_is_renewed_is_life(
    name: str, key: str, redis_client: redis.Redis, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([name]) == 1
    assert capsys.readouterr().err == f"{name}: {key} was not renewed for 5 s\n"
    redis_client.set(key, "1")
    assert main([name]) == 1, "it measures nothing"
    push(redis_client, Metrics(name), SystemClock(), idle())
    capsys.readouterr()
    assert main([name]) == 0
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(("name", "key"), [("writer", WRITER_ALIVE), ("settler", SETTLER_ALIVE), ("feed", FEED_ALIVE)])
def test_one_that_stands_by_is_told_from_the_one_at_work_on_another_machine(
    name: str,
    key: str,
    environment: pytest.MonkeyPatch,
    redis_client: redis.Redis,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    environment.setenv("TAPTRADE_DATABASE_URL", "postgresql://nobody.example/house")
    clock, here = SystemClock(), f"{socket.gethostname()}:{tmp_path}"
    redis_client.set(key, "1")
    elsewhere = Metrics(name)
    elsewhere.machine = "elsewhere:/data"
    push(redis_client, elsewhere, clock, idle())
    assert main([name]) == 1, "the one that works is not of this machine"
    capsys.readouterr()
    StandingBy(name, here, redis_client, clock)()
    assert main([name]) == 0
    assert capsys.readouterr().out == f"{name}: stands by\n"
    own = Metrics(name)
    own.machine = here
    push(redis_client, own, clock, idle())
    assert main([name]) == 0
    assert capsys.readouterr().out == ""
    redis_client.delete(key)
    assert main([name]) == 1, "at work, it does not get on"


@pytest.mark.usefixtures("environment")
def test_a_process_whose_background_work_is_down_does_not_do_its_work(
    redis_client: redis.Redis, capsys: pytest.CaptureFixture[str]
) -> None:
    redis_client.set(WRITER_ALIVE, "1")
    metrics = Metrics("writer")
    metrics.set("taptrade_background_up", 0, "checkpoints")
    push(redis_client, metrics, SystemClock(), idle())
    assert main(["writer"]) == 1
    assert capsys.readouterr().err == f"writer: down in the background: checkpoints of writer {os.getpid()}\n"


def test_of_several_api_processes_each_must_do_its_work(
    port: int, environment: pytest.MonkeyPatch, redis_client: redis.Redis, capsys: pytest.CaptureFixture[str]
) -> None:
    environment.setenv("TAPTRADE_PORT", str(port))
    push(redis_client, Metrics("api"), SystemClock(), idle())
    assert main(["api"]) == 0
    other = Metrics("api", 1)
    other.set("taptrade_background_up", 0, "bus")
    redis_client.hset(METRICS, "api:1", msgspec.json.encode(other.snapshot(7, SystemClock().now_ms())))
    assert main(["api"]) == 1
    assert capsys.readouterr().err == "api: down in the background: bus of api 7\n"


@pytest.mark.parametrize("name", ["jobs", "scheduler"])
@pytest.mark.usefixtures("environment")
def test_fresh_measurements_are_life(name: str, redis_client: redis.Redis, capsys: pytest.CaptureFixture[str]) -> None:
    push(redis_client, Metrics("api"), SystemClock(), idle())
    assert main([name]) == 1
    assert capsys.readouterr().err == f"{name}: nothing was heard of it for {FRESH_MS // 1000} s\n"
    push(redis_client, Metrics(name), SystemClock(), idle())
    assert main([name]) == 0
    assert redis_client.hlen(METRICS) == 2


@pytest.mark.parametrize(("name", "variable"), [("api", "PORT"), ("dashboard", "DASHBOARD_PORT")])
def test_an_answer_of_200_is_life(
    name: str,
    variable: str,
    port: int,
    environment: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    redis_client: redis.Redis,
) -> None:
    push(redis_client, Metrics("api"), SystemClock(), idle())
    environment.setenv(f"TAPTRADE_{variable}", str(port))
    assert main([name]) == (0 if name == "api" else 1)
    assert capsys.readouterr().err == ("" if name == "api" else "dashboard: /_alive answers 503: ill\n")


def test_the_run_of_the_data_folder_is_asked_where_no_port_was_set(
    port: int, environment: pytest.MonkeyPatch, tmp_path: Path, redis_client: redis.Redis
) -> None:
    push(redis_client, Metrics("api"), SystemClock(), idle())
    environment.delenv("TAPTRADE_PORT", raising=False)
    with lock_data(load({"TAPTRADE_DATA": str(tmp_path), "TAPTRADE_PORT": str(port)})):
        assert main(["api"]) == 0
        environment.setenv("TAPTRADE_PORT", "1")
        assert main(["api"]) == 1


def test_nobody_at_the_port_is_told(environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    environment.setenv("TAPTRADE_PORT", "1")
    assert main(["api"]) == 1
    assert capsys.readouterr().err.startswith("api: /readyz does not answer: ")


def test_a_redis_that_is_away_is_told(
    environment: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    environment.setenv("TAPTRADE_REDIS_URL", f"unix://{tmp_path}/nobody.sock")
    assert main(["writer"]) == 1
    assert capsys.readouterr().err.startswith("writer: Redis does not answer: ")
