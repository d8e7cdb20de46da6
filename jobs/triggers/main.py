"""The process `functions`: threads for every function that no request starts, and a main thread that watches them."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial

from jobs.rq.runs import Runs
from jobs.triggers.attempts import Attempts
from jobs.triggers.deadlines import Deadlines
from jobs.triggers.follow import Follower
from jobs.triggers.positions import Positions, follow_new_shards, forget_others, position_of
from jobs.triggers.threads import QueueThread, forget_queues, take_up_again
from jobs.triggers.work import Workshop, open_workshop
from runtime.background import Background
from runtime.clock import SystemClock
from runtime.function_files import functions_folder
from runtime.function_settings import file_of, given_to
from runtime.function_versions import InService, taken_up
from runtime.machine import machine_of
from runtime.messaging.connection import OUTAGES, Redis, connect, wait_until_ready
from runtime.messaging.metrics_exchange import start_pushing
from runtime.metrics.table import Metrics
from runtime.more_shards import BEGIN_ANEW, EVERY_S, MoreShards
from runtime.settings import Settings, load
from runtime.stopping import Stop, end_on_signals, stop_on_signals
from runtime.storage.database import OperationalError, open_writer
from runtime.storage.function_store import prepare
from runtime.systemd import systemd
from runtime.triggers.declaration import Trigger
from runtime.triggers.discovery import triggers_in
from runtime.triggers.run import Bench, await_shards, shards_of

logger = logging.getLogger(__name__)

PROCESS = "functions"
WATCH_EVERY_S = 0.25
LEDGER_AWAY_WAIT_S = 0.5
DRAIN_S = 8.0
"""How long what is under way may go on when the process stops."""


class FunctionProcess:
    """Everything that the process is made of."""

    def __init__(
        self,
        settings: Settings,
        triggers: Sequence[Trigger],
        client: Redis,
        shards: int,
        stop: Stop,
    ) -> None:
        self._settings = settings
        self._triggers = triggers
        self._stop = stop
        self._clock = SystemClock()
        self._metrics = Metrics(PROCESS)
        self._function_settings = given_to(triggers, file_of(settings))
        self._client = client
        self._background = Background(stop, self._clock, self._metrics)
        self._deadlines = Deadlines(self._clock)
        self._attempts = Attempts(self._deadlines, self._metrics, self._clock, stop)
        self._threads: list[QueueThread] = []
        self._shards = range(1, shards + 1)
        self._more_shards = MoreShards(partial(shards_of, settings), shards, self._begin_anew, OperationalError)
        self.begins_anew = False
        """Whether it stops because there are more shards than it follows."""

    def start(self) -> None:
        """Begin with what every function is started by."""
        self._metrics.set("taptrade_functions_version", taken_up())
        machine = machine_of(self._settings)
        start_pushing(self._client, self._metrics, self._clock, OUTAGES, self._background, machine)
        prepare(self._settings.functions_database, self._clock)
        self._forget()
        open_workshop(Workshop(self._triggers, self._attempts, self._bench))
        for trigger in self._triggers:
            self._attempts.begin_counts(trigger)
            if trigger.starter == "event":
                for shard in self._shards:
                    self._background.start(position_of(trigger.name, shard), partial(self._follow, trigger, shard))
            else:
                self._take_queue(trigger)
        if self._settings.database_url:
            self._background.repeat("shards", self._more_shards.look, EVERY_S)
        logger.info("%d functions are at work", len(self._triggers))

    def _begin_anew(self, shards: int) -> None:
        logger.info("the house has %d shards by now: begins anew", shards)
        self.begins_anew = True
        self._stop.set()

    def _take_queue(self, trigger: Trigger) -> None:
        queue = trigger.runs_on
        take_up_again(queue, self._client)
        runs = Runs(queue, self._client, self._metrics, self._clock)
        for number in range(1, trigger.in_flight + 1):
            thread = QueueThread(queue, self._settings.redis_url, runs, self._stop)
            self._threads.append(thread)
            self._background.start(f"{trigger.name}-{number}", thread.run)

    def _follow(self, trigger: Trigger, shard: int) -> None:
        bench = self._bench()
        try:
            positions = Positions(bench.store, trigger.name, shard)
            Follower(trigger, bench, positions, self._attempts, self._metrics, shard).run(self._stop)
        finally:
            bench.close()

    def _forget(self) -> None:
        forget_queues([one.runs_on for one in self._triggers if one.starter != "event"], self._client)
        store = open_writer(self._settings.functions_database)
        try:
            events = [one.name for one in self._triggers if one.starter == "event"]
            follow_new_shards(store, events, len(self._shards))
            gone = forget_others(store, [position_of(name, shard) for name in events for shard in self._shards])
        finally:
            store.close()
        if gone:
            logger.info("no longer declared, and told of nothing any more: %s", ", ".join(gone))

    def _bench(self) -> Bench:
        return Bench(self._settings, self._clock, self._client, self._function_settings)

    def watch(self, moved: Callable[[], bool]) -> None:
        """Hold runs to their limits until the process stops or has `moved`; end it where one can be held to none."""
        while not self._stop.wait(WATCH_EVERY_S):
            systemd.alive()
            self._look()
            if moved():
                self._stop.set()

    def _look(self) -> None:
        stuck = self._deadlines.look()
        under_way = self._deadlines.under_way()
        for trigger in self._triggers:
            self._metrics.set("taptrade_function_in_flight", under_way.get(trigger.name, 0), trigger.name)
        if stuck:
            logger.critical("%s cannot be interrupted: the process ends and begins anew", ", ".join(stuck))
            logging.shutdown()
            os._exit(1)

    def leave(self) -> None:
        """Let what is under way end, within reason; what does not is taken up again at the next start."""
        end_ms = self._clock.monotonic_ms() + DRAIN_S * 1000
        pause = threading.Event()
        while self._deadlines.under_way() and self._clock.monotonic_ms() < end_ms:
            self._look()
            pause.wait(WATCH_EVERY_S)
        for thread in self._threads:
            try:
                thread.leave()
            except OUTAGES:
                return


def main(service: InService | None = None) -> int:
    """Run until SIGTERM or SIGINT, or until other functions are in service; wait for Redis as long as it takes."""
    for name in ("rq.worker", "rq.job", "httpx"):
        logging.getLogger(name).setLevel(logging.WARNING)
    triggers = triggers_in(functions_folder())
    settings = load()
    client = connect(settings.redis_url)
    # Nothing is under way yet: a signal ends these waits, and the process with them.
    wait_until_ready(client, time.sleep, attempts=2**31)
    shards = await_shards(settings, partial(time.sleep, LEDGER_AWAY_WAIT_S))
    told, stop = Stop(), Stop()
    stop_on_signals(told, stop)
    process = FunctionProcess(settings, triggers, client, shards, stop)
    process.start()
    systemd.ready()
    if service is not None:
        service.begin()
    process.watch(lambda: service is not None and service.moved())
    if told.is_set():
        systemd.stopping()
    process.leave()
    end_on_signals()
    if not told.is_set():
        if process.begins_anew:
            return BEGIN_ANEW
        logger.info("other functions are in service: begins anew")
        return 0
    # Threads that wait for a job cannot be told; they hold nothing.
    logging.shutdown()
    os._exit(0)
