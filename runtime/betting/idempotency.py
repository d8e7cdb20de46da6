"""Idempotency-Key: which key a request carries and the hash of what came with it."""

from __future__ import annotations

import hashlib
from typing import Annotated

import msgspec

from runtime.errors import InvalidRequest, Unprocessable
from runtime.game.ledger import SQL
from runtime.messaging.commands import Idempotency, Outcome
from runtime.storage.read_pool import ReadPool
from runtime.web.declaration import Header

KEY_LENGTH_MAX = 200
CAME_BEFORE = "The Idempotency-Key came with another body before. That was carried out; nothing was done now."
KEYS_KEPT_MS = 24 * 3600 * 1000


IDEMPOTENCY_KEY = Header(
    "Idempotency-Key",
    "The same key with the same body is answered once more and not done once more, for 24 hours.",
    Annotated[str, msgspec.Meta(min_length=1, max_length=KEY_LENGTH_MAX, pattern="^[ -~]+$")],
)


def idempotency_of(key: str | None, route: str, body: msgspec.Struct) -> Idempotency | None:
    """Return the key with the hash of the decoded body, so that white space does not matter; None without a key."""
    if key is None:
        return None
    if not key.isascii() or not key.isprintable() or not 1 <= len(key) <= KEY_LENGTH_MAX:
        raise InvalidRequest("The Idempotency-Key must be 1 to 200 printable characters.", field="Idempotency-Key")
    digest = hashlib.sha256(msgspec.json.encode(body, order="deterministic")).hexdigest()
    return Idempotency(route, key, digest)


def stored_answer(pool: ReadPool, user_id: str, key: Idempotency | None, now_ms: int) -> Outcome | None:
    """Return what the key was answered before; raise Unprocessable if it came with another body then."""
    if key is None:
        return None
    rows = pool.execute(SQL["idempotency_key"], (user_id, key.route, key.key, now_ms - KEYS_KEPT_MS))
    if not rows:
        return None
    body_hash, answer = rows[0]
    if body_hash != key.body_hash:
        raise Unprocessable(CAME_BEFORE, code="IDEMPOTENCY_KEY_REUSED")
    return msgspec.json.decode(answer, type=Outcome)
