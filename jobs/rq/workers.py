"""The worker processes for `settle` and `jobs`: RQ's SimpleWorker, kept running through outages of Redis."""

from __future__ import annotations

import logging
import os
import secrets
import signal
import threading
from typing import Any

from rq import worker_registration
from rq.intermediate_queue import IntermediateQueue
from rq.serializers import JSONSerializer
from rq.worker import SimpleWorker

from jobs.rq.json_jobs import JsonJob, JsonQueue
from jobs.rq.runs import Runs
from runtime.background import Background
from runtime.clock import SystemClock
from runtime.errors import TaptradeError
from runtime.machine import machine_of
from runtime.messaging.connection import OUTAGES, connect, wait_until_ready
from runtime.messaging.metrics_exchange import start_pushing
from runtime.metrics.table import Metrics
from runtime.settings import load
from runtime.systemd import systemd

logger = logging.getLogger(__name__)

WORKER_TTL_S = 60
MAINTENANCE_EVERY_S = 60
# One-off jobs only; the periodic ones say that theirs is kept.
RESULT_TTL_S = 500
PAUSE_S = 0.5


class CommandsUnheard(TaptradeError):
    """The worker's thread that hears RQ's commands has ended."""


class SteadyWorker(SimpleWorker):
    """A SimpleWorker that comes back quickly and stays visible after Redis came up empty."""

    max_connection_wait_time = 1.0
    tells_systemd = True
    runs: Runs
    """Set by `make_worker`: RQ's own constructor has more than enough arguments."""

    def perform_job(self, job: Any, queue: Any, execution: Any) -> bool:
        """Do a job, and tell what became of it."""
        succeeded = bool(super().perform_job(job, queue, execution))
        self.runs.ended(job.id, succeeded=succeeded)
        return succeeded

    @property
    def was_told_to_stop(self) -> bool:
        """Tell whether a signal asked for the end; `work` also returns after errors that it only logs."""
        return self._shutdown_requested_date is not None

    def heartbeat(self, timeout: int | None = None, pipeline: Any = None) -> None:
        """Send a heartbeat; register again if Redis has forgotten us.

        Raise CommandsUnheard where a new worker must take over: RQ starts its own thread once in a worker's life.
        """
        # RQ says how long a job may take before it begins, and ends it after that.
        if self.tells_systemd:
            systemd.alive(within_s=timeout or WORKER_TTL_S)
        if pipeline is not None:
            super().heartbeat(timeout, pipeline)
            return
        # Three of them for a job, of four commands each: one after the other they are half of its round trips.
        with self.connection.pipeline(transaction=False) as pipe:
            super().heartbeat(timeout, pipe)
            pipe.hexists(self.key, "birth")
            is_known = pipe.execute()[-1]
        if not is_known:
            self.connection.hset(self.key, mapping=self.serialize())
            worker_registration.register(self)
        hearing: Any = self.pubsub_thread
        if hearing is not None and not hearing.is_alive():
            logger.error("worker %s hears no commands any more, a new one takes over", self.name)
            raise CommandsUnheard(self.name)


def worker_name(queue: str) -> str:
    """Return a name that no earlier process had: RQ refuses one whose killed owner's key still lives."""
    return f"{queue}-{os.getpid()}-{secrets.token_hex(3)}"


def make_worker(queue: str, connection: Any, runs: Runs, kind: type[SteadyWorker] = SteadyWorker) -> SteadyWorker:
    """Return a worker of one queue."""
    worker = kind(
        [JsonQueue(queue, connection=connection)],
        name=worker_name(queue),
        connection=connection,
        default_result_ttl=RESULT_TTL_S,
        worker_ttl=WORKER_TTL_S,
        maintenance_interval=MAINTENANCE_EVERY_S,
        job_class=JsonJob,
        queue_class=JsonQueue,
        serializer=JSONSerializer,
        log_job_description=False,
    )
    worker.runs = runs
    return worker


def reclaim(queue: JsonQueue) -> list[str]:
    """Put back what a killed worker had taken but not begun; RQ itself would fail it after some minutes.

    Each queue has one worker, so at its start nobody else can be between taking and beginning.
    """
    stuck = IntermediateQueue(queue.key, queue.connection).get_job_ids()
    for job_id in stuck:
        with queue.connection.pipeline() as pipeline:
            pipeline.lrem(queue.intermediate_queue_key, 0, job_id)
            if queue.connection.lpos(queue.key, job_id) is None:
                pipeline.rpush(queue.key, job_id)
            pipeline.execute()
    if stuck:
        logger.warning("took up again: %s", ", ".join(stuck))
    return stuck


def main(queue: str, process: str) -> int:
    """Work on `queue` until SIGTERM or SIGINT; wait for Redis as long as it takes."""
    _quieten()
    settings = load()
    client: Any = connect(settings.redis_url, block_s=WORKER_TTL_S)
    stop = threading.Event()
    metrics, clock = Metrics(process), SystemClock()
    runs = Runs(queue, client, metrics, clock)
    start_pushing(client, metrics, clock, OUTAGES, Background(stop, clock, metrics), machine_of(settings))
    _stop_on_signals(stop)
    systemd.ready()
    try:
        while not stop.is_set():
            systemd.alive(within_s=WORKER_TTL_S)
            _stop_on_signals(stop)
            _work_until_an_outage(client, queue, runs, stop)
    finally:
        systemd.stopping()
    return 0


def _work_until_an_outage(client: Any, queue: str, runs: Runs, stop: threading.Event) -> None:
    wait_until_ready(client, stop.wait, attempts=2**31)
    worker = None
    try:
        worker = make_worker(queue, client, runs)
        reclaim(JsonQueue(queue, connection=client))
        logger.info("worker %s listens on %s", worker.name, queue)
        worker.work(logging_level="WARNING")
    except OUTAGES as ex:
        logger.warning("lost Redis: %s", ex)
    if worker and worker.was_told_to_stop:
        stop.set()
    stop.wait(PAUSE_S)


def _quieten() -> None:
    """Two jobs a second would be most of the log; what goes wrong is still said."""
    for name in ("rq.worker", "rq.job"):
        logging.getLogger(name).setLevel(logging.WARNING)


def _stop_on_signals(stop: threading.Event) -> None:
    """End the wait for Redis; RQ sets handlers of its own while it works."""

    def end(_number: int, _frame: object) -> None:
        stop.set()
        raise SystemExit(0)

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
