"""What the writers of several shards share, each asked for on the connection that the writer commits by.

It must be that one: what is asked for here and what is then committed lie in one log, in this order.
"""

from __future__ import annotations

from collections.abc import Mapping

from runtime.game.limits import RiskLimits
from runtime.postgresql.arrays import numbers, texts
from runtime.postgresql.connection import PostgresDatabase
from runtime.postgresql.translation import OWN


class House:
    """The house, as the writer of one of its shards sees it."""

    def __init__(self, database: PostgresDatabase) -> None:
        self._database = database
        self.shards = database.shards or 1

    def leases(self) -> dict[str, int]:
        """Return what is lent to the shard, by scope, in cents."""
        return dict(self._database.execute(OWN["leases"], (self._database.shard,)))

    def lease(self, wanted: Mapping[str, int], risk: RiskLimits) -> dict[str, int]:
        """Bring leases to what is wanted, or as near as the limits allow; return what they are then.

        Raise AnotherWrites where the writer's epoch is over.
        """
        shard, cents = self._database.shard, [*wanted.values()]
        most = [risk.most_cents(scope) for scope in wanted]
        _, granted = self._database.unhurried(
            [
                (OWN["still_in_epoch"], (shard, self._database.epoch)),
                (OWN["lease"], (shard, texts([*wanted]), numbers(cents), numbers(most))),
            ]
        )
        return dict(granted)

    def forget_leases(self, before_s: int) -> None:
        """Forget what is lent to nobody of columns that start before a second."""
        self._database.execute(OWN["forget_leases"], (before_s,))

    def evidence_of(self, start_s: int, offered: bytes) -> bytes:
        """Return what decided a column in this house, as it was first said; it is on the disk by then."""
        return str(self._database.execute(OWN["evidence_of"], (start_s, offered.decode()))[0][0]).encode()
