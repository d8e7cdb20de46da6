"""The feed process: alone on its ticks, ended by SIGTERM, unharmed by a Redis that is away."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
import redis

from jobs.feed.main import run
from jobs.feed.opening import HISTORY_MS
from runtime.clock import SystemClock
from runtime.game.rewards import HISTORY_MS_MIN
from runtime.game.ticks import Tick
from runtime.market.grid import Grid
from runtime.messaging.metrics_exchange import collect
from runtime.messaging.redis_keys import FEED_SOURCES, GRID_LATEST, TICK_LATEST
from runtime.messaging.redis_values import FeedSources, decode_tick
from runtime.settings import Settings, SettingsError
from runtime.stopping import Stop
from runtime.storage import checkpoints, ticks_store
from runtime.storage.database import OperationalError, open_reader, open_writer
from tests.waiting import wait_until


def stored(settings: Settings) -> list[Tick]:
    """Return the ticks that a feed, perhaps not yet begun, has stored."""
    try:
        reader = open_reader(settings.ticks_database)
        ticks = ticks_store.between(reader, 0, 2**53, 1_000)
    except OperationalError:
        return []
    reader.close()
    return ticks


def start_process(settings: Settings, **more: str) -> subprocess.Popen[bytes]:
    environment = {
        **os.environ,
        "TAPTRADE_DATA": str(settings.data),
        "TAPTRADE_REDIS_URL": settings.redis_url,
        "TAPTRADE_FEED": "sim",
        **more,
    }
    return subprocess.Popen([sys.executable, "-m", "jobs.feed.main"], env=environment, stderr=subprocess.PIPE)


def test_the_process_publishes_survives_kill_9_and_ends_on_sigterm(
    settings: Settings, redis_client: redis.Redis
) -> None:
    first = start_process(settings)
    wait_until(lambda: redis_client.get(TICK_LATEST))
    first.kill()
    first.communicate()
    killed_at = stored(settings)[-1]

    second = start_process(settings)
    wait_until(lambda: stored(settings)[-1].id > killed_at.id)
    wait_until(lambda: _published(redis_client).id > killed_at.id)
    refused = start_process(settings)
    _, complaint = refused.communicate(timeout=20)
    assert refused.returncode == 1
    assert b"is the feed already" in complaint

    second.send_signal(signal.SIGTERM)
    second.communicate(timeout=10)
    assert second.returncode == 0
    ticks = stored(settings)
    assert _published(redis_client) == ticks[-1]
    assert all(tick.features.history_ms >= HISTORY_MS_MIN for tick in ticks)
    grid: Any = redis_client.get(GRID_LATEST)
    assert any(rate for rates in msgspec.json.decode(grid, type=Grid).rates_bp for rate in rates)
    sources: Any = redis_client.get(FEED_SOURCES)
    (sim,) = FeedSources.decode(sources).sources
    assert (sim.name, sim.state, sim.counted) == ("sim", "live", True)
    assert sim.prices > 0


def test_ticks_are_stored_while_redis_is_away(settings: Settings, tmp_path: Path) -> None:
    nowhere = replace(settings, redis_url=f"unix://{tmp_path}/nothing.sock", feed=("sim",))
    stopping = Stop()
    feeding = threading.Thread(target=run, args=(nowhere, SystemClock(), stopping))
    feeding.start()
    try:
        wait_until(lambda: len(stored(nowhere)) >= 3)
    finally:
        stopping.set()
        feeding.join(10)
    assert not feeding.is_alive()
    assert SystemClock().now_ms() - stored(nowhere)[0].id < HISTORY_MS


@pytest.mark.parametrize(
    ("content", "said"),
    [
        pytest.param(b"ts_ms,price\n1767657600,93748.95\n", ":2: '1767657600,93748.95': ts_ms must be", id="seconds"),
        pytest.param(None, ": No such file or directory", id="missing"),
    ],
)
def test_a_recording_that_cannot_be_replayed_ends_the_feed_before_it_writes(
    settings: Settings, tmp_path: Path, content: bytes | None, said: str
) -> None:
    file = tmp_path / "brought.csv"
    if content is not None:
        file.write_bytes(content)
    brought = replace(settings, data=tmp_path / "data", replay_file=str(file))
    with pytest.raises(SettingsError) as refused:
        run(brought, SystemClock(), Stop())
    assert str(refused.value).startswith(f"TAPTRADE_REPLAY_FILE: {file}{said}")
    assert not brought.data.exists()


def test_the_process_logs_why_it_cannot_replay_and_ends(settings: Settings) -> None:
    process = start_process(settings, TAPTRADE_FEED="replay", TAPTRADE_REPLAY_FILE=str(settings.data.parent))
    _, complaint = process.communicate(timeout=20)
    assert process.returncode == 2
    [line] = complaint.splitlines()
    said = msgspec.json.decode(line)
    assert (said["level"], said["message"]) == (
        "ERROR",
        f"feed cannot run: TAPTRADE_REPLAY_FILE: {settings.data.parent}: is a folder",
    )


def test_the_wal_of_the_ticks_starts_anew_beside_them(
    settings: Settings, redis_client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoints, "PAGES_DUE", 4)
    stopping = Stop()
    feeding = threading.Thread(target=run, args=(replace(settings, feed=("sim",)), SystemClock(), stopping))
    feeding.start()
    try:
        wait_until(lambda: collect(redis_client, SystemClock().now_ms()), what="what the feed measures")
        (feed,) = collect(redis_client, SystemClock().now_ms())
        assert feed.gauges["taptrade_wal_bytes"].keys() == {"ticks.db"}
        assert feed.gauges["taptrade_wal_held_seconds"] == {"ticks.db\x1f": 0}
        other = open_writer(settings.ticks_database, checkpoint_pages=0)
        wait_until(lambda: (seen := other.checkpoint("NOOP")).copied == seen.pages > 4, what="a WAL that is copied")
        wait_until(lambda: other.checkpoint("NOOP").pages <= 4, what="one that begins anew")
        other.close()
    finally:
        stopping.set()
        feeding.join(10)
    assert not feeding.is_alive()


def _published(client: redis.Redis) -> Tick:
    found: Any = client.get(TICK_LATEST)
    return decode_tick(found)
