"""The buckets of bets as an operator sees them: what players got back in each, and how it stands."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

import msgspec

from runtime.clock import rfc3339_if_any
from runtime.errors import NotFound
from runtime.game.buckets import ANY_COLUMN, RATE_EDGES_BP, Bucket, Standing, named
from runtime.game.ledger import SQL
from runtime.game.player_entries import Execute
from runtime.messaging.commands import Outcome


class BucketView(msgspec.Struct, frozen=True):
    """A bucket as it is shown: what players staked and got back since it was opened, and how it stands."""

    bucket: str
    model_id: str
    model_version: str
    rate_from_bp: int
    column: int | None
    """How many columns ahead; null for the bucket that holds all columns of these rates."""
    bets: int
    staked_cents: int
    paid_cents: int
    paid_back: float | None
    e_value: float
    closes_at: float
    """The e-value that closes it."""
    standing: Literal["open", "closed"]
    changed_at: str | None
    who: str | None
    why: str | None


def read_buckets(execute: Execute, model: tuple[str, str] | None) -> list[BucketView]:
    """Return the buckets of a model, by its id and version, or of all; `execute` reads one state of the database."""
    known = [Standing.from_row(row) for row in execute(SQL["buckets"], ())]
    changes = {Bucket(*row[:4]): row[4:] for row in execute(SQL["bucket_changes"], ())}
    ours = [one for one in known if model is None or one.bucket[:2] == model]
    return [_view(one, changes.get(one.bucket)) for one in ours]


def opened_in_any(outcomes: Iterable[Outcome | None]) -> Outcome | None:
    """Return what the writers of all shards said to a bucket's opening as one: each counts its own bets, and closes.

    It is open where one opened it and none is unknown; else the refusal of one that has seen bets of it.
    """
    told = list(outcomes)
    if None in told:
        return None
    said = [outcome for outcome in told if outcome is not None]
    return min(said, key=lambda one: (one.code is not None, one.code == "NOT_FOUND"))


def bucket_named(name: str, model_id: str, model_version: str) -> Bucket:
    """Read a bucket's name, for a model; raise NotFound with how names are written where it names none."""
    bucket = named(name, model_id, model_version)
    if bucket is None:
        rates = ", ".join(f"{low / 10_000:g}" for low in RATE_EDGES_BP)
        raise NotFound(f"{name!r} is no bucket: write 20-50x/7 or 20-50x/all; rates end at {rates}")
    return bucket


def _view(one: Standing, change: tuple[Any, ...] | None) -> BucketView:
    bucket = one.bucket
    _, who, why, changed_ms = change or (None, None, None, None)
    return BucketView(
        bucket=bucket.name,
        model_id=bucket.model_id,
        model_version=bucket.model_version,
        rate_from_bp=bucket.rate_from_bp,
        column=None if bucket.distance == ANY_COLUMN else bucket.distance,
        bets=one.bets,
        staked_cents=one.staked_cents,
        paid_cents=one.paid_cents,
        paid_back=one.paid_back,
        e_value=one.copier.wealth,
        closes_at=one.closes_at,
        standing="open" if one.is_open else "closed",
        changed_at=rfc3339_if_any(changed_ms),
        who=who,
        why=why,
    )
