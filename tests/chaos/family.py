"""A server and all that it has forked, as what happens to its machine meets them: all at once."""

from __future__ import annotations

import signal
from contextlib import suppress

import psutil


def signal_family(pid: int, number: signal.Signals) -> None:
    """Send a process and all its descendants a signal; whichever has ended is left out."""
    with suppress(psutil.NoSuchProcess):
        server = psutil.Process(pid)
        for one in [server, *server.children(recursive=True)]:
            with suppress(psutil.NoSuchProcess):
                one.send_signal(number)
