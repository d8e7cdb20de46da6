"""Roots over the heads of all shards, kept outside the database each second: a file a day, of the last days."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

import msgspec

from runtime.audit.findings import Finding
from runtime.audit.records import AUDIT
from runtime.game.merkle import root_of
from runtime.storage.database import Database

ROOTS_FOLDER = "roots"
DAYS_KEPT = 7
ROOTS_AT_ONCE = 500


class Root(msgspec.Struct, frozen=True):
    """Where the chains of all shards stood: the number of each one's newest commit, and the root over their hashes."""

    at_ms: int
    numbers: list[int]
    root: str


class Roots:
    """The files, as the one process that writes them sees them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._last: list[int] = []

    def keep(self, heads: Sequence[tuple[int, str]], now_ms: int) -> None:
        """Keep the root over heads, given as (number, hash) in the order of shards, unless they have not moved."""
        numbers = [number for number, _ in heads]
        if numbers == self._last:
            return
        self._folder.mkdir(exist_ok=True)
        file = self._folder / f"{datetime.fromtimestamp(now_ms / 1000, UTC):%Y-%m-%d}.jsonl"
        if not file.exists():
            for old in sorted(self._folder.glob("*.jsonl"))[: -DAYS_KEPT + 1]:
                old.unlink()
        root = Root(now_ms, numbers, root_of([head for _, head in heads]))
        with file.open("ab+") as kept:
            # What a crash left unfinished would spoil the line that is written behind it.
            if kept.tell() and not self._last:
                kept.seek(0)
                kept.truncate(kept.read().rfind(b"\n") + 1)
            kept.write(msgspec.json.encode(root) + b"\n")
            kept.flush()
            os.fdatasync(kept.fileno())
        self._last = numbers


def read_roots(folder: Path) -> Iterator[Root]:
    """Return the roots that are kept by now, oldest first; a line that is none was left unfinished by a crash."""
    texts = [file.read_bytes() for file in sorted(folder.glob("*.jsonl"))]
    return (msgspec.json.decode(line, type=Root) for text in texts for line in text.split(b"\n")[:-1])


def check_roots(database: Database, roots: Iterator[Root]) -> Iterator[Finding]:
    """Yield a finding for each kept root that the chains do not lead to any more.

    `database` reads about all shards, of a state from after the roots were read: a later root names later commits.
    """
    while some := list(islice(roots, ROOTS_AT_ONCE)):
        wanted = sorted({number for one in some for number in one.numbers})
        hashes: dict[int, str] = dict(database.execute(AUDIT["hashes_of"], (msgspec.json.encode(wanted).decode(),)))
        for one in some:
            heads = [hashes.get(number) for number in one.numbers]
            if None in heads or root_of([head for head in heads if head is not None]) != one.root:
                yield Finding("commits", str(one.numbers), f"the root kept at {one.at_ms} is not that of these commits")
