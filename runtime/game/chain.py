"""The hash chain over commits: any row changed, removed, added or moved later breaks it."""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from operator import attrgetter
from typing import Any
from zlib import crc32

GENESIS = "0" * 64
MARK_LENGTH = 8

_encode = json.JSONEncoder(separators=(",", ":"), ensure_ascii=True, allow_nan=False).encode


Encode = Callable[[list[Any]], bytes]


def encode(fields: list[Any]) -> bytes:
    """Return the canonical text of a list: what Python's json writes without spaces, in ASCII."""
    return _encode(fields).encode()


def record(kind: str, position: int, content: Iterable[Any], encode: Encode = encode) -> bytes:
    """Return the canonical text of one written row: a JSON array of its kind, its position and its fields.

    `encode` may be another than ours if it writes the same. What is None at the end is left out, so that a column that
    is added to a table changes no record of the rows from before it.
    """
    fields = [kind, position, *content]
    while fields[-1] is None:
        fields.pop()
    return encode(fields)


def house_text(house: dict[str, int]) -> str:
    """Return the house's totals by kind as canonical text; with the players' entries they sum to zero."""
    return _encode(dict(sorted(house.items())))


@dataclass(frozen=True, slots=True)
class Header:
    """What a commit says of itself: its number, time, the hash before it, and what it wrote."""

    number: int
    committed_ms: int
    previous_hash: str
    records: int
    house: str
    first_bet_seq: int | None
    last_bet_seq: int | None
    first_entry: str | None
    last_entry: str | None


_header_fields: Callable[[Header], tuple[Any, ...]] = attrgetter(*Header.__slots__)


def commit_hash(header: Header, records: Iterable[bytes]) -> str:
    """Return the hash of a commit: SHA-256 over its header and its records in order of position, a line each."""
    lines = [_encode(list(_header_fields(header))).encode(), *records]
    return hashlib.sha256(b"\n".join(lines)).hexdigest()


def marks(records: Iterable[bytes]) -> str:
    """Return a CRC-32 of each record, 8 hex digits each: enough to find the row that a broken hash is about."""
    sums = [*map(crc32, records)]
    return struct.pack(f">{len(sums)}I", *sums).hex()


def mark_at(text: str, position: int) -> str:
    """Return the mark of one position."""
    return text[position * MARK_LENGTH : (position + 1) * MARK_LENGTH]
