"""What a service manager is told of a process, in systemd's way: it is ready, it gets on, it stops.

`alive` is called by the loop that does a process's work and by nothing else: a loop that hangs falls silent, and
systemd starts the process anew.
"""

from __future__ import annotations

import time
from collections.abc import MutableMapping
from contextlib import suppress

ELSEWHERE = "on another machine"
VARIABLE = "NOTIFY_SOCKET"
ALIVE_EVERY_S = 1.0


class Systemd:
    """The service manager of this process, if it has one."""

    def __init__(self) -> None:
        self._address = ""
        self._due_s = 0.0
        self._within_s = 0

    def find(self, environ: MutableMapping[str, str]) -> None:
        """Take from the environment where it listens, so that no library tells it what is not so yet."""
        address = environ.pop(VARIABLE, "")
        # An abstract socket is written with an @ for its zero.
        self._address = f"\0{address[1:]}" if address.startswith("@") else address

    def leave(self, environ: MutableMapping[str, str]) -> None:
        """Put back into the environment where it listens: the process begins anew, with the same id."""
        if self._address:
            environ[VARIABLE] = f"@{self._address[1:]}" if self._address.startswith("\0") else self._address

    def ready(self) -> None:
        """Say that the process does its work from now on."""
        self._tell("READY=1\nSTATUS=at work")

    def standing_by(self, role: str, where: str = "") -> None:
        """Say that the process will take over as soon as the one that is the `role` ends, on this machine unless said.

        systemd/deploy waits for who stands by on its own machine, which ends that one.
        """
        self._tell(f"READY=1\nSTATUS=stands by for the {role} that is at work{where and f' {where}'}")

    def stopping(self) -> None:
        """Say that the process ends."""
        self._tell("STOPPING=1")

    def alive(self, within_s: int = 0) -> None:
        """Say that the work gets on; costs nothing where nobody listens or it was just said.

        `within_s` says how long it may take until the next sign of life, other than the unit has it.
        """
        if not self._address:
            return
        if within_s != self._within_s:
            self._within_s = within_s
            self._tell(f"WATCHDOG_USEC={within_s * 1_000_000}\nWATCHDOG=1")
            return
        now_s = time.monotonic()
        if now_s >= self._due_s:
            self._due_s = now_s + ALIVE_EVERY_S
            self._tell("WATCHDOG=1")

    def _tell(self, words: str) -> None:
        if not self._address:
            return
        # The API's worker has its sockets patched by gevent before it imports any.
        import socket

        # A manager that is away, or that has ten of our words to read still, is not told; the work goes on.
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as teller:
            teller.setblocking(False)
            teller.sendto(words.encode(), self._address)


systemd = Systemd()
