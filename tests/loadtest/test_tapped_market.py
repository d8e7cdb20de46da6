"""The plain model on recorded prices: what leaks is closed within the hour, and what does not is left open."""

from __future__ import annotations

from jobs.feed.recording import SHIPPED, read_recording
from loadtest.tapped_market import RULES, House, play, ticks_of
from runtime.game.buckets import Bucket
from runtime.game.rewards import BrownianTouch

TAPS_PER_S = 10


def test_long_shots_of_the_plain_model_close_within_an_hour_of_taps() -> None:
    ticks = ticks_of(read_recording(SHIPPED))
    house = House(BrownianTouch(RULES, 500))
    play(ticks, house, TAPS_PER_S, seed=5)
    leaking = Bucket(house.model.id, house.model.version, 500_000, 0)
    assert house.closed_at_s[leaking] - ticks[0].id // 1000 < 3_600
    assert {bucket.rate_from_bp for bucket in house.closed_at_s} <= {200_000, 500_000}, "what does not leak stays open"
    lost = house.lost_cents
    assert lost[500_000] > 100_000, "a thousand stakes, and it would have gone on"
    assert sum(cents for rates, cents in lost.items() if rates < 200_000) < 0
