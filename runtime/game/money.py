"""Money: whole cents and basis points, rounded in one place, and both as sentences show them."""

from __future__ import annotations

BASIS_POINTS = 10_000
"""One whole: a rate of 1.00x, or 100 %."""


def payout_cents(stake_cents: int, rate_bp: int) -> int:
    """Return what a won bet pays, its stake included; fractions of a cent are dropped."""
    if stake_cents < 0 or rate_bp < 0:
        raise ValueError(f"stake {stake_cents} and rate {rate_bp} must not be negative")
    return stake_cents * rate_bp // BASIS_POINTS


def dollars(cents: int) -> str:
    """Write cents as dollars."""
    return f"{'-' if cents < 0 else ''}${abs(cents) // 100:,}.{abs(cents) % 100:02d}"


def factor(rate_bp: int) -> str:
    """Write a rate in basis points as a factor."""
    return f"{rate_bp // BASIS_POINTS}.{rate_bp % BASIS_POINTS:04d}x"
