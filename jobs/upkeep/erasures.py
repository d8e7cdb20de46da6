"""Erasures kept in the archive store: what brings an older database back must know of them, whatever else is lost."""

from __future__ import annotations

import tempfile
from pathlib import Path

import msgspec

from jobs.upkeep.archive_store import ArchiveStore, StoreFailed
from runtime.personal.erased import Erased

PREFIX = "erasure-"


def store_erasure(store: ArchiveStore, one: Erased) -> str:
    """Put an erasure into the store under the account's id; return its name. What is there already stays."""
    name = f"{PREFIX}{one.user_id}.json"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, name)
        path.write_bytes(msgspec.json.encode(one) + b"\n")
        store.put(name, path)
    return name


def stored_erasures(store: ArchiveStore) -> list[Erased]:
    """Return the erasures of a store; raise StoreFailed if it cannot be read."""
    found = []
    for name in store.names(PREFIX):
        try:
            found.append(msgspec.json.decode(b"".join(store.read(name)), type=Erased))
        except msgspec.DecodeError as ex:
            raise StoreFailed(f"{name} is no erasure: {ex}") from ex
    return found
