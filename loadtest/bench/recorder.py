"""Latencies in little memory: a histogram whose buckets are never wider than 0.8 % of what they hold."""

from __future__ import annotations

SUB_BITS = 7
SUB_BUCKETS = 1 << SUB_BITS
LARGEST_US = (1 << 32) - 1


class Latencies:
    """Count durations in microseconds; exact below 256 us, within 0.8 % above."""

    def __init__(self) -> None:
        self._counts = [0] * (bucket_of(LARGEST_US) + 1)
        self.count = 0
        self.max_us = 0

    def add(self, microseconds: int) -> None:
        """Count one duration."""
        self.max_us = max(self.max_us, microseconds)
        self._counts[bucket_of(microseconds)] += 1
        self.count += 1

    def percentile_us(self, percent: float) -> int:
        """Return the duration that `percent` of all do not exceed, 0 if there are none."""
        # Rounded up: with 100 durations the 99th percentile is the 99th, with 101 the 100th.
        rank = -int(-self.count * percent // 100)
        seen = 0
        for bucket, count in enumerate(self._counts):
            seen += count
            if seen >= rank > 0:
                return min(upper_us(bucket), self.max_us)
        return 0

    def percentile_ms(self, percent: float) -> float:
        """Return a percentile in milliseconds, to the hundredth."""
        return round(self.percentile_us(percent) / 1000, 2)


def bucket_of(microseconds: int) -> int:
    """Return the bucket: the leading SUB_BITS + 1 bits of the number and how many follow them."""
    clipped = min(max(microseconds, 0), LARGEST_US)
    shift = max(clipped.bit_length() - SUB_BITS - 1, 0)
    return (shift << SUB_BITS) + (clipped >> shift)


def upper_us(bucket: int) -> int:
    """Return the largest duration that belongs into a bucket."""
    if bucket < 2 * SUB_BUCKETS:
        return bucket
    shift = (bucket >> SUB_BITS) - 1
    lead = bucket - (shift << SUB_BITS)
    return ((lead + 1) << shift) - 1
