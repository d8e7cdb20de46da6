"""What a week's file holds, counted and summed up: a row of the file itself, and a JSON beside where it is stored."""

from __future__ import annotations

import msgspec

from runtime.game.cuts import Cut


class BucketSum(msgspec.Struct, frozen=True):
    """What the bets of a bucket that are let go of add to its counts, as long as it counts from `since_s` on."""

    model_id: str
    model_version: str
    rate_from_bp: int
    distance: int
    since_s: int
    bets: int
    staked_cents: int
    paid_cents: int


class Content(msgspec.Struct, frozen=True):
    """The rows that commits from `first_commit` to `last_commit` wrote, as they stood after the last of them.

    What is `cut` counts rows of commits up to `cut_commit`: the live database lets go of these, and of no others.
    """

    week: str
    first_commit: int
    cut_commit: int
    last_commit: int
    cut_seq: int
    cut_entry: str
    previous_hash: str
    cut_hash: str
    last_hash: str
    commits: int
    bets: int
    bets_by_status: dict[str, int]
    staked_cents: int
    paid_cents: int
    entries: int
    cents_by_kind: dict[str, int]
    cut_bets: int
    cut_entries: int
    cut_cents: int
    buckets: list[BucketSum]

    @property
    def cut(self) -> Cut:
        """Return where the live database, and the next week's file, begin after it."""
        return Cut(self.cut_commit, self.last_commit, self.cut_seq, self.cut_entry, self.cut_hash, None)


class Manifest(msgspec.Struct, frozen=True, omit_defaults=True):
    """A week's file and the object that it is stored as, compressed; its index is the end of that object."""

    content: Content
    file: str
    file_bytes: int
    sha256: str
    stored_bytes: int
    stored_sha256: str
    index_bytes: int = 0
    """0 where the object has none: archives of before."""
    index_sha256: str = ""

    def text(self) -> str:
        """Return it as JSON; the same manifest is the same text."""
        return msgspec.json.encode(self).decode()

    @classmethod
    def of(cls, data: str) -> Manifest:
        """Read it; raise msgspec.MsgspecError for anything else."""
        return msgspec.json.decode(data, type=cls)
