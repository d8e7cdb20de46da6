"""The default row step offers enough of the grid on the default replay."""

from __future__ import annotations

from statistics import median

import pytest

from jobs.feed.recording import SHIPPED, Recording, read_recording
from runtime.game.grid import Cell, placeable_columns, shown_rows
from runtime.game.rewards import HISTORY_MS_MIN
from runtime.game.volatility import Volatility
from runtime.market.models import open_model, rules_of
from runtime.settings import Settings, load
from tests.runtime.game.prices import tick

LOOK_EVERY_MS = 15_000
OFFERED_SHARE_MIN = 0.40


@pytest.fixture(scope="module")
def recording() -> Recording:
    return read_recording(SHIPPED)


def offered_shares(recording: Recording, chosen: Settings) -> list[float]:
    """Return the share of the shown cells that have a rate, at regular looks at the replay after its first minute."""
    rules, model = rules_of(chosen), open_model(chosen)
    volatility = Volatility()
    shares = []
    look_ms = recording.times_ms[0] + HISTORY_MS_MIN
    for ms, cents in zip(recording.times_ms, recording.cents, strict=True):
        volatility.add(ms, cents)
        if ms < look_ms:
            continue
        look_ms = ms + LOOK_EVERY_MS
        newest = tick(ms, cents, features=volatility.features())
        rates = [
            model.rate_bp(Cell(start_s, low, low + rules.row_step_cents), newest, ms)
            for start_s in placeable_columns(ms, rules)
            for low in shown_rows(cents, rules)
        ]
        shares.append(sum(rate is not None for rate in rates) / len(rates))
    return shares


def test_at_the_median_two_fifths_of_the_shown_cells_are_offered(recording: Recording) -> None:
    shares = offered_shares(recording, load({}))
    assert len(shares) > 100
    assert median(shares) >= OFFERED_SHARE_MIN
