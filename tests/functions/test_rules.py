"""GET /api/rules: the settings that a page needs, with the sentence about the prices."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from falcon import testing

from functions import rules
from functions.rules import Rules
from runtime.clock import ManualClock
from runtime.function_files import DECLARATION
from runtime.metrics.table import Metrics
from runtime.rate_limits import Unlimited, policies
from runtime.settings import load
from runtime.web.app import create_app

EXCHANGES = {"TAPTRADE_FEED": "kraken,binance,coinbase"}


def ask(**variables: str) -> testing.Result:
    """Ask a process with these settings; nothing else is there."""
    settings = load(variables)
    quotas = policies(settings)
    app = create_app(
        [getattr(rules.rules, DECLARATION)],
        parts=SimpleNamespace(settings=settings),
        authenticate=lambda _: None,
        limiter=Unlimited(quotas),
        quotas=quotas,
        guards={},
        clock=ManualClock(0),
        metrics=Metrics("api"),
    )
    return testing.TestClient(app).simulate_get("/api/rules")


def test_a_demo_says_what_it_plays_by() -> None:
    answer = ask()
    told: dict[str, Any] = answer.json
    source = told.pop("source")
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-cache")
    assert told == {
        "mode": "demo",
        "guests": True,
        "chain_ids": [1],
        "domains": ["127.0.0.1:8000"],
        "bet_signatures": "on",
        "presets_cents": [100, 500, 1000, 5000, 10_000],
        "column_seconds": 5,
        "horizon_columns": 12,
        "row_step_cents": 500,
        "fill_delay_ms": 0,
        "max_fill_age_ms": 2500,
        "withdrawal_min_cents": 100,
        "deposit_max_cents": 1_000_000,
        "demo_credit_cents": 1_000_000,
        "reality_check_minutes": 60,
        "feed": "replay",
        "feed_is_live": False,
    }
    assert source == "An hour of recorded BTC/USD that is played again and again: not today's prices."


def test_a_live_house_takes_no_guests() -> None:
    told = msgspec.json.decode(ask(TAPTRADE_MODE="live", TAPTRADE_CHAIN_ID="1,10", **EXCHANGES).content, type=Rules)
    assert (told.mode, told.guests, told.feed, told.feed_is_live) == ("live", False, "binance,coinbase,kraken", True)
    assert (told.chain_ids, told.fill_delay_ms) == ((1, 10), 500)


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        (EXCHANGES, "BTC/USD now: the median of Binance, Coinbase and Kraken."),
        ({"TAPTRADE_FEED": "kraken"}, "BTC/USD as Kraken trades it now."),
        ({"TAPTRADE_FEED": "sim"}, "A random walk that the computer makes: no market moves so."),
        (
            {"TAPTRADE_REPLAY_FILE": "day.csv"},
            "A recording of BTC/USD that is played again: not today's prices.",
        ),
    ],
)
def test_the_prices_are_told_for_what_they_are(variables: dict[str, str], sentence: str) -> None:
    assert ask(**variables).json["source"] == sentence
