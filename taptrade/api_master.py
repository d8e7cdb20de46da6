"""gunicorn, whose master lets workers of other functions take over one after another, without losing a request.

gunicorn's own reload ends the workers at work before new ones can answer, and ends itself where one cannot begin. Here
a new worker answers before an old one is told to go, and the old one's connections go over to it (runtime.server.door).
"""

from __future__ import annotations

import signal
import socket
import time
from typing import Any

from gunicorn.app.wsgiapp import WSGIApplication
from gunicorn.arbiter import Arbiter
from gunicorn.errors import HaltServer

from runtime import more_shards
from runtime.function_versions import CannotServe, in_service
from runtime.server.worker import RETIRE
from runtime.settings import load

LOOK_EVERY_S = 0.25
TRY_AGAIN_S = 5.0
"""How long to wait after a worker that could not begin."""


class RollingArbiter(Arbiter):  # type: ignore[misc]
    """The master: it keeps as many workers as it should, all of the version in service, and knowing all shards."""

    def __init__(self, app: Any) -> None:
        self.ways = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        """The way from worker to worker; every worker inherits both ends."""
        self._data = load().data
        self.version = in_service(self._data)
        self.shards = more_shards.noted(self._data)
        self._not_before_s = 0.0
        super().__init__(app)

    def wait_for_signals(self, timeout: float = 1.0) -> Any:
        """Wait for signals, but look often enough at what is in service."""
        return super().wait_for_signals(min(timeout, LOOK_EVERY_S))

    def spawn_worker(self) -> Any:
        """Begin a worker that serves the version in service."""
        pid = super().spawn_worker()
        self.WORKERS[pid].began_with, self.WORKERS[pid].leaves = (self.version, self.shards), False
        return pid

    def manage_workers(self) -> None:
        """Take one step towards as many workers as there should be, all of the version in service."""
        self._look()
        staying = sorted((one for one in self.WORKERS.values() if not one.leaves), key=lambda one: one.age)
        outdated = [one for one in staying if one.began_with != (self.version, self.shards)]
        if len(staying) < self.num_workers:
            self._spawn(self.num_workers - len(staying))
        elif outdated and not _answers(outdated[-1]):
            self._let_go(outdated[-1], signal.SIGKILL)  # nobody is connected to it
        elif outdated and len(staying) == self.num_workers:
            self._spawn(1)
        elif outdated and all(map(_answers, staying)):
            self._let_go(outdated[0], RETIRE)
        elif not outdated and len(staying) > self.num_workers:
            self._let_go(staying[0], signal.SIGTERM)

    def reap_workers(self) -> None:
        """Take note of workers that ended; one that cannot begin is no reason to stop while others answer."""
        try:
            super().reap_workers()
        except HaltServer:
            if not any(map(_answers, self.WORKERS.values())):
                raise
            said = f"a worker with the functions of version {self.version} cannot begin, the others go on"
            self.log.error(said)  # noqa: TRY400  the worker has logged why
            self._not_before_s = time.monotonic() + TRY_AGAIN_S

    def _look(self) -> None:
        try:
            version = in_service(self._data)
        except CannotServe as ex:
            self.log.warning("%s", ex)
            return
        if version != self.version:
            self.log.info("the functions of version %d take over from version %d", version, self.version)
            self.version, self._not_before_s = version, 0.0
        shards = more_shards.noted(self._data)
        if shards != self.shards:
            self.log.info("the house has %d shards by now: all workers begin anew, one after another", shards)
            self.shards, self._not_before_s = shards, 0.0

    def _spawn(self, count: int) -> None:
        if time.monotonic() >= self._not_before_s:
            for _ in range(count):
                self.spawn_worker()

    def _let_go(self, worker: Any, by: signal.Signals) -> None:
        worker.leaves = True
        self.kill_worker(worker.pid, by)


def _answers(worker: Any) -> bool:
    """Tell whether a worker has begun: from then on the time of its file is that of the monotonic clock."""
    try:
        return bool(worker.tmp.last_update() <= time.monotonic())
    except (OSError, ValueError):
        return False


class Api(WSGIApplication):  # type: ignore[misc]
    """gunicorn with that master."""

    def run(self) -> None:
        """Serve until told to stop."""
        RollingArbiter(self).run()


if __name__ == "__main__":
    Api("%(prog)s [OPTIONS] [APP_MODULE]", prog="taptrade serve api").run()
