"""Rate limits: the buckets that a function may name, what one decision says, and the header fields that tell it.

A bucket is counted per wallet or per address in windows aligned to Unix time. The header fields are those of the
IETF draft "RateLimit header fields for HTTP": `RateLimit-Policy` states the quota, `RateLimit` what is left of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, Protocol, get_args

from runtime.errors import RateLimited

Bucket = Literal["bets", "logins", "requests"]
"""bets: bets of one wallet; logins: logins of one address; requests: other requests of one address."""
BUCKETS: frozenset[str] = frozenset(get_args(Bucket))

WINDOW_S = 60


@dataclass(frozen=True, slots=True)
class LimitPolicy:
    """The quota of one bucket: `limit` requests of one wallet or address in each window."""

    bucket: str
    limit: int
    window_s: int
    per: Literal["wallet", "address"]

    @property
    def header(self) -> str:
        """Value of `RateLimit-Policy`."""
        return f'"{self.bucket}";q={self.limit};w={self.window_s}'


@dataclass(frozen=True, slots=True)
class LimitDecision:
    """Whether one more request fits into its window, and what is left of it."""

    bucket: str
    allowed: bool
    limit: int
    remaining: int
    reset_s: int

    @property
    def header(self) -> str:
        """Value of `RateLimit`."""
        return f'"{self.bucket}";r={self.remaining};t={self.reset_s}'

    def enforce(self) -> None:
        """Raise RateLimited unless the request is allowed."""
        if not self.allowed:
            raise RateLimited(
                f"Only {self.limit} of these are allowed in a window; the next one opens in {self.reset_s} s.",
                retry_after_s=self.reset_s,
                limit=self.limit,
                remaining=self.remaining,
                reset_s=self.reset_s,
            )


Limiter = Callable[[str, str], LimitDecision]
"""limiter(bucket, who): count one request of `who` (a wallet or an address) and decide."""


class LimitSettings(Protocol):
    """The settings that the quotas come from."""

    @property
    def bets_per_minute(self) -> int:
        """Bets of one wallet in a minute."""
        ...

    @property
    def logins_per_minute(self) -> int:
        """Logins of one address in a minute."""
        ...

    @property
    def requests_per_minute(self) -> int:
        """Other requests of one address in a minute."""
        ...


def policies(settings: LimitSettings) -> dict[str, LimitPolicy]:
    """Build the quota of every bucket."""
    return {
        "bets": LimitPolicy("bets", settings.bets_per_minute, WINDOW_S, "wallet"),
        "logins": LimitPolicy("logins", settings.logins_per_minute, WINDOW_S, "address"),
        "requests": LimitPolicy("requests", settings.requests_per_minute, WINDOW_S, "address"),
    }


def window_of(policy: LimitPolicy, now_ms: int) -> tuple[int, int]:
    """Return the number of the window that `now_ms` lies in, and the seconds until it ends (at least 1)."""
    length_ms = policy.window_s * 1000
    window = now_ms // length_ms
    left_ms = (window + 1) * length_ms - now_ms
    return window, -(-left_ms // 1000)


def decide(policy: LimitPolicy, hits: int, now_ms: int) -> LimitDecision:
    """Decide about the request that made `hits` in the window of `now_ms`."""
    _, reset_s = window_of(policy, now_ms)
    return LimitDecision(
        bucket=policy.bucket,
        allowed=hits <= policy.limit,
        limit=policy.limit,
        remaining=max(0, policy.limit - hits),
        reset_s=reset_s,
    )


def unlimited(quotas: Mapping[str, LimitPolicy]) -> Limiter:
    """Build a limiter that counts nothing and allows everything, for tests and tools."""

    def limiter(bucket: str, _who: str) -> LimitDecision:
        policy = quotas[bucket]
        return LimitDecision(bucket, True, policy.limit, policy.limit, policy.window_s)

    return limiter
