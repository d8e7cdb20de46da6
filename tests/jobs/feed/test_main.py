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
import redis

from jobs.feed.main import run
from jobs.feed.opening import HISTORY_MS
from runtime.clock import SystemClock
from runtime.game.rewards import HISTORY_MS_MIN
from runtime.game.ticks import Tick
from runtime.market.grid import Grid
from runtime.messaging.redis_keys import GRID_LATEST, TICK_LATEST
from runtime.messaging.redis_values import decode_tick
from runtime.settings import Settings
from runtime.storage import ticks_store
from runtime.storage.database import OperationalError, open_reader
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


def start_process(settings: Settings) -> subprocess.Popen[bytes]:
    environment = {
        **os.environ,
        "TAPTRADE_DATA": str(settings.data),
        "TAPTRADE_REDIS_URL": settings.redis_url,
        "TAPTRADE_FEED": "sim",
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


def test_ticks_are_stored_while_redis_is_away(settings: Settings, tmp_path: Path) -> None:
    nowhere = replace(settings, redis_url=f"unix://{tmp_path}/nothing.sock", feed="sim")
    stopping = threading.Event()
    feeding = threading.Thread(target=run, args=(nowhere, SystemClock(), stopping))
    feeding.start()
    try:
        wait_until(lambda: len(stored(nowhere)) >= 3)
    finally:
        stopping.set()
        feeding.join(10)
    assert not feeding.is_alive()
    assert SystemClock().now_ms() - stored(nowhere)[0].id < HISTORY_MS


def _published(client: redis.Redis) -> Tick:
    found: Any = client.get(TICK_LATEST)
    return decode_tick(found)
