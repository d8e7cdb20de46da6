"""The short form of `make chaos`: twenty kills, a few deaths around publication, and the count."""

from __future__ import annotations

import pytest

from tests.chaos.faults import deaths, kills
from tests.chaos.stage import Scenario, Stage, run

KILLS = 20
DEATHS = 5
SEED = 20


@pytest.mark.timeout(300)
def test_nothing_is_lost_or_invented_by_twenty_kills() -> None:
    told: list[str] = []

    def inject(stage: Stage) -> None:
        kills(KILLS, (0.2, 1.6))(stage)
        stage.crowd.wait_for_bets(10)
        stage.crowd.fault = "death around publication"
        deaths("before", DEATHS)(stage)
        deaths("after", DEATHS)(stage)

    result = run(Scenario("kills", inject), SEED, told.append)
    total = result.counting.total
    assert result.counting.sentences == [], (result.data, told)
    assert (total.kills, total.aimed_kills) == (KILLS, 2 * DEATHS)
    assert (total.lost, total.duplicated, total.drift_cents, total.pending_for_ever) == (0, 0, 0, 0)
    assert (total.events_missing, total.events_repeated, total.events_disordered) == (0, 0, 0)
    assert total.acknowledged > KILLS
    assert total.pending > 0
    # Keys of both kinds took part.
    assert 0 < total.by_browsers < total.acknowledged
