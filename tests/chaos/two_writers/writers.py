"""Two writers with folders of their own, as on two machines; whichever ends is started again."""

from __future__ import annotations

import os
import re
import signal
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

import msgspec

from runtime.messaging.redis_keys import WRITER_ALIVE
from taptrade.processes import command
from tests.chaos.kept import Kept

DOUBT = re.compile(r"a commit is in doubt")


class Writers:
    """Keeps both running."""

    def __init__(self, folder: Path, client: Any, settings: dict[str, str]) -> None:
        self._client = client
        self._settings = settings
        self._folders = [folder / name for name in ("first", "second")]
        self._kept: list[Kept] = []

    def __enter__(self) -> Self:
        for folder in self._folders:
            folder.mkdir()
            environment = os.environ | self._settings | {"TAPTRADE_DATA": str(folder)}
            self._kept.append(Kept(command("writer"), environment, folder / "writer.log"))
        return self

    def __exit__(self, *_: object) -> None:
        for kept in self._kept:
            kept.end()

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
