"""Two writers with folders of their own, as on two machines; whichever ends is started again."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

import msgspec

from runtime.messaging.redis_keys import WRITER_ALIVE

RESTART_S = 0.2
DOUBT = re.compile(r"a commit is in doubt")


class Writers:
    """Keeps both running."""

    def __init__(self, folder: Path, client: Any, settings: dict[str, str]) -> None:
        self._client = client
        self._settings = settings
        self._folders = [folder / name for name in ("first", "second")]
        self._running: dict[Path, subprocess.Popen[bytes]] = {}
        self._stopping = threading.Event()
        self._keepers = [threading.Thread(target=self._keep, args=(one,), daemon=True) for one in self._folders]

    def __enter__(self) -> Self:
        for keeper in self._keepers:
            keeper.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        for process in [*self._running.values()]:
            with suppress(ProcessLookupError):
                process.send_signal(signal.SIGCONT)
            process.kill()
        for keeper in self._keepers:
            keeper.join(20)

    def _keep(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        environment = os.environ | self._settings | {"TAPTRADE_DATA": str(folder)}
        command = [sys.executable, "-I", "-m", "taptrade", "serve", "writer"]
        while not self._stopping.is_set():
            with (folder / "writer.log").open("ab") as log:
                self._running[folder] = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
            self._running[folder].wait()
            self._stopping.wait(RESTART_S)

    @property
    def at_work(self) -> int:
        """The process id of the one that says that it lives, 0 if none does."""
        data = self._client.get(WRITER_ALIVE)
        return int(msgspec.json.decode(data)["pid"]) if data else 0

    def send(self, number: signal.Signals) -> int:
        """Do something to the one at work; return its process id."""
        pid = self.at_work
        if pid:
            with suppress(ProcessLookupError):
                os.kill(pid, number)
        return pid

    def wake(self, pid: int) -> None:
        """Let one go on that was stopped."""
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)

    def count(self, said: re.Pattern[str]) -> int:
        """Return how often both have said something."""
        logs = [folder / "writer.log" for folder in self._folders]
        return sum(len(said.findall(log.read_text(errors="replace"))) for log in logs if log.exists())
