"""What a histogram says of most of its values: a quantile, estimated within the bucket that it falls into."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from runtime.metrics.table import Series


def quantile(series: Series, bounds: Sequence[float], share: float) -> float | None:
    """Return the value below which a share of all lies; None where there is none.

    Within a bucket values are taken to lie evenly, as Prometheus takes them; beyond the last bound it is that bound.
    """
    wanted = share * sum(series.buckets)
    if not wanted:
        return None
    below, seen = 0.0, 0
    for bound, hits in zip(bounds, series.buckets, strict=False):
        if hits and seen + hits >= wanted:
            return below + (bound - below) * (wanted - seen) / hits
        below, seen = bound, seen + hits
    return below


def together(all_series: Iterable[Series]) -> Series:
    """Return the values of several histograms of the same bounds as one."""
    known = list(all_series)
    buckets = [sum(hits) for hits in zip(*(one.buckets for one in known), strict=True)]
    return Series(buckets, sum(one.total for one in known))


def since(series: Series, before: Series | None) -> Series:
    """Return what has been observed since a histogram stood at `before`."""
    if before is None:
        return series
    buckets = [lately - earlier for lately, earlier in zip(series.buckets, before.buckets, strict=True)]
    return Series(buckets, series.total - before.total)
