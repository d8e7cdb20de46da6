"""The report: what a model's rates returned on recorded days, by whom they were played, and whether that passes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from taptrade.calibration.adversary import Attack, attack
from taptrade.calibration.days import Progress
from taptrade.calibration.head_start import HeadStart, head_starts
from taptrade.calibration.moments import Moments, Pricer
from taptrade.calibration.network import Network
from taptrade.calibration.returns import Estimate, fair_of
from taptrade.calibration.taps import Counted, Stretch, count_taps

Part = tuple[Moments, Pricer, Network | None]
"""Moments of one day with what prices them: days that were left out of a fit each have a fit of their own."""

BETS_MIN = 300
"""A bucket with fewer bets is not judged."""
BLOCKS_MIN = 12
"""Fewer blocks of ten minutes, two hours, are no sample to judge by."""


@dataclass(frozen=True, slots=True)
class Report:
    """What came of the taps, and what in it speaks against the model."""

    id: str
    version: str
    fair: float
    """What a tap should return: 1 less the house's edge."""
    fill_delay_ms: int
    counted: Counted
    head_start: tuple[HeadStart, ...]
    adversary: Attack | None
    reasons: tuple[str, ...]
    """Why it does not pass, a sentence each."""

    @property
    def passes(self) -> bool:
        """Tell whether nothing speaks against it."""
        return not self.reasons

    def as_json(self) -> dict[str, Any]:
        """Return it with the names that readers of the file know."""
        counted = self.counted
        return {
            "model": {"id": self.id, "version": self.version},
            "fair": self.fair,
            "fill_delay_ms": self.fill_delay_ms,
            "overall": counted.overall.as_json(),
            "buckets": [each.as_json() for each in counted.buckets],
            "columns": [{"column": column, **each.as_json()} for column, each in counted.columns],
            "offered_median": counted.offered_median,
            "rules": [each.as_json() for each in counted.rules],
            "head_start": [each.as_json() for each in self.head_start],
            "adversary": self.adversary.as_json() if self.adversary else None,
            "reliability": [each.as_json() for each in counted.reliability],
            "passes": self.passes,
            "reasons": list(self.reasons),
        }


def report(
    parts: Sequence[Part],
    *,
    model: tuple[str, str],
    house_edge_bp: int,
    fill_delay_ms: int,
    attacks: Sequence[tuple[Sequence[Part], Sequence[Part]]],
    progress: Progress,
    seed: int = 1,
) -> Report:
    """Tap every shown cell at all moments, and play the rules, the head start and the adversary on them.

    `model` is its id and version. `attacks` are pairs of moments, those that an adversary may learn from and those
    that it then bets on; where there are none, the report has no adversary.
    """
    fair = fair_of(house_edge_bp)
    counted = count_taps(parts, fair, progress)
    ahead = head_starts(parts, fair, fill_delay_ms, progress, seed)
    found = attack(attacks, fair, progress, seed) if attacks else None
    reasons = (
        *_too_little(counted),
        *(_bucket_reason(each, fair) for each in counted.buckets if _leaks(each.estimate, fair, BETS_MIN)),
        *(f"the rule “{each.name}” returned {told(each.estimate)}" for each in counted.rules if _leaks(each.estimate)),
        *(_head_start_reason(each) for each in ahead if each.fill_delay_ms == fill_delay_ms and _leaks(each.filled)),
        *([f"the adversary returned {told(found.estimate)}"] if found and _leaks(found.estimate) else ()),
    )
    return Report(*model, fair, fill_delay_ms, counted, ahead, found, reasons)


def _leaks(estimate: Estimate, most: float = 1.0, bets_min: int = 1) -> bool:
    """Tell whether it is certain that more came back than `most`; of too little data nothing is."""
    if estimate.low is None or estimate.bets < bets_min or estimate.blocks < BLOCKS_MIN:
        return False
    return estimate.low > most


def _too_little(counted: Counted) -> list[str]:
    blocks = counted.overall.blocks
    if blocks >= BLOCKS_MIN:
        return []
    return [f"there are bets in {blocks} blocks of ten minutes, and fewer than {BLOCKS_MIN} say nothing"]


def _bucket_reason(each: Stretch, fair: float) -> str:
    return f"cells at {each.first:g}x to {each.last:g}x returned {told(each.estimate)}, and {fair:g} is fair"


def _head_start_reason(each: HeadStart) -> str:
    return f"{each.told} returned {told(each.filled)}"


def told(estimate: Estimate) -> str:
    """Write an estimate for people."""
    if estimate.value is None:
        return "nothing, without a bet"
    return f"{estimate.value:.3f} [{estimate.low:.3f}, {estimate.high:.3f}]"
