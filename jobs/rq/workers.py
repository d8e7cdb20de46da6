"""The worker processes for `settle` and `jobs`: RQ's SimpleWorker, kept running through outages of Redis."""

from __future__ import annotations

import logging
import os
import secrets
from typing import Any, TypeVar

from rq import Queue, worker_registration
from rq.exceptions import StopRequested
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
from runtime.stopping import Stop, stop_on_signals
from runtime.systemd import systemd

logger = logging.getLogger(__name__)

WORKER_TTL_S = 60
MAINTENANCE_EVERY_S = 60
# One-off jobs only; the periodic ones say that theirs is kept.
RESULT_TTL_S = 500
PAUSE_S = 0.5
LOOK_EVERY_S = 1
"""How often a worker without a job looks whether its process stops."""


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


class ProcessWorker(SteadyWorker):
    """A worker that is all that its process does: it ends between two jobs when that is told to stop."""

    stop: Stop
    """Set by `main`, as `runs` is by `make_worker`."""

    @property
    def _stop_requested(self) -> bool:
        """Tell RQ, which looks between two jobs and while its workers are suspended."""
        return self.stop.is_set()

    @_stop_requested.setter
    def _stop_requested(self, _: bool) -> None:
        """Let RQ's constructor say that nobody has asked yet."""

    def dequeue_job_and_maintain_ttl(self, timeout: int | None, max_idle_time: int | None = None) -> Any:
        """Wait for a job until the process stops; None ends RQ's loop."""
        del max_idle_time
        while not self._stop_requested:
            taken = super().dequeue_job_and_maintain_ttl(timeout, LOOK_EVERY_S)
            if taken is not None and not self._stop_requested:
                return taken
        # What came after that is the next one's: it might take longer than the stop may.
        reclaim(self.queues[0])
        return None

    def heartbeat(self, timeout: int | None = None, pipeline: Any = None) -> None:
        """Send a heartbeat as before, but do not wait for Redis to come back where the process stops."""
        try:
            super().heartbeat(timeout, pipeline)
        except OUTAGES as ex:
            if self._stop_requested:
                raise StopRequested from ex
            raise

    def _install_signal_handlers(self) -> None:
        """Leave signals to `main`: RQ's handlers raise, and ask Redis in the middle of whatever is under way."""


Kind = TypeVar("Kind", bound=SteadyWorker)


def worker_name(queue: str) -> str:
    """Return a name that no earlier process had: RQ refuses one whose killed owner's key still lives."""
    return f"{queue}-{os.getpid()}-{secrets.token_hex(3)}"


def make_worker(queue: str, connection: Any, runs: Runs, kind: type[Kind]) -> Kind:
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


def reclaim(queue: Queue) -> list[str]:
    """Put back what was taken but not begun; RQ itself would fail it after some minutes.

    Each queue has one worker, so at its start and at its end nobody else can be between taking and beginning.
    """
    stuck = IntermediateQueue(queue.key, queue.connection).get_job_ids()
    for job_id in stuck:
        with queue.connection.pipeline() as pipeline:
            pipeline.lrem(queue.intermediate_queue_key, 0, job_id)
            if queue.connection.lpos(queue.key, job_id) is None:
                pipeline.rpush(queue.key, job_id)
            pipeline.execute()
    return stuck


def main(queue: str, process: str) -> int:
    """Work on `queue` until SIGTERM or SIGINT; wait for Redis as long as it takes."""
    _quieten()
    settings = load()
    client: Any = connect(settings.redis_url, block_s=WORKER_TTL_S)
    stop = Stop()
    metrics, clock = Metrics(process), SystemClock()
    runs = Runs(queue, client, metrics, clock)
    start_pushing(client, metrics, clock, OUTAGES, Background(stop, clock, metrics), machine_of(settings))
    stop_on_signals(stop)
    systemd.ready()
    try:
        while not stop.is_set():
            systemd.alive(within_s=WORKER_TTL_S)
            _work_until_an_outage(client, queue, runs, stop)
    finally:
        systemd.stopping()
    return 0


def _work_until_an_outage(client: Any, queue: str, runs: Runs, stop: Stop) -> None:
    if not wait_until_ready(client, stop.wait, attempts=2**31):
        return
    try:
        worker = make_worker(queue, client, runs, ProcessWorker)
        worker.stop = stop
        stuck = reclaim(worker.queues[0])
        if stuck:
            logger.warning("took up again: %s", ", ".join(stuck))
        logger.info("worker %s listens on %s", worker.name, queue)
        worker.work(logging_level="WARNING")
    except OUTAGES as ex:
        logger.warning("lost Redis: %s", ex)
    stop.wait(PAUSE_S)


def _quieten() -> None:
    """Two jobs a second would be most of the log; what goes wrong is still said."""
    for name in ("rq.worker", "rq.job"):
        logging.getLogger(name).setLevel(logging.WARNING)
