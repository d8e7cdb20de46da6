"""Rate limits counted in Redis: one round trip a decision, right across every API process."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from runtime.clock import Clock
from runtime.errors import Unavailable
from runtime.messaging.redis_keys import rate_limit
from runtime.rate_limits import LimitDecision, LimitPolicy, decide, window_of

# KEYS[1] the counter of one window; ARGV[1] milliseconds after which it may go.
# Only the first hit sets the expiry, so a counter never outlives its window for long.
COUNT_HIT = """
local hits = redis.call('INCR', KEYS[1])
if hits == 1 then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
return hits
"""


class ScriptClient(Protocol):
    """The one call that is needed of a Redis client."""

    def eval(self, script: str, numkeys: int, *keys_and_args: Any) -> Any:
        """Run a Lua script."""
        ...


class RedisLimiter:
    """Count requests in Redis; call it as `limiter(bucket, who)`.

    When Redis is away it raises Unavailable: the caller lets reads pass and refuses the rest, since sessions, nonces
    and queues live in the same Redis and nothing but a read could be done anyway.
    """

    def __init__(
        self,
        client: ScriptClient,
        quotas: Mapping[str, LimitPolicy],
        clock: Clock,
        outages: tuple[type[Exception], ...],
    ) -> None:
        self._client = client
        self._quotas = quotas
        self._clock = clock
        self._outages = outages

    def __call__(self, bucket: str, who: str) -> LimitDecision:
        """Count one request of `who` against `bucket`."""
        policy = self._quotas[bucket]
        now_ms = self._clock.now_ms()
        window, reset_s = window_of(policy, now_ms)
        try:
            hits = int(self._client.eval(COUNT_HIT, 1, rate_limit(bucket, who, window), reset_s * 1000 + 1000))
        except self._outages as ex:
            raise Unavailable("Requests cannot be counted right now.", retry_after_s=1) from ex
        return decide(policy, hits, now_ms)
