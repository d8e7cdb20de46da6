"""What live mode refuses at its start: known prices, unsigned bets, keys that can be guessed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

import pytest

from runtime.settings import SettingsError, _refuse_unsafe_mode, load

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
    ],
)
def test_live_mode_refuses_prices_that_are_known_beforehand(environment: dict[str, str], sentence: str) -> None:
    with pytest.raises(SettingsError, match=sentence):
        load({"TAPTRADE_MODE": "live", **environment})
    assert load({"TAPTRADE_MODE": "demo", **environment}).mode == "demo"


def test_unsigned_bets_are_for_demo_mode_only() -> None:
    unsigned = load({"TAPTRADE_BET_SIGNATURES": "off"})
    assert unsigned.bet_signatures == "off"
    with pytest.raises(SettingsError, match="TAPTRADE_BET_SIGNATURES=off is refused in live mode"):
        _refuse_unsafe_mode(replace(unsigned, mode="live", feed=cast("Any", "some exchange")))
