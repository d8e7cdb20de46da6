"""The test of a bucket: an imagined player copies a share of every bet in it, and can hardly get rich if it is fair.

He begins with 1 and never goes into debt. If no bet of the bucket returns more than 1 on average, given everything that
is known when it is filled, then what he holds is a non-negative supermartingale, and with a chance of at most 1 in n it
ever reaches n (Ville 1939). So what he holds may be looked at after every settlement, for ever: testing by betting
(Shafer 2021, "Testing by betting"; Waudby-Smith and Ramdas 2024, "Estimating means of bounded random variables by
betting"; time-uniform as in Howard et al. 2021). Three things keep that true here; docs/adr/0018-copier.md has the
argument:

- A stake counts as lost from its fill until its column has ended. Bets overlap (one on a column twelve ahead is filled
  while twelve windows are open), which makes the plain product of returns invalid (Henzi and Ziegel 2022; Arnold, Henzi
  and Ziegel 2023, who lag or interleave instead).
- What he stakes on a bet depends on nothing that comes after its fill: the money in his hand when the window of the
  fill began, and the stake's share of what is usual in the bucket, first come, first copied.
- He stakes fractions of two sizes beside one another, each out of a purse of its own (a mixture over fractions).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

_encode = json.JSONEncoder(separators=(",", ":")).encode

FRACTIONS = (0.35, 0.08)
"""What each purse stakes at most on a window, of what it holds; where many play, a small one does best."""
LAID_IN = (0.8, 0.2)
"""How money is shared among the purses."""

FIRST_DAY = 0.9
"""What he lays in on the first day. The rest comes day by day, 0.1 / (n (n - 1)) on day n: a model that was fair for
months has taken all that he had, and one that begins to leak then is found out with fresh money."""

DAY_S = 86_400
KNOWN_AFTER = 2
"""What comes back of a column is in hand from so many columns later on: its end and its coverage are known then."""

OWN_LIMIT = 10_000.0
"""What copying a single bucket must make of 1 to refute it: a chance of 1 in 10,000."""
RATES_LIMIT = OWN_LIMIT / 9
"""The same for the bucket that holds all columns of its rates: 9 in 10,000. A bet is refused by the one or the other,
so the two keep the promise of 1 in 1,000 together. Leaks are found in all columns first, hence the shares."""

USUAL_KEPT = 1 - 1 / 720
"""How much of the greatest stake on a column is remembered by the next one: half of it for some 500 columns."""


class Part(NamedTuple):
    """What was copied of a column's bets of one window, as shares of the most that is copied, and what it came to."""

    column: int
    staked: float
    returned: float


@dataclass(slots=True)
class Copied:
    """The bets of a bucket on one column, in the order of their fills, and how much of them is copied."""

    usual_cents: float
    """What is usually staked on a column: as much is copied, whoever staked it, and nothing beyond."""
    bets: int = 0
    staked_cents: int = 0
    paid_cents: int = 0
    _copied: float = 0.0
    _returned: float = 0.0

    def add(self, stake_cents: int, paid_cents: int) -> None:
        """Count the next bet: its stake, and what came back of it."""
        self.bets += 1
        self.staked_cents += stake_cents
        self.paid_cents += paid_cents
        left = self.usual_cents - self._copied
        if left > 0.0:
            copied = min(float(stake_cents), left)
            self._copied += copied
            self._returned += copied * paid_cents / stake_cents

    def part(self, column: int) -> Part | None:
        """Return what was copied; None where nothing is usual yet, so that there is no measure of it."""
        if not self.usual_cents:
            return None
        return Part(column, self._copied / self.usual_cents, self._returned / self.usual_cents)


@dataclass(slots=True)
class Copier:
    """What the imagined player holds. Windows and columns are numbered, window k being the time of column k."""

    purses: list[float] = field(default_factory=lambda: [FIRST_DAY * share for share in LAID_IN])
    """Money in hand, a purse for each of FRACTIONS."""
    usual_cents: float = 0.0
    day: int = 1
    first_day: int | None = None
    last_window: int = -1
    out: dict[int, list[float]] = field(default_factory=dict)
    """What comes back to each purse of the bets on a column, in hand once the column is known."""
    waiting: dict[int, list[Part]] = field(default_factory=dict)
    """The parts of windows from which bets are still open."""

    @property
    def wealth(self) -> float:
        """What he has made of 1, as far as it is in his hand or was not laid in yet: the e-value of the bucket."""
        return sum(self.purses) + (1 - FIRST_DAY) / self.day

    def opened(self) -> Copied:
        """Return an empty record of the next column."""
        return Copied(self.usual_cents)

    def remember(self, staked_cents: int) -> None:
        """Learn from a column what is usual, for the columns to come."""
        self.usual_cents = max(float(staked_cents), self.usual_cents * USUAL_KEPT)

    def wait(self, window: int, part: Part) -> None:
        """Keep a part of a window until the others have come; one that comes too late is left out."""
        if window > self.last_window:
            self.waiting.setdefault(window, []).append(part)

    def copy_upto(self, window: int, column_seconds: int) -> None:
        """Copy the windows up to one in order; all bets from them have ended."""
        for each in sorted(one for one in self.waiting if one <= window):
            self._lay_in(each * column_seconds // DAY_S)
            self._copy(each, self.waiting.pop(each))

    def _copy(self, window: int, parts: Sequence[Part]) -> None:
        self.last_window = window
        for column in [one for one in self.out if one + KNOWN_AFTER <= window]:
            self.purses = [held + back for held, back in zip(self.purses, self.out.pop(column), strict=True)]
        stakes = [fraction * held for fraction, held in zip(FRACTIONS, self.purses, strict=True)]
        staked = sum(part.staked for part in parts)
        self.purses = [held - stake * staked for held, stake in zip(self.purses, stakes, strict=True)]
        for part in parts:
            back = self.out.setdefault(part.column, [0.0] * len(FRACTIONS))
            self.out[part.column] = [before + stake * part.returned for before, stake in zip(back, stakes, strict=True)]

    def _lay_in(self, day: int) -> None:
        if self.first_day is None:
            self.first_day = day
        number = day - self.first_day + 1
        if number > self.day:
            more = (1 - FIRST_DAY) * (1 / self.day - 1 / number)
            self.purses = [held + more * share for held, share in zip(self.purses, LAID_IN, strict=True)]
            self.day = number

    def to_text(self) -> str:
        """Return everything as JSON; floats keep every digit, so that it goes on exactly where it was."""
        ways = (list(self.out.items()), list(self.waiting.items()))
        return _encode([self.purses, self.usual_cents, self.day, self.first_day, self.last_window, *ways])

    @classmethod
    def from_text(cls, text: str) -> Copier:
        """Read what `to_text` wrote."""
        purses, usual_cents, day, first_day, last_window, out, waiting = json.loads(text)
        parts = {window: [Part(*part) for part in each] for window, each in waiting}
        return cls(purses, usual_cents, day, first_day, last_window, dict(out), parts)
