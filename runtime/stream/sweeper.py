"""The streams' caretaker: twice a second it ends those whose session has ended, and cuts those that nobody reads."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

from runtime.background import Background
from runtime.clock import Clock
from runtime.messaging import redis_keys
from runtime.messaging.connection import OUTAGES, Redis
from runtime.stream import sse
from runtime.stream.hub import Hub
from runtime.stream.subscriber import Subscriber

EVERY_S = 0.5
"""A session that was revoked is gone everywhere within a second."""
STALLED_LOOKS = 60
"""A reader that took nothing for so many looks, while something waited for it, is cut off."""
ENDED_LOOKS = 2
SESSIONS_PER_COMMAND = 1_000
BEATS_PER_LOOK = 1_000
"""Signs of life sent in one go, some milliseconds: three times what 10,000 readers need."""


class Sweeper:
    """Look after the readers of one process."""

    def __init__(self, hub: Hub, client: Redis, clock: Clock) -> None:
        self._hub = hub
        self._client = client
        self._clock = clock
        self._stopping = threading.Event()

    def start(self, background: Background) -> None:
        """Run in the background."""
        background.start("sweeper", self.run)

    def stop(self) -> None:
        """End `run`."""
        self._stopping.set()

    def run(self) -> None:
        """Sweep until stopped."""
        while not self._stopping.wait(EVERY_S):
            try:
                self.sweep()
            except OUTAGES:
                # No session can be asked for. The bus' reader says so in the log.
                continue

    def sweep(self) -> None:
        """Look once."""
        subscribers = self._hub.subscribers()
        self._cut_stalled(subscribers)
        self._beat(subscribers)
        # Redis may be away, and forgets a session by a clock of its own.
        now_ms = self._clock.now_ms()
        self._hub.end(one for one in subscribers if one.expires_ms is not None and one.expires_ms <= now_ms)
        signed_in: dict[str, list[Subscriber]] = {}
        for subscriber in subscribers:
            if subscriber.session_id is not None:
                signed_in.setdefault(subscriber.session_id, []).append(subscriber)
        for session_id in self._gone(list(signed_in)):
            self._hub.end(signed_in[session_id])

    def _gone(self, session_ids: Sequence[str]) -> list[str]:
        gone: list[str] = []
        for start in range(0, len(session_ids), SESSIONS_PER_COMMAND):
            some = session_ids[start : start + SESSIONS_PER_COMMAND]
            count: Any = self._client.exists(*map(redis_keys.session, some))
            if count < len(some):
                pipe = self._client.pipeline(transaction=False)
                for session_id in some:
                    pipe.exists(redis_keys.session(session_id))
                gone += [one for one, exists in zip(some, pipe.execute(), strict=True) if not exists]
        return gone

    def _beat(self, subscribers: Sequence[Subscriber]) -> None:
        now_ms = self._clock.monotonic_ms()
        due = [one for one in subscribers if one.resume is not None and one.beat_ms <= now_ms][:BEATS_PER_LOOK]
        for subscriber in due:
            subscriber.beat_ms = now_ms + sse.HEARTBEAT_MS
        self._hub.beat(due)

    def _cut_stalled(self, subscribers: Sequence[Subscriber]) -> None:
        for subscriber in subscribers:
            looks, takes = subscriber.stalled
            stuck = subscriber.wake.is_set() and takes == subscriber.takes
            looks = looks + 1 if stuck else 0
            subscriber.stalled = (looks, subscriber.takes)
            # One that was ended and stays hangs in a write, or its server forgot to close it.
            if looks >= (ENDED_LOOKS if subscriber.ended else STALLED_LOOKS):
                self._hub.unsubscribe(subscriber)
                if subscriber.cut is not None:
                    subscriber.cut()
