"""How the buckets of bets stand: counted with each column's end, closed by what was counted, opened by the operator."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from runtime.game.bets import Bet
from runtime.game.buckets import Bucket, Standing, bucket_of
from runtime.game.copier import KNOWN_AFTER, Copied, Part
from runtime.game.grid import FIRST_PLACEABLE, GridRules
from runtime.game.ledger import SQL, Commit
from runtime.game.rewards import RewardModel
from runtime.game.rows import Connection
from runtime.messaging.commands import OpenBucket, Outcome
from runtime.metrics.table import Metrics

logger = logging.getLogger(__name__)

HOUSE = "house"
"""Who closes a bucket that was refuted."""


class Standings:
    """What the writer knows of the buckets; the database is the record, and `reload` reads it again."""

    def __init__(self, database: Connection, rules: GridRules, model: RewardModel) -> None:
        self._database = database
        self._width_s = rules.column_seconds
        self._horizon = rules.horizon_columns
        self._locked = sum(1 / (one + KNOWN_AFTER) for one in range(FIRST_PLACEABLE, rules.horizon_columns + 1)) or 1.0
        self._model = (model.id, model.version)
        self._all: dict[Bucket, Standing] = {}
        self._untold: list[str] = []
        self._is_told = False
        self.closed: frozenset[Bucket] = frozenset()
        self.reload()

    def reload(self) -> None:
        """Read every standing anew, and forget what was not committed."""
        read = map(Standing.from_row, self._database.execute(SQL["buckets"]))
        self._all = {standing.bucket: standing for standing in read}
        self._untold = []
        self._changed()

    def known(self, bucket: Bucket) -> Standing | None:
        """Return what is known of a bucket; None before a bet of it has ended."""
        return self._all.get(bucket)

    def add(self, copied: dict[Bucket, Copied], bet: Bet) -> None:
        """Count a bet that has ended, in the order of fills, among those of its column."""
        filled_ms = bet.model_now_ms or bet.placed_at
        start_s = bet.column_start_s
        bucket = bucket_of(bet.model_id, bet.model_version, bet.reward_rate, start_s, filled_ms, self._width_s)
        one = copied.get(bucket)
        if one is None:
            standing = self.known(bucket)
            one = copied[bucket] = Copied(standing.copier.usual_cents if standing else 0.0)
        # A stake that came back is copied as what it was: known as no loss only after the fill.
        one.add(bet.amount, bet.amount if bet.status == "void" else bet.payout_amount or 0)

    def count(
        self, commit: Commit, start_s: int, copied: dict[Bucket, Copied], open_from_s: int, *, covered: bool
    ) -> None:
        """Count a column that has ended, test what is known in full, and close what is refuted.

        No bet on a column before `open_from_s` is open.
        """
        column = start_s // self._width_s
        touched: dict[Bucket, Standing] = {}
        for bucket, one in copied.items():
            own, whole = self._of(bucket, start_s), self._of(bucket.of_any_column, start_s)
            touched[own.bucket], touched[whole.bucket] = own, whole
            own.count(start_s, one, covered=covered)
            whole.count(start_s, one, covered=covered)
            part = one.part(column)
            own.copier.remember(one.staked_cents)
            if part is not None:
                window = column - bucket.distance
                own.wait(start_s, window, part)
                whole.wait(start_s, window, self._share(part, bucket.distance))
        ended = (open_from_s - 1) // self._width_s
        touched.update(self._test(ended))
        for _, standing in sorted(touched.items()):
            if standing.is_open and standing.is_refuted:
                standing.close()
                why = f"copying its bets made {standing.copier.wealth:.0f} of 1"
                self._record(commit, standing, f"commit {commit.number} {standing.bucket.name}", HOUSE, why)
            commit.write("save_bucket", *standing.row())
        self._is_told = False

    def open_again(self, commit: Commit, command: OpenBucket) -> Outcome:
        """Take bets of a closed bucket again, on an operator's word."""
        bucket = Bucket(command.model_id, command.model_version, command.rate_from_bp, command.distance)
        standing = self.known(bucket)
        if standing is None:
            return Outcome(command.id, {}, "NOT_FOUND", "No bet of such a bucket has ended.")
        data = {"bucket": bucket.name, "model_id": bucket.model_id, "model_version": bucket.model_version}
        if commit.write("bucket_change_exists", command.id):
            return Outcome(command.id, data)
        if standing.is_open:
            return Outcome(command.id, data, "BUCKET_OPEN", f"The bucket {bucket.name} is open.")
        farthest = bucket.distance or self._horizon
        # The first column of which all bets of the bucket are still to be filled.
        since = commit.now_ms // (1000 * self._width_s) + farthest + 1
        self._record(commit, standing, command.id, command.who, command.why, standing_then="open")
        standing.open_again(since * self._width_s)
        commit.write("save_bucket", *standing.row())
        self._changed()
        return Outcome(command.id, data)

    def tell(self, metrics: Metrics) -> None:
        """Log what a commit that stands has changed, and measure the buckets of the model in use."""
        for sentence in self._untold:
            logger.warning("%s", sentence)
        self._untold = []
        if self._is_told:
            return
        self._is_told = True
        ours = [one for one in self._all.values() if one.bucket[:2] == self._model]
        for one in ours:
            metrics.set("taptrade_bucket_wealth", one.copier.wealth, one.bucket.name)
            if one.paid_back is not None:
                metrics.set("taptrade_bucket_return", one.paid_back, one.bucket.name)
        metrics.set("taptrade_buckets_closed", sum(not one.is_open for one in ours))

    def _of(self, bucket: Bucket, start_s: int) -> Standing:
        standing = self.known(bucket)
        if standing is None:
            standing = self._all[bucket] = Standing(bucket, start_s)
        return standing

    def _share(self, part: Part, distance: int) -> Part:
        """Return a part as one of those of all columns that a window has bets on.

        Their shares make one in all. Money that comes back sooner is worth more, so it goes to near columns first.
        """
        share = 1 / (distance + KNOWN_AFTER) / self._locked
        return Part(part.column, part.staked * share, part.returned * share)

    def _test(self, ended: int) -> Iterable[tuple[Bucket, Standing]]:
        """Copy all windows whose bets have ended, those on columns up to `ended`; yield whose test went on."""
        for bucket, standing in self._all.items():
            if standing.is_open and standing.copier.waiting:
                before = standing.copier.last_window
                standing.copier.copy_upto(ended - (bucket.distance or self._horizon), self._width_s)
                if standing.copier.last_window != before:
                    yield bucket, standing

    def _record(
        self, commit: Commit, standing: Standing, id_: str, who: str, why: str, *, standing_then: str = "closed"
    ) -> None:
        known = (standing.bets, standing.staked_cents, standing.paid_cents, standing.copier.wealth)
        content = (id_, *standing.bucket, standing_then, who, why, *known, commit.now_ms, commit.number)
        commit.write("insert_bucket_change", *content, commit.record("standing", *content))
        self._untold.append(f"bucket {standing.bucket.name} is {standing_then}, by {who}: {why}")
        self._changed()

    def _changed(self) -> None:
        self.closed = frozenset(bucket for bucket, standing in self._all.items() if not standing.is_open)
        self._is_told = False
