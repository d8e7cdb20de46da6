"""What live mode refuses at its start: known prices, unsigned bets, keys that can be guessed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from jobs.feed.live import EXCHANGES
from runtime.game.rewards import BrownianTouch
from runtime.setting_forms import LIVE_FEEDS
from runtime.settings import LIVE_FILL_DELAY_MS, SettingsError, _refuse_unsafe_mode, load
from taptrade.pricing import refuse_unproven_model

SECRET = "k" * 32


def test_a_short_key_is_refused_at_the_start_and_not_shown() -> None:
    with pytest.raises(SettingsError, match=r"TAPTRADE_PROCESSOR_SECRET=\*\*\*: must be at least 32 characters"):
        load({"TAPTRADE_PROCESSOR_SECRET": "opensesame"})
    assert load({"TAPTRADE_PROCESSOR_SECRET": SECRET}).processor_secret == SECRET
    assert load({}).processor_secret == ""


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [
        ({}, "TAPTRADE_FEED=replay is refused in live mode"),
        ({"TAPTRADE_FEED": "replay"}, "TAPTRADE_FEED=replay is refused in live mode"),
        ({"TAPTRADE_FEED": "sim"}, "TAPTRADE_FEED=sim is refused in live mode"),
        ({"TAPTRADE_FEED": "kraken"}, "TAPTRADE_FEED=kraken is refused in live mode: two exchanges must agree"),
    ],
)
def test_live_mode_refuses_prices_that_are_known_beforehand_or_of_one_exchange(
    environment: dict[str, str], sentence: str
) -> None:
    with pytest.raises(SettingsError, match=sentence):
        load({"TAPTRADE_MODE": "live", **environment})
    assert load({"TAPTRADE_MODE": "demo", **environment}).mode == "demo"


def test_unsigned_bets_are_for_demo_mode_only() -> None:
    unsigned = load({"TAPTRADE_BET_SIGNATURES": "off"})
    assert unsigned.bet_signatures == "off"
    with pytest.raises(SettingsError, match="TAPTRADE_BET_SIGNATURES=off is refused in live mode"):
        _refuse_unsafe_mode(replace(unsigned, mode="live", feed=("kraken", "binance")))


def test_live_mode_takes_two_exchanges() -> None:
    live = load({"TAPTRADE_MODE": "live", "TAPTRADE_FEED": "kraken, binance"})
    assert (live.feed, live.feed_kind, live.feed_is_live) == (("kraken", "binance"), "binance,kraken", True)
    assert live.fill_delay_ms == LIVE_FILL_DELAY_MS


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("replay,binance", "replay and sim stand alone"),
        ("sim,replay", "replay and sim stand alone"),
        ("binance,kraken,binance", "must name each source once"),
        ("binance,bitfinex", "'bitfinex' is no source; there are binance, coinbase, kraken, bitstamp, replay, sim"),
        ("binance,", "'' is no source"),
    ],
)
def test_a_feed_is_of_known_sources(text: str, sentence: str) -> None:
    with pytest.raises(SettingsError, match=sentence):
        load({"TAPTRADE_FEED": text})
    assert load({"TAPTRADE_FEED": "coinbase"}).feed == ("coinbase",)


@pytest.mark.parametrize("text", ["http://127.0.0.1", "ws://", "binance.com", "ws://host:99999", "wss://me:key@host/"])
def test_an_exchange_is_elsewhere_at_a_websocket_only(text: str) -> None:
    with pytest.raises(SettingsError, match="TAPTRADE_FEED_BINANCE_URL="):
        load({"TAPTRADE_FEED_BINANCE_URL": text})
    assert load({"TAPTRADE_FEED_BINANCE_URL": "ws://[::1]:9000/x"}).feed_binance_url == "ws://[::1]:9000/x"


def test_the_names_of_exchanges_are_those_that_can_be_opened() -> None:
    assert set(LIVE_FEEDS) == set(EXCHANGES)


class ProvenTouch(BrownianTouch):
    """A model with a report for two exchanges."""

    proven_for = ("binance,kraken",)
    proven_delay_ms = 500


@pytest.mark.parametrize(
    ("model", "feed", "refused"),
    [
        pytest.param("runtime.game.rewards:BrownianTouch", "binance,kraken", True, id="no report"),
        pytest.param("tests.runtime.test_live_mode:ProvenTouch", "binance,coinbase", True, id="another kind"),
        pytest.param("tests.runtime.test_live_mode:ProvenTouch", "kraken,binance", False, id="its kind"),
    ],
)
def test_live_mode_wants_a_model_with_a_passing_report_for_its_feed(model: str, feed: str, refused: bool) -> None:
    settings = load({"TAPTRADE_MODE": "live", "TAPTRADE_FEED": feed, "TAPTRADE_REWARD_MODEL": model})
    if refused:
        with pytest.raises(SettingsError, match="passing report for the feed"):
            refuse_unproven_model(settings)
    else:
        refuse_unproven_model(settings)
    refuse_unproven_model(replace(settings, mode="demo"))
    assert settings.mode == "live"


@pytest.mark.parametrize(("delay_ms", "refused"), [(499, True), (500, False), (1_000, False)])
def test_live_mode_wants_the_fill_delay_that_the_report_is_about(delay_ms: int, refused: bool) -> None:
    named = {"TAPTRADE_REWARD_MODEL": "tests.runtime.test_live_mode:ProvenTouch", "TAPTRADE_FEED": "binance,kraken"}
    settings = replace(load({"TAPTRADE_MODE": "live"} | named), fill_delay_ms=delay_ms)
    if refused:
        with pytest.raises(SettingsError, match="TAPTRADE_FILL_DELAY_MS=499: the model's report is about 500 ms"):
            refuse_unproven_model(settings)
    else:
        refuse_unproven_model(settings)
