"""The times of faults, from when bets were answered and who was at work."""

from __future__ import annotations

import pytest

from tests.chaos.failover.timeline import Fault, measure, times_of


def fault(**changed: int) -> Fault:
    return Fault("kill", **({"began_ms": 10_000, "mended_ms": 13_000, "ended_ms": 20_000} | changed))


@pytest.mark.parametrize(
    ("answered_ms", "silence_s", "again_s"),
    [
        ([9_000, 10_100, 14_100, 14_200, 30_000], 4.0, 4.1),
        ([10_300, 10_600, 11_000], 0.4, 0.0),
        ([9_000, 13_000], 3.0, 3.0),
        ([9_000, 25_000], 10.0, 10.0),
    ],
)
def test_the_longest_silence_ends_with_the_first_bet_again(
    answered_ms: list[int], silence_s: float, again_s: float
) -> None:
    one = fault()
    measure([one], answered_ms)
    assert (one.silence_s, one.again_s) == (silence_s, again_s)
    assert one.resumed_s == pytest.approx(max(0.0, again_s - 3))


def test_faults_are_summed_up_by_median_and_worst() -> None:
    faults = [
        fault(detected_ms=10_500, taken_ms=13_500),
        fault(detected_ms=11_500, taken_ms=12_500),
        fault(detected_ms=16_000),
    ]
    for one, again_s, in_doubt in zip(faults, (4.0, 2.0, 9.0), (3, 0, 1), strict=True):
        one.again_s, one.in_doubt = again_s, in_doubt
    times = times_of(faults)
    assert times.again == (4.0, 9.0)
    assert times.detected == (1.5, 6.0)
    assert times.taken == (2.0, 3.0)
    assert (times.number, times.in_doubt, times.with_doubt) == (3, 4, 2)


def test_what_nobody_noticed_has_no_times() -> None:
    times = times_of([fault()])
    assert times.detected is None
    assert times.taken is None
