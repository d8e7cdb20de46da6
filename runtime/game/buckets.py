"""Buckets of bets: alike in reward model, rate and distance of their column, so that each can be judged by itself."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Container
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from runtime.game.copier import OWN_LIMIT, RATES_LIMIT, Copied, Copier, Part

RATE_EDGES_BP = (10_500, 15_000, 20_000, 50_000, 100_000, 200_000, 500_000, 1_000_000)
"""Where the rates of one bucket end and those of the next begin; the last bucket holds its upper edge too."""

_INNER_EDGES_BP = RATE_EDGES_BP[1:-1]

ANY_COLUMN = 0
"""The distance of the bucket that holds all columns of its rates: it sees a leak that no single column shows yet."""


class Bucket(NamedTuple):
    """The bets of one model version, at rates from one edge to the next, so many columns ahead of the current one."""

    model_id: str
    model_version: str
    rate_from_bp: int
    distance: int

    @property
    def name(self) -> str:
        """Return the bucket as people write it: `20-50x/7`, or `20-50x/all` for all columns of these rates."""
        upto_bp = RATE_EDGES_BP[RATE_EDGES_BP.index(self.rate_from_bp) + 1]
        column = "all" if self.distance == ANY_COLUMN else str(self.distance)
        return f"{self.rate_from_bp / 10_000:g}-{upto_bp / 10_000:g}x/{column}"

    @property
    def of_any_column(self) -> Bucket:
        """Return the bucket of the same rates that holds all columns."""
        return self._replace(distance=ANY_COLUMN)


def rate_from_bp(rate_bp: int) -> int:
    """Return the edge below a rate; whatever a model offers outside of the edges goes to the bucket that is nearest."""
    return RATE_EDGES_BP[bisect_right(_INNER_EDGES_BP, rate_bp)]


def distance_of(start_s: int, filled_ms: int, column_seconds: int) -> int:
    """Return how many columns after the one of `filled_ms` a column starts."""
    return start_s // column_seconds - filled_ms // (1000 * column_seconds)


def bucket_of(
    model_id: str | None, model_version: str | None, rate_bp: int, start_s: int, filled_ms: int, column_seconds: int
) -> Bucket:
    """Return the bucket that a bet counts in; one that no model has priced counts under empty names."""
    distance = distance_of(start_s, filled_ms, column_seconds)
    return Bucket(model_id or "", model_version or "", rate_from_bp(rate_bp), distance)


def named(name: str, model_id: str, model_version: str) -> Bucket | None:
    """Read a bucket's name, for a model; None where it names none."""
    distance = name.rpartition("/")[2]
    column = int(distance) if distance.isascii() and distance.isdigit() else ANY_COLUMN
    all_rates = (Bucket(model_id, model_version, from_bp, column) for from_bp in RATE_EDGES_BP[:-1])
    return next((bucket for bucket in all_rates if bucket.name == name), None)


def closed_of(closed: Container[Bucket], bucket: Bucket) -> Bucket | None:
    """Return the closed bucket that keeps bets of a bucket out: its own, or that of all columns; None if none does."""
    return next((one for one in (bucket, bucket.of_any_column) if one in closed), None)


@dataclass(slots=True)
class Standing:
    """What is known of a bucket's bets since it was opened, and whether it takes bets."""

    bucket: Bucket
    since_s: int
    """The first column that counts."""
    is_open: bool = True
    bets: int = 0
    staked_cents: int = 0
    paid_cents: int = 0
    copier: Copier = field(default_factory=Copier)

    @property
    def paid_back(self) -> float | None:
        """Return what came back of 1 staked; None without a bet."""
        return self.paid_cents / self.staked_cents if self.staked_cents else None

    @property
    def is_refuted(self) -> bool:
        """Tell whether it can no longer be believed that players get back at most what they stake."""
        return self.copier.wealth >= self.closes_at

    @property
    def closes_at(self) -> float:
        """Return the e-value at which the bucket closes."""
        return RATES_LIMIT if self.bucket.distance == ANY_COLUMN else OWN_LIMIT

    def count(self, start_s: int, copied: Copied, *, covered: bool) -> None:
        """Add the bets of a column that has ended; what was void does not count."""
        if covered and start_s >= self.since_s:
            self.bets += copied.bets
            self.staked_cents += copied.staked_cents
            self.paid_cents += copied.paid_cents

    def wait(self, start_s: int, window: int, part: Part) -> None:
        """Let the test wait for the rest of a window; a closed bucket is not tested."""
        if self.is_open and start_s >= self.since_s:
            self.copier.wait(window, part)

    def close(self) -> None:
        """Take no bets any more, and let the test stand as it is."""
        self.is_open = False

    def open_again(self, since_s: int) -> None:
        """Take bets again, with evidence that begins anew."""
        usual_cents = self.copier.usual_cents
        self.is_open, self.since_s = True, since_s
        self.bets = self.staked_cents = self.paid_cents = 0
        self.copier = Copier(usual_cents=usual_cents)

    def row(self) -> tuple[Any, ...]:
        """Return the row of BUCKET_COLUMNS."""
        counts = (self.bets, self.staked_cents, self.paid_cents)
        return (*self.bucket, int(self.is_open), self.since_s, *counts, self.copier.wealth, self.copier.to_text())

    @classmethod
    def from_row(cls, row: tuple[Any, ...]) -> Standing:
        """Read a row of BUCKET_COLUMNS."""
        *key, is_open, since_s, bets, staked_cents, paid_cents, _, copier = row
        bucket = Bucket(*key)
        return cls(bucket, since_s, bool(is_open), bets, staked_cents, paid_cents, Copier.from_text(copier))


BUCKET_COLUMNS = (
    *Bucket._fields,
    "is_open",
    "since_s",
    "bets",
    "staked_cents",
    "paid_cents",
    "wealth",
    "copier",
)
