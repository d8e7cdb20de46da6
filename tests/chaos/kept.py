"""A process on a machine that is begun again whenever it ends, as a service manager would, until it is let go of."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from threading import Event, Thread

AGAIN_AFTER_S = 0.5


class Kept:
    """One service; `pid` is its process of the moment, 0 between two."""

    def __init__(self, command: Sequence[str], variables: Mapping[str, str], log: Path) -> None:
        self.pid = 0
        self._command = list(command)
        self._variables = dict(variables)
        self._log = log
        self._over = Event()
        self._wanted = Event()
        self._wanted.set()
        self._thread = Thread(target=self._keep, daemon=True)
        self._thread.start()

    def signal(self, number: signal.Signals) -> None:
        """Send its process a signal, if there is one."""
        if self.pid:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def pause(self) -> None:
        """Kill it, and do not begin it again before `resume`."""
        self._wanted.clear()
        self.signal(signal.SIGKILL)

    def resume(self) -> None:
        """Begin it again."""
        self._wanted.set()

    def end(self) -> None:
        """End it for good."""
        self._over.set()
        self._wanted.set()
        self.signal(signal.SIGKILL)
        self._thread.join(10)

    def _keep(self) -> None:
        while self._wanted.wait() and not self._over.is_set():
            with self._log.open("ab") as log:
                process = subprocess.Popen(
                    self._command,
                    cwd=self._log.parent,
                    env=self._variables,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )
            self.pid = process.pid
            process.wait()
            self.pid = 0
            self._over.wait(AGAIN_AFTER_S)
