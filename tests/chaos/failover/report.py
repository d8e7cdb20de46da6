"""What a run of faults came to, and the table of it that stands in docs/reliability.md."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.chaos.count import Counting
from tests.chaos.failover.timeline import Fault, Times, times_of
from tests.chaos.players import Player
from tests.chaos.record import Record

REPORT = Path("build") / "chaos-cluster.json"
DOCUMENT = Path("docs") / "reliability.md"
BEGIN, END = "<!-- chaos-cluster begins -->", "<!-- chaos-cluster ends -->"
BEFORE_MS = 1_000
"""A bet that was sent so shortly before a fault may be the one that it leaves in doubt."""
HEADINGS = (
    *(
        "fault",
        "times",
        "in doubt",
        "unshared",
        "seen after, s",
        "taken over after, s",
        "bets again after, s",
        "after the mending, s",
        "201",
        "no answer",
    ),
    *("lost", "doubled", "drift, cents", "open"),
)


@dataclass(slots=True)
class Outcome:
    """One run."""

    seed: int
    rate: float
    faults: list[Fault]
    counting: Counting
    reads: int
    """Looks at an account that were judged."""
    seconds: int = 0


def in_doubt(faults: Sequence[Fault], players: Sequence[Player], record: Record) -> None:
    """Count, by fault, the commits with a bet that took its stake and whose first answer was not that it did."""
    sent_ms: dict[int, int] = {}
    for player in players:
        for attempt in player.attempts:
            if not attempt.answers or attempt.answers[0].status == httpx.codes.CREATED:
                continue
            for row in record.by_nonce.get((player.user_id, attempt.signed.nonce), []):
                if row.is_live:
                    known = sent_ms.get(row.placed_commit, attempt.first_sent_ms)
                    sent_ms[row.placed_commit] = min(attempt.first_sent_ms, known)
    for at_ms in sent_ms.values():
        newest = [fault for fault in faults if fault.began_ms - BEFORE_MS <= at_ms]
        if newest:
            newest[-1].in_doubt += 1


def figures(outcome: Outcome) -> str:
    """Write the run's table and the sentences under it, in Markdown."""
    kinds = sorted({fault.kind for fault in outcome.faults})
    rows = [_row(outcome, kind, [fault for fault in outcome.faults if fault.kind == kind]) for kind in kinds]
    if outcome.faults:
        rows.append([f"**{cell}**" for cell in _row(outcome, "all", outcome.faults)])
    align = ["---", *(["---:"] * (len(HEADINGS) - 1))]
    lines = ["| " + " | ".join(row) + " |" for row in (HEADINGS, align, *rows)]
    minutes, seconds = divmod(outcome.seconds, 60)
    wrong = len(outcome.counting.sentences)
    command = f"make chaos-cluster FAULTS={len(outcome.faults)} RATE={outcome.rate:g} SEED={outcome.seed}"
    head = (
        f"`{command}`, in {minutes} minutes and {seconds} seconds:"
        f" {outcome.reads} looks at accounts were judged, {wrong} things were wrong."
    )
    return "\n".join([head, "", *lines])


def rewrite(outcome: Outcome) -> None:
    """Put the figures into the document, between its two marks."""
    text = DOCUMENT.read_text()
    pattern = re.compile(f"{BEGIN}.*{END}", re.DOTALL)
    DOCUMENT.write_text(pattern.sub(lambda _: f"{BEGIN}\n{figures(outcome)}\n{END}", text))


def _row(outcome: Outcome, name: str, faults: Sequence[Fault]) -> list[str]:
    times: Times = times_of(faults)
    tally = outcome.counting.total if name == "all" else outcome.counting.of(name)
    return [
        name,
        str(times.number),
        f"{times.in_doubt} in {times.with_doubt}",
        str(times.unshared),
        *(_pair(one) for one in (times.detected, times.taken, times.again, times.resumed)),
        *(str(one) for one in (tally.acknowledged, tally.unanswered, tally.lost, tally.duplicated)),
        *(str(one) for one in (tally.drift_cents, tally.pending_for_ever)),
    ]


def _pair(median_and_worst: tuple[float, float] | None) -> str:
    return "" if median_and_worst is None else f"{median_and_worst[0]:.1f}, {median_and_worst[1]:.1f}"
