"""One hash over the heads of several chains, as RFC 6962 makes it of leaves: who has it can tell if any was changed."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence


def root_of(heads: Sequence[str]) -> str:
    """Return the root over the heads of all shards in their order, each a hash in hex; of one head, its leaf."""
    level = [hashlib.sha256(b"\x00" + bytes.fromhex(head)).digest() for head in heads]
    while len(level) > 1:
        # The last of an odd number goes up as it is. Leaves and nodes begin otherwise: neither stands for the other.
        pairs = [level[at : at + 2] for at in range(0, len(level), 2)]
        level = [hashlib.sha256(b"\x01" + b"".join(pair)).digest() if len(pair) == 2 else pair[0] for pair in pairs]
    return level[0].hex()
