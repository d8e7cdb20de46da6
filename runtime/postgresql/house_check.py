"""Whether what the house has once is whole and fits its shards: names, leases, and what decided columns."""

from __future__ import annotations

from collections.abc import Iterator

from runtime.postgresql.pages import broken_pages
from runtime.postgresql.translation import OWN
from runtime.storage.connection import Database

Fault = tuple[str, str, str]
"""Table, row, and what is wrong with it."""


def faults_of_house(whole: Database) -> Iterator[Fault]:
    """Yield what does not fit; `whole` reads about all shards, from one state of the database."""
    for kind, name, shard in whole.iterate(OWN["unclaimed"]):
        yield "names", f"{kind} {name}", f"shard {shard} uses it, and it is not that shard's"
    for scope, granted, most, lent in whole.iterate(OWN["wrong_exposure"]):
        yield "exposure", scope, f"{granted} of {most} cents are lent out, and the leases are {lent}"
    for shard, scope, cents, granted in whole.iterate(OWN["overdrawn"]):
        yield "leases", f"{shard} {scope}", f"open bets may pay {cents} cents, and {granted} were lent for them"
    yield from broken_pages(whole)


def faults_of_evidence(ledger: Database) -> Iterator[Fault]:
    """Yield the columns of one shard that were decided otherwise than the house says."""
    for (start_s,) in ledger.iterate(OWN["decided_otherwise"]):
        yield "columns", str(start_s), "it is not what decided the column for the house"


def heads(whole: Database) -> list[tuple[int, str]] | None:
    """Return number and hash of each shard's newest commit; None while one has made none."""
    found = [(number, head) for number, head in whole.execute(OWN["heads"])]
    return None if any(head is None for _, head in found) else found
