"""The market as this process knows it: newest tick, grid and breaker, in memory, kept fresh by the bus."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from runtime.clock import Clock
from runtime.errors import Unavailable
from runtime.game.breaker import CRITICAL_MS_MIN, RECOVERY_MS, Breaker, Override, as_of, refuses_bets
from runtime.game.ticks import Tick
from runtime.messaging.bus import PublicEvent, PublishedCommit
from runtime.messaging.redis_keys import BREAKER, EPOCH, GRID_LATEST, TICK_LATEST
from runtime.messaging.redis_values import decode_breaker, decode_tick

RETRY_STALE_S = 5
RETRY_OVERRIDE_S = 60
RETRY_UNKNOWN_S = 1
NO_EPOCH = "none"


class Market:
    """Hold what every request needs to know of the market; a listener of the bus."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._price_heard = False
        self.tick: Tick | None = None
        self.tick_json: bytes | None = None
        """The newest tick as it was published."""
        self.grid_json: bytes | None = None
        """The newest grid as it was published, never decoded here."""
        self.breaker = Breaker()
        self.epoch = NO_EPOCH
        """Id of this Redis' life; another one means that it was emptied."""

    def synchronize(self, client: Any, public_id: str) -> None:  # noqa: ARG002
        """Read what is not on the bus, and the newest tick and grid unless the bus brings them anyway."""
        tick_json, grid_json, breaker_json = client.mget(TICK_LATEST, GRID_LATEST, BREAKER)
        self.breaker = decode_breaker(breaker_json)
        epoch = client.hget(EPOCH, "id")
        self.epoch = epoch.decode() if epoch else NO_EPOCH
        if not self._price_heard:
            # While the bus flows, its next entry may be older than these keys, and the price would step back.
            self.grid_json = grid_json or self.grid_json
            if tick_json:
                self._take_tick(tick_json)
        self._price_heard = False

    def receive(self, events: Sequence[PublicEvent], commits: Sequence[PublishedCommit]) -> None:  # noqa: ARG002
        """Keep the newest of each kind; events are in the order of their publication."""
        newest = {event.type: event.data for event in events}
        if "grid" in newest:
            self.grid_json = newest["grid"]
        if "price" in newest:
            self._price_heard = True
            self._take_tick(newest["price"])
        if "status" in newest:
            self.breaker = decode_breaker(newest["status"])

    def tick_age_ms(self, now_ms: int) -> int | None:
        """Return how long ago the newest tick's last price arrived; None without a tick."""
        return None if self.tick is None else now_ms - self.tick.id

    def guard_breaker(self) -> None:
        """Refuse with PRICE_FEED_STALE unless bets are taken now."""
        now_ms = self._clock.now_ms()
        # An override ends on time also where nobody comes to take it back.
        breaker = as_of(self.breaker, now_ms)
        if refuses_bets(breaker):
            raise Unavailable(
                "Bets are paused: the breaker is open.",
                code="PRICE_FEED_STALE",
                retry_after_s=_recovery_s(breaker, now_ms),
            )
        age_ms = self.tick_age_ms(now_ms)
        # The breaker may be late itself, so its own limit is asked again of what is seen here. A tick from the future
        # means a clock that stepped back: until it has caught up, no other tick comes.
        if age_ms is None or abs(age_ms) > CRITICAL_MS_MIN:
            raise Unavailable(
                "Bets are paused: there is no fresh price.", code="PRICE_FEED_STALE", retry_after_s=RETRY_STALE_S
            )

    def _take_tick(self, data: bytes) -> None:
        self.tick = decode_tick(data)
        self.tick_json = data


def _recovery_s(breaker: Breaker, now_ms: int) -> int:
    if breaker.override is Override.OPEN:
        return RETRY_OVERRIDE_S
    if breaker.since_ms is None:
        return RETRY_UNKNOWN_S  # no history: this process has just started, or the first fresh tick closes the breaker
    fresh_ms = 0 if breaker.fresh_since_ms is None else now_ms - breaker.fresh_since_ms
    # Rounded up: who waits this long finds the breaker closed.
    return max(1, -(-(RECOVERY_MS - fresh_ms) // 1000))
