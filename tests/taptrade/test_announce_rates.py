"""The banner says which model makes the rates."""

from __future__ import annotations

from pathlib import Path

import pytest

from runtime.settings import load
from taptrade.announce import banner


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        pytest.param({}, "rates      mixture-touch okx-index-", id="the shipped recording"),
        pytest.param({"TAPTRADE_FEED": "sim"}, "rates      brownian-touch 1-edge500-column5\n", id="simulated"),
        pytest.param(
            {"TAPTRADE_FEED": "binance,kraken"},
            "rates      brownian-touch 1-edge500-column5: not fair on real prices, see docs/fairness.md",
            id="exchanges without a fit",
        ),
    ],
)
def test_the_banner_tells_of_the_rates(tmp_path: Path, environ: dict[str, str], said: str) -> None:
    assert said in banner(load({"TAPTRADE_DATA": str(tmp_path)} | environ), "unix:///run/redis.sock", "")
