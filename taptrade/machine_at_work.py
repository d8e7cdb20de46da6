"""Processes that run on one machine of several only, the one whose feed is at work: on others they wait."""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from runtime.clock import SystemClock
from runtime.machine import machine_of
from runtime.settings import Settings
from runtime.systemd import systemd

if TYPE_CHECKING:
    from runtime.messaging.seat import Seat

logger = logging.getLogger(__name__)

ONCE = frozenset({"settler", "functions"})
"""Settlement reads the ticks of its own machine, and functions what they remember there."""
LOOK_S = 0.5


def await_seat(name: str, settings: Settings) -> None:
    """Wait until this machine is at work; from then on the process is ended as soon as another is."""
    if name not in ONCE or not settings.database_url:
        return
    # Most processes wait for nobody, and some need no client of Redis at all.
    from runtime.messaging.connection import OUTAGES, connect
    from runtime.messaging.metrics_exchange import StandingBy
    from runtime.messaging.seat import Seat

    client = connect(settings.redis_url)
    seat = Seat(client, settings)
    standing_by = StandingBy(name, machine_of(settings), client, SystemClock())
    told = False
    while not _is_ours(seat):
        if not told:
            logger.info("stands by: the feed of this machine is not at work")
            systemd.standing_by(name)
            told = True
        systemd.alive()
        with suppress(*OUTAGES):
            standing_by()
        time.sleep(LOOK_S)
    threading.Thread(target=_watch, args=(seat,), name="seat", daemon=True).start()


def _is_ours(seat: Seat) -> bool:
    from runtime.messaging.connection import OUTAGES

    try:
        return seat.is_ours()
    except OUTAGES:
        return False


def _watch(seat: Seat) -> None:
    from runtime.messaging.connection import OUTAGES

    while True:
        time.sleep(LOOK_S)
        try:
            if seat.is_anothers():
                break
        except OUTAGES:
            continue
    logger.warning("another machine is at work: ends, to stand by")
    os.kill(os.getpid(), signal.SIGTERM)
