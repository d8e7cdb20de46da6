"""What the writer counts of its commits."""

from __future__ import annotations

from collections import Counter
from typing import get_args

from runtime.game.bets import Bet, Status
from runtime.game.ledger import Commit
from runtime.game.limits import Exposure
from runtime.metrics.table import Metrics


def begin(metrics: Metrics, exposure: Exposure) -> None:
    """Begin every count at 0: that there was a first one is seen only by who saw none before."""
    metrics.set("taptrade_exposure_cents", exposure.total_cents)
    metrics.count("taptrade_jobs_failed_total", by=0)
    metrics.count("taptrade_commits_total", by=0)
    metrics.expect("taptrade_commit_seconds")
    for status in get_args(Status):
        metrics.count("taptrade_bets_total", status, by=0)


def count(metrics: Metrics, exposure: Exposure, commit: Commit, took_ms: float) -> None:
    """Count a commit that stands, unless it is empty, and the bets that it brought to a status."""
    if commit.is_empty:
        return
    metrics.set("taptrade_exposure_cents", exposure.total_cents)
    metrics.count("taptrade_commits_total")
    metrics.observe("taptrade_commit_seconds", took_ms / 1000)
    for status, bets in Counter(item.content.status for item in commit.events if isinstance(item.content, Bet)).items():
        metrics.count("taptrade_bets_total", status, by=bets)
