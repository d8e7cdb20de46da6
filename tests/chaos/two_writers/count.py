"""What became of the money: answers against the ledger, and what readers saw against what there is in the end."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple


class Seen(NamedTuple):
    """One read while faults ran: the newest commit and its hash, what players hold, what their entries sum to."""

    number: int
    hash: str
    balances_cents: int
    entries_cents: int


@dataclass(frozen=True, slots=True)
class Count:
    """Bets by what was answered, and what is wrong."""

    sent: int
    acknowledged: int
    refused: int
    unanswered: int
    stored_unanswered: int
    """Placed without an answer: whoever asks for the bet is told."""
    lost: list[str] = field(default_factory=list)
    """Answered as placed, and not in the ledger as such."""
    contradicted: list[str] = field(default_factory=list)
    """Answered as refused, and placed."""
    open: int = 0
    seen_and_gone: int = 0
    """Commits that a reader saw on a primary and that no ledger has now: nobody was told that they stand."""
    faults: list[str] = field(default_factory=list)

    @property
    def adds_up(self) -> bool:
        """Tell whether nothing is lost, doubled, open or missing."""
        return not (self.lost or self.contradicted or self.open or self.faults)


def counted(
    answers: Mapping[str, str | None],
    unanswered: Iterable[str],
    stored: Mapping[str, str],
    reads: Sequence[Seen],
    hashes: Mapping[int, str],
) -> Count:
    """Hold answers (bet to code, None for placed) and reads against the ledger: bets to status, commits to hash.

    A status is that of the row, `refused` or `insufficient_funds` where no money was taken.
    """
    waiting = set(unanswered)
    placed = {bet for bet, status in stored.items() if status not in ("refused", "insufficient_funds")}
    told = {bet for bet, code in answers.items() if code is None}
    return Count(
        sent=len(answers) + len(waiting),
        acknowledged=len(told),
        refused=len(answers) - len(told),
        unanswered=len(waiting),
        stored_unanswered=len(waiting & placed),
        lost=sorted(told - placed),
        contradicted=sorted((answers.keys() - told) & placed),
        open=sum(status == "confirmed" for status in stored.values()),
        seen_and_gone=len({(one.number, one.hash) for one in reads if hashes.get(one.number) != one.hash}),
        faults=[
            f"at commit {one.number} players held {one.balances_cents} cents and their entries summed to"
            f" {one.entries_cents}"
            for one in reads
            if one.balances_cents != one.entries_cents
        ],
    )
