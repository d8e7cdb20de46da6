"""Quantiles of histograms: within a bucket values lie evenly, and counts can be held against earlier ones."""

from __future__ import annotations

import pytest

from runtime.metrics.quantiles import quantile, since, together
from runtime.metrics.table import Series

BOUNDS = (1.0, 2.0, 4.0)


@pytest.mark.parametrize(
    ("buckets", "share", "value"),
    [
        ([0, 0, 0, 0], 0.5, None),
        ([4, 0, 0, 0], 0.5, 0.5),
        ([0, 4, 0, 0], 0.5, 1.5),
        ([1, 0, 1, 0], 0.5, 1.0),
        ([1, 0, 1, 0], 0.99, 3.96),
        ([1, 0, 0, 9], 0.99, 4.0),
        ([0, 0, 0, 1], 0.5, 4.0),
    ],
)
def test_a_share_of_the_values_lies_below(buckets: list[int], share: float, value: float | None) -> None:
    assert quantile(Series(buckets), BOUNDS, share) == pytest.approx(value)


def test_histograms_are_added_and_held_against_earlier_ones() -> None:
    both = together([Series([1, 2, 3, 4], 10.0), Series([1, 0, 0, 0], 0.5)])
    assert (both.buckets, both.total) == ([2, 2, 3, 4], 10.5)
    lately = since(both, Series([1, 2, 3, 4], 10.0))
    assert (lately.buckets, lately.total) == ([1, 0, 0, 0], 0.5)
    assert since(both, None) is both
    assert together([]).buckets == []
