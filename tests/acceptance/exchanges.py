"""Four exchanges on this machine that follow one market, and the minute before a house began to listen to them."""

from __future__ import annotations

import threading
from contextlib import ExitStack
from pathlib import Path
from random import Random
from typing import Self

from runtime.clock import SystemClock
from runtime.game.ticks import Features, Tick
from runtime.storage import ticks_store
from runtime.storage.database import open_writer
from tests.jobs.feed.exchange_servers import ExchangeServer

CLOCK = SystemClock()
LEVEL = 93_750.0
STEP_S = 0.05
STEP_DOLLARS = 0.6
OFFSETS = {"binance": 80.0, "coinbase": 0.0, "kraken": -2.0, "bitstamp": 3.0}
"""Binance quotes USDT."""
NEAR = 25.0
"""So near, in dollars, every tick must be to where the market was."""


class Exchanges:
    """The four, as a context; a walk of prices goes through all of them, whatever else a test lets one do."""

    def __init__(self) -> None:
        self.dollars = LEVEL
        self.lowest = self.highest = LEVEL
        self.servers: dict[str, ExchangeServer] = {}
        self._stack = ExitStack()
        self._random = Random(7)
        self._ending = threading.Event()
        self._walking = threading.Thread(target=self._walk, daemon=True)

    def __enter__(self) -> Self:
        self.servers = {name: self._stack.enter_context(ExchangeServer(name)) for name in OFFSETS}
        self._walking.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        self._walking.join()
        self._stack.close()

    def settings(self) -> dict[str, str]:
        """Return the settings of a system that listens to them."""
        urls = {f"feed_{name}_url": server.url for name, server in self.servers.items()}
        return {"feed": ",".join(self.servers), **urls}

    def have_been_heard(self, path: Path) -> None:
        """Store ticks of the minute and a half before now, so that rates are offered soon."""
        path.parent.mkdir(parents=True, exist_ok=True)
        ticks_store.prepare(path, CLOCK)
        database = open_writer(path)
        random, cents, now_ms = Random(3), round(LEVEL * 100), CLOCK.now_ms()
        features = Features(volatility=270.0, sample_ms=100, history_ms=600_000)
        # A system needs some seconds to start, and a longer gap would make its history begin anew.
        with database.transaction():
            for ms in range(now_ms - 90_000, now_ms + 3_000, 100):
                cents += round(random.gauss(0, 80))
                ticks_store.append(database, Tick(ms, ms, cents, cents, cents, ",".join(sorted(OFFSETS)), features))
        database.close()

    def _walk(self) -> None:
        while not self._ending.wait(STEP_S):
            self.dollars += self._random.gauss(0, STEP_DOLLARS)
            self.lowest, self.highest = min(self.lowest, self.dollars), max(self.highest, self.dollars)
            for name, server in self.servers.items():
                server.price(f"{self.dollars + OFFSETS[name]:.2f}")
