"""Money: whole cents and basis points, rounded in one place."""

from __future__ import annotations

BASIS_POINTS = 10_000
"""One whole: a rate of 1.00x, or 100 %."""


def payout_cents(stake_cents: int, rate_bp: int) -> int:
    """Return what a won bet pays, its stake included; fractions of a cent are dropped."""
    if stake_cents < 0 or rate_bp < 0:
        raise ValueError(f"stake {stake_cents} and rate {rate_bp} must not be negative")
    return stake_cents * rate_bp // BASIS_POINTS
