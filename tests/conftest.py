"""Fixtures for all rooms: a real Redis, settings in a temporary folder, a clock that stands still, a writer at work."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest
import redis

from loadtest.postgres import NoPostgres
from runtime.clock import ManualClock
from runtime.settings import Settings, load
from taptrade import embedded_redis
from tests import function_settings, tiers
from tests.jobs.writer_desk import Desk
from tests.postgres import LEFT_OUT, Postgres, started
from tests.waiting import wait_until

START_MS = 1_790_000_000_000
OWN_FOLDER = pytest.StashKey[Path | None]()
GIVEN = pytest.StashKey[Path]()
OWN_PREFIX = "tap-"
LEFT_S = 24 * 3600
"""How long the files of tests that failed are left, for a look at them."""


MEMORY = Path("/dev/shm")
MEMORY_FREE_MIN = 4 * 1024**3


def roomy_memory() -> Path | None:
    """Return the folder that lies in memory, if it has room for all tests and runs the scripts that they make."""
    if not MEMORY.is_mount() or not os.access(MEMORY, os.W_OK):
        return None
    found = os.statvfs(MEMORY)
    is_roomy = found.f_bavail * found.f_frsize >= MEMORY_FREE_MIN
    return MEMORY if is_roomy and not found.f_flag & os.ST_NOEXEC else None


# How long an example takes says something about the machine and what else it does, and nothing about the code.
hypothesis.settings.register_profile("any machine", parent=hypothesis.settings(), deadline=None)
hypothesis.settings.load_profile("any machine")


def pytest_configure(config: pytest.Config) -> None:
    """Let the files of tests lie in memory, under a path that is short enough for the sockets in them.

    No test pulls the plug, so none needs a disk. A folder that a caller asks for is taken instead.
    """
    if config.option.basetemp is None and "TMPDIR" not in os.environ:
        _lie_in_memory(config)
    config.stash[GIVEN] = function_settings.lay_out()


def _lie_in_memory(config: pytest.Config) -> None:
    folder = Path(tempfile.mkdtemp(prefix=OWN_PREFIX, dir=roomy_memory()))
    os.environ["TMPDIR"] = tempfile.tempdir = str(folder)
    config.option.basetemp = str(folder / "t")
    config.stash[OWN_FOLDER] = folder
    for left in folder.parent.glob(f"{OWN_PREFIX}*"):
        if left.stat().st_mtime < time.time() - LEFT_S:
            shutil.rmtree(left, ignore_errors=True)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Leave the files of a run in which tests failed; a later run takes them away."""
    if session.testsfailed:
        session.config.stash[OWN_FOLDER] = None


def pytest_unconfigure(config: pytest.Config) -> None:
    """Leave nothing else."""
    if GIVEN in config.stash:
        config.stash[GIVEN].unlink(missing_ok=True)
    folder = config.stash.get(OWN_FOLDER, None)
    if folder is not None:
        shutil.rmtree(folder, ignore_errors=True)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run what is marked with `engines` on both, but for what is about SQLite's own."""
    marks = {mark.name for mark in metafunc.definition.iter_markers()}
    if "desk" in metafunc.fixturenames and "engines" in marks and "sqlite" not in marks:
        metafunc.parametrize("desk", ["SQLite", "PostgreSQL"], indirect=True)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say loudly where PostgreSQL was not there."""
    left_out = [one for one in terminalreporter.getreports("skipped") if LEFT_OUT in str(one.longrepr)]
    if left_out:
        terminalreporter.section(f"{LEFT_OUT}: {len(left_out)} tests of it were left out", sep="!", red=True, bold=True)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Give every test its tier, so that `-m unit` chooses by it; side by side, the long ones begin."""
    items[:] = [item for item in items if not _is_of_sqlite(item)]
    tiers.give_tiers(items)
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: item.get_closest_marker("acceptance") is None)


def _is_of_sqlite(item: pytest.Item) -> bool:
    """Tell whether a case that is about SQLite's own was to run on PostgreSQL."""
    case = getattr(item, "callspec", None)
    return (
        case is not None and case.params.get("desk") == "PostgreSQL" and item.get_closest_marker("sqlite") is not None
    )


@pytest.fixture(autouse=True)
def _within_its_tier(request: pytest.FixtureRequest) -> Iterator[None]:
    if request.node.get_closest_marker("unit") is None:
        yield
        return
    with tiers.within_the_process():
        yield


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


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """Run one PostgreSQL of our own for all tests; a test that asks for it is left out where there is none."""
    try:
        with started() as found:
            yield found
    except NoPostgres as ex:
        pytest.skip(f"{LEFT_OUT}: {ex}")


@pytest.fixture
def settings(tmp_path: Path, redis_url: str) -> Settings:
    """Return default settings over a folder and a Redis of the test's own."""
    given = {function_settings.VARIABLE: os.environ[function_settings.VARIABLE]}
    return load({"TAPTRADE_DATA": str(tmp_path / "data"), "TAPTRADE_REDIS_URL": redis_url} | given)


@pytest.fixture
def clock() -> ManualClock:
    """Return a clock that stands at START_MS until the test moves it."""
    return ManualClock(START_MS)


@pytest.fixture
def desk(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    redis_url: str,
    clock: ManualClock,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Desk]:
    """Return a writer at work on an empty database; a test with the mark `engines` gets one on each of them."""
    url = ""
    if getattr(request, "param", "") == "PostgreSQL":
        url = request.getfixturevalue("postgres").house()
        # Its server measures by a clock that is not the test's, and shares the machine with other tests.
        monkeypatch.setattr("runtime.postgresql.read_pool.READ_MS_MAX", 10_000)
    desk = Desk(tmp_path / "taptrade.db", redis_url, clock, database_url=url)
    yield desk
    desk.close()
