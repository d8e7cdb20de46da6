"""The scheduler process: rq-scheduler's own loop, kept running through outages, with a watchdog over the schedules."""

from __future__ import annotations

import logging
import time
import warnings
from typing import Any

from rq.exceptions import StopRequested
from rq_scheduler import Scheduler

from jobs.rq.json_jobs import JsonJob, JsonQueue
from jobs.rq.retries import message_queues, push_retries, retries_of
from jobs.rq.runs import begin_seen
from jobs.rq.schedule import Schedule, register_missing, schedules, unregister_unknown
from runtime.background import Background, Stopping
from runtime.clock import Clock, SystemClock
from runtime.function_versions import InService, taken_up
from runtime.machine import machine_of
from runtime.messaging.connection import OUTAGES, connect, wait_until_ready
from runtime.messaging.metrics_exchange import start_pushing
from runtime.messaging.queues import SETTLE
from runtime.metrics.table import Metrics
from runtime.settings import load
from runtime.stopping import Stop, end_on_signals, stop_on_signals
from runtime.systemd import systemd

logger = logging.getLogger(__name__)

POLL_EVERY_MS = 250
WATCH_EVERY_MS = 3_000
SHOW_EVERY_MS = 2_000
# A killed scheduler leaves its lock behind; its successor waits no longer than this.
LOCK_MS = 2_000
PAUSE_S = 0.5


class OthersInService(Exception):
    """Other functions are in service than those whose schedules are known here."""


class WatchfulScheduler(Scheduler):  # type: ignore[misc]
    """rq-scheduler that registers missing schedules again and lets no broken job stop the others."""

    def __init__(
        self,
        connection: Any,
        clock: Clock,
        known: tuple[Schedule, ...],
        stop: Stopping,
        queues: tuple[str, ...] = (),
        service: InService | None = None,
    ) -> None:
        super().__init__(
            queue_name=SETTLE,
            interval=POLL_EVERY_MS / 1000,
            connection=connection,
            job_class=JsonJob,
            queue_class=JsonQueue,
        )
        self._clock = clock
        self._schedules = known
        self._stop = stop
        self._queues = queues
        self._service = service
        self._watched_ms: int | None = None
        self._shown_ms: int | None = None
        self._has_work = True
        self._due_keys = (self.scheduled_jobs_key, *(retries_of(name, connection).key for name in queues))

    def acquire_lock(self) -> Any:
        """Take the lock for LOCK_MS where something is due; rq-scheduler's own outlives a killed holder by 10 s."""
        # The loop comes here first and sleeps `_interval` from here on. Jobs are due at whole seconds, as ends of
        # columns are, so it looks at whole quarters: settlement would begin up to a quarter later otherwise.
        self._interval = (POLL_EVERY_MS - self._clock.now_ms() % POLL_EVERY_MS) / 1000
        # Three looks of four find nothing, and to lock and unlock for them would be most of what this process does.
        self._has_work = self._is_watch_due() or self._is_any_due()
        if not self._has_work:
            return True
        self._lock_acquired = self.connection.set(self.scheduler_lock_key, self.name, px=LOCK_MS, nx=True)
        return self._lock_acquired

    def _is_watch_due(self) -> bool:
        return self._watched_ms is None or self._clock.monotonic_ms() - self._watched_ms >= WATCH_EVERY_MS

    def _is_any_due(self) -> bool:
        now_s = self._clock.now_ms() // 1000
        with self.connection.pipeline(transaction=False) as pipe:
            for key in self._due_keys:
                pipe.zcount(key, 0, now_s)
            return any(pipe.execute())

    def remove_lock(self) -> None:
        """Give the lock back, unless it ran out and is another's by now."""
        if self._lock_acquired and self.connection.get(self.scheduler_lock_key) == self.name.encode():
            self.connection.delete(self.scheduler_lock_key)
        self._lock_acquired = False

    def heartbeat(self) -> None:
        """Show now and then that this one lives; rq-scheduler would eight times a second, for ten seconds each.

        Raise StopRequested where the process stops: each look begins and ends here, and its lock is given back then.
        """
        if self._stop.is_set():
            raise StopRequested
        steady_ms = self._clock.monotonic_ms()
        if self._shown_ms is None or steady_ms - self._shown_ms >= SHOW_EVERY_MS:
            self._shown_ms = steady_ms
            super().heartbeat()

    def _install_signal_handlers(self) -> None:
        """Leave signals to `main`: a handler that talks to Redis would lose the signal in an outage."""

    def enqueue_jobs(self) -> Any:
        """Watch over the schedules, then push what is due; raise OthersInService where they are no longer those."""
        systemd.alive()
        if self._service is not None and self._service.moved():
            raise OthersInService
        if not self._has_work:
            return []
        if self._is_watch_due():
            unregister_unknown(self, self._schedules)
            register_missing(self, self._clock, self._schedules)
            begin_seen(self.connection, self._clock.now_ms(), self._schedules)
            self._watched_ms = self._clock.monotonic_ms()
            if self._service is not None:
                self._service.begin()
        try:
            push_retries(self.connection, self._queues)
            return super().enqueue_jobs()
        except OUTAGES:
            raise
        except Exception:
            # One unreadable job would stop all that are due after it. The watchdog writes it anew at its next look.
            logger.exception("a scheduled job could not be pushed")
            self._watched_ms = None
            return []


def main(service: InService | None = None) -> int:
    """Run until SIGTERM or SIGINT, or until other functions are in service; wait for Redis as long as it takes."""
    if time.localtime(0).tm_gmtoff != 0:
        raise SystemExit("the scheduler must run with TZ=UTC: it reads cron strings in local time")
    # rq-scheduler reads the clock with utcnow(), and leaves crontab's default zone unsaid: both are UTC here.
    for category in (DeprecationWarning, FutureWarning):
        warnings.filterwarnings("ignore", category=category, module="rq_scheduler")
    known, queues = schedules(), message_queues()
    settings = load()
    client: Any = connect(settings.redis_url)
    stop = Stop()
    stop_on_signals(stop)
    metrics, clock = Metrics("scheduler"), SystemClock()
    metrics.set("taptrade_functions_version", taken_up())
    start_pushing(client, metrics, clock, OUTAGES, Background(stop, clock, metrics), machine_of(settings))
    systemd.ready()
    while not stop.is_set():
        systemd.alive()
        if not wait_until_ready(client, stop.wait, attempts=2**31):
            break
        try:
            # A scheduler may be born only once; after an outage a new one takes its place.
            WatchfulScheduler(client, clock, known, stop, queues, service).run()
        except StopRequested:
            break
        except OthersInService:
            end_on_signals()
            if not stop.is_set():
                logger.info("other functions are in service: begins anew")
                return 0
        except OUTAGES as ex:
            logger.warning("lost Redis: %s", ex)
            stop.wait(PAUSE_S)
    systemd.stopping()
    raise SystemExit(0)  # whoever returns may begin anew
