"""Heads of the hash chain, kept outside the database: who cuts the chain's end off cannot take them along."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from runtime.audit.findings import Finding
from runtime.audit.records import AUDIT
from runtime.clock import Clock
from runtime.errors import TaptradeError
from runtime.storage.database import Database

HEADS_FILE = "heads.jsonl"


class Head(msgspec.Struct, frozen=True):
    """Where the hash chain stood; a ledger that was cut or changed later no longer leads to it."""

    at_ms: int
    commit: int
    hash: str


class HeadsUnreadable(TaptradeError):
    """The heads that were kept cannot be read."""


def newest_head(database: Database) -> tuple[int, str] | None:
    """Return number and hash of the newest commit, None where nothing was committed yet."""
    rows = database.execute(AUDIT["newest_head"])
    return (rows[0][0], rows[0][1]) if rows else None


def keep_head(reader: Database, file: Path, clock: Clock) -> Head | None:
    """Append the newest commit's hash to `file`; return it, or None where nothing was committed yet."""
    newest = newest_head(reader)
    if newest is None:
        return None
    head = Head(clock.now_ms(), *newest)
    with file.open("ab+") as heads:
        heads.seek(0)
        # What a crash left unfinished would spoil the line that is written behind it.
        heads.truncate(heads.read().rfind(b"\n") + 1)
        heads.write(msgspec.json.encode(head) + b"\n")
        heads.flush()
        os.fsync(heads.fileno())
    return head


def read_heads(file: Path) -> list[Head]:
    """Read the heads that were kept; a line that a crash left unfinished at the end is none.

    Raise HeadsUnreadable that names the file, and the line that is no head.
    """
    try:
        lines = file.read_bytes().split(b"\n")
    except FileNotFoundError:
        return []
    except OSError as ex:
        raise HeadsUnreadable(f"{file}: {ex.strerror}") from ex
    heads = []
    for number, line in enumerate(lines[:-1], 1):
        try:
            heads += [msgspec.json.decode(line, type=Head)] if line else []
        except msgspec.DecodeError as ex:
            raise HeadsUnreadable(f"{file}:{number}: is no head of the hash chain: {ex}") from ex
    return heads


def check_heads(database: Database, heads: Iterable[Head]) -> Iterator[Finding]:
    """Yield a finding for each kept head that the chain does not lead to any more."""
    for head in heads:
        rows = database.execute(AUDIT["commit_hash"], (head.commit,))
        if not rows:
            yield Finding(
                "commits", str(head.commit), "it was there when its head was kept; the chain's end was cut off"
            )
        elif rows[0][0] != head.hash:
            yield Finding("commits", str(head.commit), "its hash is not the one that was kept; the chain was rewritten")
