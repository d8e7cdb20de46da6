"""Walk the hash chain again and say which row does not fit."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from itertools import groupby

from runtime.audit.findings import Finding
from runtime.audit.records import AUDIT, OutOfOrder, Record, Walker, walk
from runtime.game import chain
from runtime.game.cuts import Cut


def check_chain(
    database: Walker, cut: Cut, progress: Callable[[int], None], begins_after: int = 0
) -> Iterator[Finding]:
    """Yield what is wrong with the chain; `progress` is told the number of each commit that was walked.

    Rows of commits up to the cut's last may lie in an archive; those that are here must still be what was written.
    """
    try:
        found = list(_check(database, cut, walk(database), progress, begins_after))
    except OutOfOrder:
        # A row says that it was written elsewhere; which one it is shows once all are sorted.
        found = list(_check(database, cut, walk(database, sort=True), progress, begins_after))
    yield from found


def _check(
    database: Walker, cut: Cut, written: Iterator[Record], progress: Callable[[int], None], begins_after: int
) -> Iterator[Finding]:
    groups = groupby(written, key=lambda record: record.commit)
    current = next(groups, None)
    first = begins_after + 1 if cut.week is None else cut.cut_commit + 1
    previous_hash, expected = (chain.GENESIS if first == begins_after + 1 else cut.cut_hash), first
    for row in database.iterate(AUDIT["commits"]):
        header, stored_hash, marks = chain.Header(*row[:9]), row[9], row[10]
        while current is not None and current[0] < header.number:
            if cut.week is None or current[0] >= first:
                yield from _orphans(list(current[1]))
            current = next(groups, None)
        records: list[Record] = []
        if current is not None and current[0] == header.number:
            records = list(current[1])
            current = next(groups, None)
        if header.number != expected:
            yield Finding("commits", str(expected), f"commits {expected} to {header.number - 1} are missing")
        elif header.previous_hash != previous_hash:
            yield Finding("commits", str(header.number), "it does not follow from the commit before it")
        if header.number == cut.cut_commit and stored_hash != cut.cut_hash:
            yield Finding("cut", str(header.number), "the hash of the cut is not that of its commit")
        if header.number > cut.last_commit:
            yield from _check_commit(header, stored_hash, marks, records)
        else:
            yield from _wrong_rows(header, marks, records, complete=False)
        previous_hash, expected = stored_hash, header.number + 1
        progress(header.number)
    while current is not None:
        yield from _orphans(list(current[1]))
        current = next(groups, None)


def _orphans(records: list[Record]) -> Iterator[Finding]:
    for record in records:
        yield Finding(record.table, record.row, f"it names commit {record.commit}, which is not there")


def _check_commit(header: chain.Header, stored_hash: str, marks: str, records: list[Record]) -> Iterator[Finding]:
    if chain.commit_hash(header, [record.line for record in records]) == stored_hash:
        return
    found = list(_wrong_rows(header, marks, records))
    yield from found or [Finding("commits", str(header.number), "its own row was changed")]


def _wrong_rows(header: chain.Header, marks: str, records: list[Record], *, complete: bool = True) -> Iterator[Finding]:
    by_position: dict[int, list[Record]] = {}
    for record in records:
        by_position.setdefault(record.position, []).append(record)
    for position in range(max(header.records, len(marks) // chain.MARK_LENGTH)):
        mark = chain.mark_at(marks, position)
        rows = by_position.pop(position, [])
        fitting = [record for record in rows if chain.marks([record.line]) == mark]
        if complete and not rows:
            yield Finding("commits", str(header.number), f"the row at position {position} of it is missing")
        for record in rows:
            if record not in fitting:
                yield Finding(record.table, record.row, f"it is not what commit {header.number} wrote")
    for rows in by_position.values():
        for record in rows:
            yield Finding(
                record.table, record.row, f"commit {header.number} wrote no row at position {record.position}"
            )


def house_totals(database: Walker, after_commit: int) -> dict[str, int]:
    """Return what the commits after one say the house gained, by kind of entry."""
    totals: dict[str, int] = {}
    for number, text in database.iterate(AUDIT["house"]):
        if number <= after_commit:
            continue
        for kind, cents in json.loads(text).items():
            totals[kind] = totals.get(kind, 0) + cents
    return totals
