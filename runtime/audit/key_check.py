"""Whether the keys of players, and what they are found by, are as they should be: there, or gone for the forgotten."""

from __future__ import annotations

from collections.abc import Iterator

from runtime.audit.findings import Finding
from runtime.audit.records import AUDIT, Walker


def check_keys(database: Walker) -> Iterator[Finding]:
    """Yield the accounts that could not be opened any more, or that were forgotten and still can be."""
    for user_id, forgotten in database.iterate(AUDIT["keys_that_are_wrong"]):
        if forgotten:
            yield Finding("erasures", user_id, "the player was forgotten, but a key or a name of theirs is still there")
        else:
            yield Finding("player_keys", user_id, "the key of what is sealed is not there, or the wallet is gone")
    for table, row_id, name, said, key, key_said in database.iterate(AUDIT["names"]):
        if (name, key) != (said, key_said):
            yield Finding(table, row_id, "it is found by another wallet or key than its commit wrote")
