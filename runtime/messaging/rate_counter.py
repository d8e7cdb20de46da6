"""Rate limits counted in Redis: one round trip for all buckets of a request, right across every API process."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from runtime.clock import Clock
from runtime.errors import Unavailable
from runtime.messaging.connection import OUTAGES, Redis
from runtime.messaging.queues import load_script
from runtime.messaging.redis_keys import COUNTED_MAX, counted
from runtime.rate_limits import Hit, LimitDecision, LimitPolicy, decide, window_of

GRACE_MS = 1_000
"""How long a window's counts outlive it, by clocks that differ."""
SPENT_MAX = 10_000


class RedisLimiter:
    """Count requests in Redis.

    Who has used up a bucket is remembered here until its window has passed, and is refused without another question.
    When Redis is away `count` raises Unavailable: the caller lets reads pass and refuses the rest, since sessions,
    nonces and queues live in the same Redis and nothing but a read could be done anyway.
    """

    def __init__(self, client: Redis, quotas: Mapping[str, LimitPolicy], clock: Clock) -> None:
        self._script = load_script(client, "count_hits")
        self._quotas = quotas
        self._clock = clock
        self._spent: dict[Hit, int] = {}

    @property
    def any_spent(self) -> bool:
        """Whether anybody is remembered to have used up a bucket."""
        return bool(self._spent)

    def spent(self, bucket: str, who: str) -> LimitDecision | None:
        """Return the refusal of `who` if the bucket is remembered to be used up."""
        spent_in = self._spent.get((bucket, who))
        if spent_in is None:
            return None
        policy = self._quotas[bucket]
        window, reset_s = window_of(policy, self._clock.now_ms())
        if window != spent_in:
            return None
        return LimitDecision(bucket, False, policy.limit, 0, reset_s)

    def count(self, *hits: Hit) -> tuple[LimitDecision, ...]:
        """Count one request against each of the buckets."""
        for hit in hits:
            refusal = self.spent(*hit)
            if refusal is not None:
                return (refusal,)
        now_ms = self._clock.now_ms()
        keys: list[str] = []
        arguments: list[Any] = [COUNTED_MAX]
        for bucket, who in hits:
            policy = self._quotas[bucket]
            window, reset_s = window_of(policy, now_ms)
            keys.append(counted(bucket, window))
            arguments += [who, policy.limit, reset_s * 1000 + GRACE_MS]
        try:
            counts: list[int] = self._script(keys=keys, args=arguments)
        except OUTAGES as ex:
            raise Unavailable("Requests cannot be counted right now.", retry_after_s=1) from ex
        for (bucket, who), count in zip(hits, counts, strict=True):
            if count >= self._quotas[bucket].limit:
                self.remember(bucket, who, now_ms)
        return tuple(
            decide(self._quotas[bucket], count, now_ms) for (bucket, _), count in zip(hits, counts, strict=True)
        )

    def note(self, bucket: str, who: str) -> None:
        """Count what is not refused any more, if Redis is there."""
        with suppress(Unavailable):
            self.count((bucket, who))

    def remember(self, bucket: str, who: str, now_ms: int) -> None:
        """Remember that nothing is left of a bucket in the window of `now_ms`."""
        if len(self._spent) >= SPENT_MAX:
            self._spent = {
                hit: window
                for hit, window in self._spent.items()
                if window == window_of(self._quotas[hit[0]], now_ms)[0]
            }
        if len(self._spent) < SPENT_MAX:
            self._spent[bucket, who] = window_of(self._quotas[bucket], now_ms)[0]
