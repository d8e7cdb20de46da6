"""Signatures of webhooks, as Standard Webhooks has them: an HMAC-SHA256 over id, time and body (version `v1`)."""

from __future__ import annotations

import hashlib
import hmac
from base64 import b64decode, b64encode

PREFIX = "whsec_"
"""What a secret begins with; the rest is the key in Base64."""


def headers_of(message_id: str, timestamp_s: int, body: bytes, secret: str) -> dict[str, str]:
    """Return the header fields of one attempt; the id is the same with each of them, the time is not."""
    signed = b".".join((message_id.encode(), str(timestamp_s).encode(), body))
    digest = hmac.new(b64decode(secret.removeprefix(PREFIX)), signed, hashlib.sha256).digest()
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp_s),
        "webhook-signature": f"v1,{b64encode(digest).decode()}",
    }
