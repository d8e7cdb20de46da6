"""Rate limits: the buckets that a function may name, what one decision says, and the header fields that tell it.

A bucket is counted per wallet or per address in windows aligned to Unix time. The header fields are those of the
IETF draft "RateLimit header fields for HTTP": `RateLimit-Policy` states the quotas, `RateLimit` what is left of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_network
from typing import Literal, Protocol, get_args

from runtime.errors import RateLimited
from runtime.settings import Settings

Bucket = Literal[
    "bets",  # bets of one wallet
    "logins",  # logins of one address, whatever becomes of them
    "requests",  # other requests of one address
    "refusals",  # signed requests of one address that were refused for what they are, before anything was asked
    "address_logins",  # signed logins of one address in a day
    "wallet_logins",  # and of one wallet
    "refused_bets",  # bets of one account that the writer refused in a day: each is kept
    "deposits",  # deposits that one wallet asks for in a day
    "withdrawals",  # and withdrawals
]
BUCKETS: frozenset[str] = frozenset(get_args(Bucket))

WIDER: dict[int, tuple[tuple[int, int], ...]] = {4: ((24, 16),), 6: ((56, 4), (48, 16))}
"""Wider networks that an address counts in too, by IP version: the prefix, and how many times the quota they have.

One customer may have 65,536 of the /64 in a /48. Carriers put many players behind the addresses of a /24.
"""
_WIDER_CACHED = 4_096
MINUTE_S = 60
DAY_S = 86_400


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
                bucket=self.bucket,
                limit=self.limit,
                remaining=self.remaining,
                reset_s=self.reset_s,
            )


Hit = tuple[str, str]
"""A bucket, and who is counted in it: a wallet or an address, which counts in its wider networks too."""


class Limiter(Protocol):
    """Counts requests and decides."""

    @property
    def any_spent(self) -> bool:
        """Whether `spent` can have anything to tell; costs nothing."""
        ...

    def spent(self, bucket: str, who: str) -> LimitDecision | None:
        """Return the refusal of `who` if it is known here already, without counting."""
        ...

    def count(self, *hits: Hit) -> tuple[LimitDecision, ...]:
        """Count one request against each of the buckets; what one of them refuses, those behind it do not count."""
        ...

    def remember(self, bucket: str, who: str, now_ms: int) -> None:
        """Take note that somebody who was counted elsewhere has used up the window of `now_ms`."""
        ...


def policies(settings: Settings) -> dict[str, LimitPolicy]:
    """Build the quota of every bucket."""
    return {
        "bets": LimitPolicy("bets", settings.bets_per_minute, MINUTE_S, "wallet"),
        "logins": LimitPolicy("logins", settings.logins_per_minute, MINUTE_S, "address"),
        "requests": LimitPolicy("requests", settings.requests_per_minute, MINUTE_S, "address"),
        "refusals": LimitPolicy("refusals", settings.refusals_per_minute, MINUTE_S, "address"),
        "address_logins": LimitPolicy("address_logins", settings.address_logins_per_day, DAY_S, "address"),
        "wallet_logins": LimitPolicy("wallet_logins", settings.wallet_logins_per_day, DAY_S, "wallet"),
        "refused_bets": LimitPolicy("refused_bets", settings.refused_bets_per_day, DAY_S, "wallet"),
        "deposits": LimitPolicy("deposits", settings.deposits_per_day, DAY_S, "wallet"),
        "withdrawals": LimitPolicy("withdrawals", settings.withdrawals_per_day, DAY_S, "wallet"),
    }


@lru_cache(maxsize=_WIDER_CACHED)
def wider(who: str) -> tuple[tuple[str, int], ...]:
    """Return the wider networks of a counted address, narrowest first, each with how many times the quota it has."""
    try:
        network = ip_network(who)
    except ValueError:
        return ()
    found = WIDER[network.version]
    return tuple((str(network.supernet(new_prefix=prefix)), times) for prefix, times in found)


def widest(who: str) -> str:
    """Return the widest network that a counted address counts in."""
    networks = wider(who)
    return networks[-1][0] if networks else who


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


class Unlimited:
    """A limiter that counts nothing and allows everything, for tests and tools."""

    any_spent = False

    def __init__(self, quotas: Mapping[str, LimitPolicy]) -> None:
        self._quotas = quotas

    def spent(self, _bucket: str, _who: str) -> LimitDecision | None:
        """Know of no refusal."""
        return None

    def remember(self, _bucket: str, _who: str, _now_ms: int) -> None:
        """Forget it."""

    def count(self, *hits: Hit) -> tuple[LimitDecision, ...]:
        """Allow."""
        policies_hit = [self._quotas[bucket] for bucket, _ in hits]
        return tuple(LimitDecision(one.bucket, True, one.limit, one.limit, one.window_s) for one in policies_hit)


def header_of(items: Iterable[LimitPolicy] | Iterable[LimitDecision]) -> str:
    """Write several as one header field, which is a list."""
    return ", ".join(one.header for one in items)
