"""A stand-in for systemd: it starts and stops processes by the real unit files, and hears what they tell."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from shlex import quote

from tests.waiting import wait_until

READY_S = 90
STOP_S = 30
# Read by the shell first and by Python then: the first line of a script cannot name a Python whose path has a blank.
SYSTEMCTL = """#!/bin/sh
'''exec' {python} -IS "$0" "$@"
' '''
import socket, sys
with socket.socket(socket.AF_UNIX) as line:
    line.connect({path!r})
    line.sendall("\\0".join(sys.argv[1:]).encode() + b"\\n")
    status, _, words = line.makefile().read().partition("\\n")
sys.stdout.write(words)
sys.exit(int(status))
"""
"""What a script finds as `systemctl`."""


@dataclass(slots=True)
class Running:
    """A unit that was started."""

    process: subprocess.Popen[bytes]
    ear: socket.socket
    hearing: threading.Thread = field(init=False)
    status: str = ""
    ready: bool = False

    def __post_init__(self) -> None:
        self.hearing = threading.Thread(target=self.hear, daemon=True)
        self.hearing.start()

    def hear(self) -> None:
        """Take in what it tells, until it is told to end by a word of nothing."""
        while words := self.ear.recv(4_096):
            told = dict(line.split("=", 1) for line in words.decode().splitlines())
            self.status = told.get("STATUS", self.status)
            self.ready = self.ready or "READY" in told

    def close(self) -> None:
        """Hear no more."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as teller:
            teller.sendto(b"", self.ear.getsockname())
        self.hearing.join()
        self.ear.close()


class Units:
    """The manager; `systemctl` in `bin` speaks to it."""

    def __init__(self, folder: Path, files: Path, variables: dict[str, str], reload_edge: Callable[[], None]) -> None:
        """`files` holds the unit files, below it lies /etc; `variables` stand for /etc/taptrade/settings.env."""
        self.bin = folder / "bin"
        self.log = folder / "units.log"
        self._folder, self._files, self._variables, self._reload_edge = folder, files, variables, reload_edge
        self._running: dict[str, Running] = {}
        self.bin.mkdir()
        path = str(folder / "systemctl.sock")
        (self.bin / "systemctl").write_text(SYSTEMCTL.format(python=quote(sys.executable), path=path), encoding="utf-8")
        (self.bin / "systemctl").chmod(0o755)
        self._door = socket.socket(socket.AF_UNIX)
        self._door.bind(path)
        self._door.listen()

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Answer `systemctl` within the block, and kill what still runs at its end."""
        thread = threading.Thread(target=self._serve, daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._door.shutdown(socket.SHUT_RDWR)
            thread.join(STOP_S)
            self._door.close()
            for running in self._running.values():
                running.process.kill()
                running.process.wait()
                running.close()

    def _serve(self) -> None:
        while True:
            try:
                line, _ = self._door.accept()
            except OSError:
                return
            with line:
                words = line.makefile().readline().strip().split("\0")
                try:
                    answer = self.do(*words)
                    status = 0
                except (AssertionError, KeyError) as ex:
                    answer, status = f"{ex}\n", 1
                line.sendall(f"{status}\n{answer}".encode())

    def do(self, action: str, *words: str) -> str:
        """Do what `systemctl` is asked for."""
        unit = words[-1].removesuffix(".service")
        if action == "start":
            self.start(unit)
        elif action == "stop":
            self.stop(unit)
        elif action == "restart" or (action == "try-restart" and self.is_active(unit)):
            self.stop(unit)
            self.start(unit)
        elif action == "reload":
            self._reload_edge()
        elif action == "is-active":
            assert self.is_active(unit)
        elif action == "show":
            return f"{self._running[unit].status}\n"
        return ""

    def is_active(self, unit: str) -> bool:
        """Tell whether a unit runs."""
        return unit in self._running and self._running[unit].process.poll() is None

    def pid(self, unit: str) -> int:
        """Return the process id of a unit."""
        return self._running[unit].process.pid

    def start(self, unit: str) -> None:
        """Start a unit and wait until it is ready, as its file says."""
        if self.is_active(unit):
            return
        name, at, instance = unit.partition("@")
        text = (self._files / "etc" / "systemd" / "system" / f"{name}{at}.service").read_text().replace("%i", instance)
        [command] = re.findall(r"^ExecStart=(.+)$", text, re.MULTILINE)
        given = [self._files / path.lstrip("/") for path in re.findall(r"^EnvironmentFile=-?(.+)$", text, re.MULTILINE)]
        lines = [line for path in given if path.exists() for line in path.read_text().splitlines()]
        ear = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        notify = self._folder / f"{unit}.{len(list(self._folder.glob(f'{unit}.*')))}"
        ear.bind(str(notify))
        told = {"NOTIFY_SOCKET": str(notify)} if "\nType=notify\n" in text else {}
        variables = self._variables | dict(line.split("=", 1) for line in lines) | told
        with self.log.open("ab") as log:
            process = subprocess.Popen(command.split(), env=variables, stdout=log, stderr=log, start_new_session=True)
        running = self._running[unit] = Running(process, ear, ready=not told)

        def is_ready() -> bool:
            assert process.poll() is None, f"{unit} has ended: {self.log.read_text()[-2_000:]}"
            return running.ready

        wait_until(is_ready, READY_S, every_s=0.02, what=f"{unit} to be ready")

    def stop(self, unit: str) -> None:
        """Stop a unit as systemd does; it must end by itself."""
        if unit not in self._running:
            return
        running = self._running.pop(unit)
        with suppress(ProcessLookupError):
            os.kill(running.process.pid, signal.SIGTERM)
        running.process.wait(STOP_S)
        running.close()
