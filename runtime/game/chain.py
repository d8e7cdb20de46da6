"""The hash chain over commits: any row changed, removed, added or moved later breaks it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from typing import Any

GENESIS = "0" * 64

_encode = json.JSONEncoder(separators=(",", ":"), ensure_ascii=True, allow_nan=False).encode


def record(kind: str, place: int, content: Iterable[Any]) -> bytes:
    """Return the canonical text of one written row: a JSON array of its kind, its place and its fields."""
    return _encode([kind, place, *content]).encode()


def house_text(house: dict[str, int]) -> str:
    """Return the house's totals by kind as canonical text; with the players' entries they sum to zero."""
    return _encode(dict(sorted(house.items())))


def commit_hash(previous_hash: str, number: int, committed_ms: int, house: str, records: list[bytes]) -> str:
    """Return the hash of a commit: SHA-256 over the hash before, its header and its records in order of place."""
    digest = hashlib.sha256(f"{previous_hash}\n{number}\n{committed_ms}\n{house}\n".encode())
    for line in records:
        digest.update(line)
        digest.update(b"\n")
    return digest.hexdigest()
