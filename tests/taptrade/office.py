"""An operator's command line in front of a real writer's desk."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from runtime.messaging import redis_keys
from taptrade.cli import main
from tests.jobs.writer_desk import Desk
from tests.waiting import wait_until


@dataclass
class Said:
    """What a command said, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """What it printed as JSON."""
        return json.loads(self.out)


class Office:
    """Run commands while the writer works, as it does in a process of its own."""

    def __init__(self, desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
        self.desk = desk
        self._capsys = capsys
        self.writer_works = True
        self.meanwhile: Callable[[], object] = lambda: None

    def run(self, *arguments: object) -> Said:
        """Run `taptrade ARGUMENTS`, the writer working meanwhile."""
        codes: list[int] = []
        thread = threading.Thread(target=lambda: codes.append(_exit_code([str(each) for each in arguments])))
        self._capsys.readouterr()
        if self.writer_works:
            self.desk.client.set(redis_keys.WRITER_ALIVE, "{}", ex=5)
        thread.start()
        wait_until(lambda: self._turn(thread), what=f"taptrade {arguments[0]}")
        said = self._capsys.readouterr()
        return Said(codes[0], said.out, said.err)

    def _turn(self, thread: threading.Thread) -> bool:
        self.meanwhile()
        if self.writer_works:
            self.desk.work()
        return not thread.is_alive()


def _exit_code(arguments: Sequence[str]) -> int:
    try:
        return main(arguments)
    except SystemExit as ex:
        return int(ex.code or 0)
