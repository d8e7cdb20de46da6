"""Fixtures for all rooms: a real Redis, settings in a temporary folder, a clock that stands still, a writer at work."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from runtime.clock import ManualClock
from runtime.settings import Settings, load
from taptrade import embedded_redis
from tests.jobs.writer_desk import Desk
from tests.waiting import wait_until

START_MS = 1_790_000_000_000


def answers(url: str) -> bool:
    """Tell whether a Redis answers at `url`."""
    with redis.Redis.from_url(url, socket_timeout=1, retry=None) as client:
        try:
            return bool(client.ping())
        except redis.RedisError:
            return False


def start_redis(data: Path) -> subprocess.Popen[bytes]:
    """Start the server that was prepared in `data` and wait until it answers; the caller ends it."""
    environment = {**os.environ, "LC_ALL": "C"}
    with (data / "redis.log").open("ab") as log:
        process = subprocess.Popen(embedded_redis.command(data), stdout=log, stderr=log, env=environment)
    url = embedded_redis.recorded_url(data)
    assert url
    wait_until(lambda: answers(url), what=f"the Redis in {data}")
    return process


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run one server of our own for all tests; its URL."""
    data = tmp_path_factory.mktemp("redis")
    url = embedded_redis.prepare(data)
    process = start_redis(data)
    yield url
    process.terminate()
    process.wait(10)


@pytest.fixture
def redis_url(redis_server: str) -> str:
    """Return the URL of a Redis that is empty."""
    with redis.Redis.from_url(redis_server) as client:
        client.flushall()
        client.script_flush()
    return redis_server


@pytest.fixture
def redis_client(redis_url: str) -> Iterator[redis.Redis]:
    """Return a client of an empty Redis; it answers bytes."""
    with redis.Redis.from_url(redis_url) as client:
        yield client


@pytest.fixture
def settings(tmp_path: Path, redis_url: str) -> Settings:
    """Return default settings over a folder and a Redis of the test's own."""
    return load({"TAPTRADE_DATA": str(tmp_path / "data"), "TAPTRADE_REDIS_URL": redis_url})


@pytest.fixture
def clock() -> ManualClock:
    """Return a clock that stands at START_MS until the test moves it."""
    return ManualClock(START_MS)


@pytest.fixture
def desk(tmp_path: Path, redis_url: str, clock: ManualClock) -> Iterator[Desk]:
    """Return a writer at work on an empty database."""
    desk = Desk(tmp_path / "taptrade.db", redis_url, clock)
    yield desk
    desk.close()
