"""Buckets: which one a bet falls into, what they are called, and what is known of one."""

from __future__ import annotations

import pytest

from runtime.game.buckets import RATE_EDGES_BP, Bucket, Standing, closed_of, distance_of, named, rate_from_bp
from runtime.game.copier import Copied, Copier, Part
from runtime.game.rewards import RATE_BP_MAX, RATE_BP_MIN

BUCKET = Bucket("model", "1", 200_000, 7)


def test_the_edges_span_every_rate_that_is_offered() -> None:
    assert (RATE_EDGES_BP[0], RATE_EDGES_BP[-1]) == (RATE_BP_MIN, RATE_BP_MAX)
    assert list(RATE_EDGES_BP) == sorted(set(RATE_EDGES_BP))


@pytest.mark.parametrize(
    ("rate_bp", "from_bp"),
    [(10_500, 10_500), (14_999, 10_500), (15_000, 15_000), (500_000, 500_000), (1_000_000, 500_000), (9_000, 10_500)],
)
def test_a_rate_falls_into_the_bucket_from_the_edge_below(rate_bp: int, from_bp: int) -> None:
    assert rate_from_bp(rate_bp) == from_bp


@pytest.mark.parametrize(("filled_ms", "distance"), [(100_000, 4), (104_999, 4), (105_000, 3)])
def test_the_distance_counts_columns_from_the_one_of_the_fill(filled_ms: int, distance: int) -> None:
    assert distance_of(120, filled_ms, 5) == distance


@pytest.mark.parametrize(
    ("name", "rate_from", "distance"),
    [("1.05-1.5x/2", 10_500, 2), ("20-50x/7", 200_000, 7), ("50-100x/all", 500_000, 0)],
)
def test_a_name_is_read_as_it_is_written(name: str, rate_from: int, distance: int) -> None:
    bucket = Bucket("model", "1", rate_from, distance)
    assert bucket.name == name
    assert named(name, "model", "1") == bucket


@pytest.mark.parametrize("name", ["", "20-50x", "20-50x/", "20-50x/0", "20-50x/07", "20-40x/7", "20-50x/\u0667"])
def test_what_is_no_name_names_nothing(name: str) -> None:
    assert named(name, "model", "1") is None


def test_a_bucket_is_kept_out_by_itself_and_by_that_of_all_columns() -> None:
    assert closed_of({BUCKET}, BUCKET) == BUCKET
    assert closed_of({BUCKET.of_any_column}, BUCKET) == BUCKET.of_any_column
    assert closed_of({BUCKET._replace(distance=6)}, BUCKET) is None


def test_a_standing_is_read_as_it_was_stored() -> None:
    copied = Copied(200.0)
    copied.add(100, 3_000)
    standing = Standing(BUCKET, 50)
    standing.count(50, copied, covered=True)
    standing.wait(50, 3, Part(10, 0.5, 15.0))
    assert Standing.from_row(standing.row()) == standing
    assert standing.paid_back == 30.0


def test_what_came_before_it_was_opened_and_what_was_void_does_not_count() -> None:
    copied = Copied(0.0)
    copied.add(100, 0)
    standing = Standing(BUCKET, 50)
    standing.count(45, copied, covered=True)
    standing.count(50, copied, covered=False)
    standing.wait(45, 3, Part(9, 0.5, 0.0))
    assert (standing.bets, standing.paid_back, standing.copier.waiting) == (0, None, {})


def test_a_closed_bucket_is_counted_and_not_tested() -> None:
    copied = Copied(0.0)
    copied.add(100, 0)
    standing = Standing(BUCKET, 0, copier=Copier(usual_cents=100.0))
    standing.close()
    standing.count(50, copied, covered=True)
    standing.wait(50, 3, Part(10, 0.5, 0.0))
    assert (standing.bets, standing.copier.waiting) == (1, {})
    standing.open_again(60)
    assert (standing.is_open, standing.bets, standing.since_s, standing.copier.usual_cents) == (True, 0, 60, 100.0)
