"""Whether what was let go of is carried on: the cut against the archives, the balances against what these hold."""

from __future__ import annotations

from collections.abc import Iterator

from runtime.archive.manifest import Manifest
from runtime.audit.findings import Finding
from runtime.audit.records import AUDIT, Walker
from runtime.game.chain import GENESIS
from runtime.game.cuts import Cut
from runtime.game.ledger import SQL

NOTHING_ARCHIVED = Cut(0, 0, 0, "", GENESIS, None)


def read_cut(database: Walker) -> Cut:
    """Return where a database begins."""
    for row in database.iterate(SQL["cut"]):
        return Cut(*row)
    return NOTHING_ARCHIVED


def manifests(database: Walker) -> list[Manifest]:
    """Return what is recorded of the archives, oldest first."""
    return [Manifest.of(text) for _, text in database.iterate(AUDIT["archives"])]


def check_cut(database: Walker, cut: Cut, recorded: list[Manifest]) -> Iterator[Finding]:
    """Yield where a live database's cut and opening balances differ from what its archives hold."""
    expected = recorded[-1].content.cut if recorded else NOTHING_ARCHIVED
    if cut != expected:
        yield Finding("cut", str(cut.cut_commit), f"the archives were cut after commit {expected.cut_commit}")
    for newest in database.iterate(AUDIT["newest_archive"]):
        cut_commit, last_commit, cut_seq, cut_entry, cut_hash = newest
        if Cut(cut_commit, last_commit, cut_seq, cut_entry, cut_hash, None) != expected:
            yield Finding("archives", str(newest[0]), "its manifest names another cut than its row")
    for bets, entries in database.iterate(SQL["has_archived_rows"]):
        if bets or entries:
            return  # being let go of: the sums are those of what is gone so far
    cents = entries = 0
    for _, balance, number, _, _ in database.iterate(AUDIT["opening_balances"]):
        cents, entries = cents + balance, entries + number
    held = (sum(one.content.cut_cents for one in recorded), sum(one.content.cut_entries for one in recorded))
    if (cents, entries) != held:
        sentence = f"they carry on {cents} cents of {entries} entries, but the archives hold {held[0]} of {held[1]}"
        yield Finding("opening_balances", "sum", sentence)
