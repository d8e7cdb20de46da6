"""Recount the buckets: what was counted with each column's end against the bets, how they stand against the changes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from runtime.archive.manifest import BucketSum
from runtime.audit.findings import Finding
from runtime.audit.records import Walker
from runtime.game.buckets import Bucket, Standing
from runtime.game.ledger import SQL


class BucketCount:
    """The bets of each bucket that count, summed up anew. The test itself is not played again."""

    def __init__(self, database: Walker) -> None:
        self._known = {one.bucket: one for one in map(Standing.from_row, database.iterate(SQL["buckets"]))}
        self._closed = {Bucket(*row[:4]): row[4] == "closed" for row in database.iterate(SQL["bucket_changes"])}
        self._sums: dict[Bucket, tuple[int, int, int]] = {}

    def add(self, bucket: Bucket, column_start_s: int, stake_cents: int, paid_cents: int) -> None:
        """Count a bet that was won or lost, of a column that is settled to its end."""
        for each in (bucket, bucket.of_any_column):
            known = self._known.get(each)
            if known is not None and column_start_s >= known.since_s:
                bets, staked, paid = self._sums.get(each, (0, 0, 0))
                self._sums[each] = bets + 1, staked + stake_cents, paid + paid_cents

    def carry(self, counted: Iterable[BucketSum]) -> None:
        """Add what an archive counted of bets that are here no more; what a bucket began anew since does not count."""
        for one in counted:
            bucket = Bucket(one.model_id, one.model_version, one.rate_from_bp, one.distance)
            known = self._known.get(bucket)
            if known is not None and known.since_s == one.since_s:
                bets, staked, paid = self._sums.get(bucket, (0, 0, 0))
                self._sums[bucket] = bets + one.bets, staked + one.staked_cents, paid + one.paid_cents

    def sums(self) -> list[BucketSum]:
        """Return what was counted so far."""
        return [BucketSum(*bucket, self._known[bucket].since_s, *known) for bucket, known in sorted(self._sums.items())]

    def findings(self) -> Iterator[Finding]:
        """Yield the buckets that were counted otherwise, or stand otherwise than their last change says."""
        for bucket, known in self._known.items():
            found, counted = self._sums.get(bucket, (0, 0, 0)), (known.bets, known.staked_cents, known.paid_cents)
            if found != counted:
                sentence = f"bets, stakes and payouts are {counted}, those of its bets come to {found}"
                yield Finding("buckets", bucket.name, sentence)
            if known.is_open == self._closed.get(bucket, False):
                stands, last = ("open", "closed") if known.is_open else ("closed", "open")
                yield Finding("buckets", bucket.name, f"it is {stands}, but by its last change it is {last}")
        for bucket in self._closed.keys() - self._known.keys():
            yield Finding("buckets", bucket.name, "it was closed or opened, but is not there")
