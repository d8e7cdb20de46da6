"""What RQ calls in the process `functions`: a run of a periodic function, or of a message, in one of its threads."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import Any

import msgspec
from rq import Retry, get_current_job

from jobs.triggers.attempts import Attempts, FunctionFailed
from runtime.triggers.declaration import Trigger
from runtime.triggers.run import Bench, Run


class Workshop:
    """The functions of this process, and what each of its threads lets them use."""

    def __init__(self, triggers: Iterable[Trigger], attempts: Attempts, make_bench: Callable[[], Bench]) -> None:
        self.attempts = attempts
        self._by_name = {one.name: one for one in triggers}
        self._by_queue = {one.queue: one for one in triggers if one.starter == "queue"}
        self._make_bench = make_bench
        self._of_thread = threading.local()

    @property
    def bench(self) -> Bench:
        """What functions stand on in this thread; made when it is first asked for."""
        if not hasattr(self._of_thread, "bench"):
            self._of_thread.bench = self._make_bench()
        bench: Bench = self._of_thread.bench
        return bench

    def periodic(self, name: str, run_id: str) -> Any:
        """Run a function of a schedule, with its attempts."""
        return self.attempts.all(self._by_name[name], lambda attempt: Run(name, run_id, None, self.bench, attempt))

    def message(self, queue: str, body: Any, message_id: str, attempt: int) -> Any:
        """Run a function with a message; return RQ's Retry where it failed and is to be tried again."""
        trigger = self._by_queue[queue]
        try:
            decoded = msgspec.convert(body, trigger.body)
            return self.attempts.once(trigger, Run(trigger.name, message_id, decoded, self.bench, attempt))
        except FunctionFailed:
            if attempt <= trigger.retries:
                return Retry(max=trigger.retries, interval=max(1, round(trigger.pause_s(attempt))))
            self.attempts.give_up(trigger)
            raise
        except msgspec.ValidationError:
            self.attempts.give_up(trigger)  # it will never be another one
            raise


_open: list[Workshop] = []


def open_workshop(workshop: Workshop) -> None:
    """Let RQ's jobs find the functions of this process."""
    _open[:] = [workshop]


def run_periodic(name: str) -> Any:
    """Run a function that the scheduler has started. An RQ job."""
    job = _job()
    began_ms = 0 if job.enqueued_at is None else round(job.enqueued_at.timestamp() * 1000)
    return _plain(_open[0].periodic(name, f"{name}-{began_ms}"))


def run_message(queue: str, body: Any) -> Any:
    """Run the function of a queue with one of its messages. An RQ job."""
    job = _job()
    return _plain(_open[0].message(queue, body, job.id, 1 + (job.number_of_retries or 0)))


def _job() -> Any:
    job = get_current_job()
    if job is None:
        raise RuntimeError("only RQ's worker calls this")
    return job


def _plain(answer: Any) -> Any:
    """Return an answer as RQ can keep it: as JSON."""
    return answer if isinstance(answer, Retry) else msgspec.to_builtins(answer, enc_hook=str)
