"""A house of several ledgers, its shards: they count from 1, and a number of a row says which of them wrote it.

Commits, bets and accounts of a shard are numbered behind those that the shards before it can ever have. So entries,
events and places in a chain are unique in the house, and whoever has one knows where to look.
"""

from __future__ import annotations

SHARD_BITS = 40
"""A million millions of commits a shard. With the shard's own bits they fit into the 48 of an entry's id."""
SHARDS_MAX = 64


def begins_after(shard: int) -> int:
    """Return the number that a shard's first commit, bet and account come behind."""
    return (shard - 1) << SHARD_BITS


def shard_of(number: int) -> int:
    """Return the shard of a commit, of a bet or of an account, by its number."""
    return (number >> SHARD_BITS) + 1
