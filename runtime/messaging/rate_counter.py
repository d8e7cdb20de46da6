"""Rate limits counted in Redis: one round trip for all buckets of a request, right across every API process."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

from runtime.clock import Clock
from runtime.errors import Unavailable
from runtime.messaging.connection import OUTAGES, Redis
from runtime.messaging.queues import load_script
from runtime.messaging.redis_keys import COUNTED_MAX, counted
from runtime.rate_limits import Hit, LimitDecision, LimitPolicy, decide, wider, window_of

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
        policy = self._quotas[bucket]
        window, reset_s = window_of(policy, self._clock.now_ms())
        for each, times in _counted_as(policy, who):
            if self._spent.get((bucket, each)) == window:
                return LimitDecision(bucket, False, policy.limit * times, 0, reset_s)
        return None

    def count(self, *hits: Hit) -> tuple[LimitDecision, ...]:
        """Count one request against each of the buckets."""
        for hit in hits:
            refusal = self.spent(*hit)
            if refusal is not None:
                return (refusal,)
        now_ms = self._clock.now_ms()
        keys: list[str] = []
        arguments: list[Any] = [COUNTED_MAX]
        asked: list[tuple[LimitPolicy, str]] = []
        for bucket, who in hits:
            policy = self._quotas[bucket]
            window, reset_s = window_of(policy, now_ms)
            for each, times in _counted_as(policy, who):
                widened = replace(policy, limit=policy.limit * times)
                asked.append((widened, each))
                keys.append(counted(bucket, window))
                arguments += [each, widened.limit, reset_s * 1000 + GRACE_MS]
        try:
            counts: list[int] = self._script(keys=keys, args=arguments)
        except OUTAGES as ex:
            raise Unavailable("Requests cannot be counted right now.", retry_after_s=1) from ex
        decisions: dict[str, LimitDecision] = {}
        for (policy, who), count in zip(asked, counts, strict=True):
            decision = decide(policy, count, now_ms)
            if not decision.remaining:
                self.remember(policy.bucket, who, now_ms)
            # What is told of a bucket is what is left of the address' own, or which of its networks refuses.
            if policy.bucket not in decisions or (decisions[policy.bucket].allowed and not decision.allowed):
                decisions[policy.bucket] = decision
        return tuple(decisions.values())

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


def _counted_as(policy: LimitPolicy, who: str) -> tuple[tuple[str, int], ...]:
    """Return what one is counted as in a bucket, with how many times the quota each has."""
    return ((who, 1), *wider(who)) if policy.per == "address" else ((who, 1),)
