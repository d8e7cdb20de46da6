"""The house on three machines: a writer on each of the databases' machines, all else on the third."""

from __future__ import annotations

import shlex
from pathlib import Path

import msgspec

from runtime.messaging import redis_keys
from runtime.messaging.connection import OUTAGES, connect
from runtime.messaging.redis_values import WriterAlive
from taptrade.processes import command
from tests.acceptance.system import System
from tests.chaos import wrong_clock
from tests.chaos.failover.machines import Machines
from tests.chaos.failover.patroni import MEMBERS
from tests.chaos.kept import Kept
from tests.function_settings import outside
from tests.interpreter import preferring
from tests.waiting import wait_until

HOUSE = "c"
START_S_MAX = 30


class House(System):
    """A system whose processes are spread over machines."""

    def __init__(self, machines: Machines, folder: Path, database_url: str, redis_url: str) -> None:
        self.machines = machines
        self.folder = folder
        self.kept: dict[str, Kept] = {}
        address = machines.address(HOUSE)
        super().__init__(
            folder / "house",
            host=address,
            redis_url=redis_url,
            database_url=database_url,
            deposit_max_cents="1000000000",
            withdrawals_pending_max="1000000",
            cell_payout_max_cents=str(10**9),
            column_payout_max_cents=str(10**12),
            liability_max_cents=str(10**14),
        )
        self.url = f"http://{address}:{self.settings.port}"
        self._stepped_python = preferring(wrong_clock.SHIM, folder / "stepped")
        self.environment |= self._clock_of(HOUSE)
        self.python = self._python_there()
        self._looking = connect(self.settings.redis_url)

    def begin(self) -> None:
        """Start the house, and then the writers that take the place of its own."""
        self.start()
        for name in MEMBERS:
            self._start_writer(name)
        self.halt("writer")
        wait_until(lambda: self.writer() in MEMBERS, START_S_MAX, what="one of the two writers at work")
        wait_until(self.is_well, START_S_MAX, every_s=0.2, what="a house that is well with them")

    def alive(self) -> WriterAlive | None:
        """Return the sign that the writer at work gives; None without one, or without Redis."""
        try:
            sign = self._looking.get(redis_keys.WRITER_ALIVE)
        except OUTAGES:
            return None
        return msgspec.json.decode(sign, type=WriterAlive) if sign else None

    def writer(self) -> str:
        """Return on which machine the writer at work is, empty if none gives a sign."""
        alive = self.alive()
        if alive is None:
            return ""
        return next((name for name in MEMBERS if self.kept[f"writer-{name}"].pid == alive.pid), "")

    def step_clock(self, machine: str, by_s: int) -> None:
        """Set the clock of our processes on a machine so many seconds off; 0 makes it right again."""
        self._clock_file(machine).write_text(str(by_s))

    def close(self) -> None:
        """End everything."""
        for kept in self.kept.values():
            kept.end()
        self.end()
        self._looking.close()

    def _clock_file(self, machine: str) -> Path:
        return self.folder / f"clock-{machine}"

    def _clock_of(self, machine: str) -> dict[str, str]:
        return {"STEPPED_CLOCK_FILE": str(self._clock_file(machine))}

    def _python_there(self) -> str:
        """Write a program that is Python on the house's machine."""
        program = self.folder / "python"
        words = shlex.join(self.machines.within(HOUSE, [self._stepped_python]))
        program.write_text(f'#!/bin/sh\nexec {words} "$@"\n')
        program.chmod(0o755)
        return str(program)

    def _start_writer(self, name: str) -> None:
        data = self.folder / f"data-{name}"
        data.mkdir()
        variables = {"TAPTRADE_DATA": str(data)} | self._clock_of(name)
        self._keep(f"writer-{name}", name, command("writer", python=self._stepped_python), variables)

    def _keep(self, name: str, machine: str, words: list[str], variables: dict[str, str]) -> None:
        given = outside() | self.variables | {"LC_ALL": "C"} | variables
        self.kept[name] = Kept(self.machines.within(machine, words), given, self.folder / f"{name}.log")
