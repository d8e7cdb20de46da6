"""Which of several machines is at work: its feed makes the ticks, and what must run once runs there.

Only where PostgreSQL holds the ledger, and machines share it and Redis. The ledger itself does not rest on this: its
writer has a lock and an epoch in PostgreSQL.
"""

from __future__ import annotations

from typing import Any

from runtime.clock import Clock, SystemClock
from runtime.machine import identity
from runtime.messaging.connection import Redis
from runtime.messaging.queues import load_script
from runtime.messaging.redis_keys import MACHINE_AT_WORK
from runtime.settings import Settings

SEAT_MS = 3_000
"""A machine that is lost keeps the seat no longer than this."""


class Seat:
    """The seat of the machine at work, as one machine sees it. All methods raise what Redis raises."""

    def __init__(self, client: Redis, settings: Settings, clock: Clock | None = None) -> None:
        self._client = client
        self._take = load_script(client, "take_seat")
        self._machine = identity(settings).encode()
        self._clock = clock or SystemClock()
        self._until_ms = 0
        """Until when nobody else can have it, on the monotonic clock."""

    def take(self) -> bool:
        """Take the seat or keep it; return whether it is ours."""
        asked_ms = self._clock.monotonic_ms()
        taken = bool(self._take(keys=[MACHINE_AT_WORK], args=[self._machine, SEAT_MS]))
        if taken:
            self._until_ms = asked_ms + SEAT_MS
        return taken

    def is_certain(self) -> bool:
        """Tell whether nobody else can have the seat now, without asking."""
        return self._clock.monotonic_ms() < self._until_ms

    def is_ours(self) -> bool:
        """Tell whether this machine is at work."""
        return bool(self._held() == self._machine)

    def is_anothers(self) -> bool:
        """Tell whether another machine is."""
        return self._held() not in (None, self._machine)

    def _held(self) -> Any:
        return self._client.get(MACHINE_AT_WORK)
