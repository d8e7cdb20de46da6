"""Login messages for tests: good ones, and good ones with something replaced."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from runtime.addresses import to_checksum_address
from runtime.auth.signatures import address_of, sign
from runtime.auth.siwe import SESSION_KEY_URN, SiweMessage
from runtime.clock import rfc3339

KEY = b"\x11" * 32
WALLET = address_of(KEY)
SESSION_KEY = address_of(b"\x22" * 32)
DOMAIN = "127.0.0.1:8000"
NOW_MS = 1_790_000_000_000


def message(now_ms: int = NOW_MS, **changed: Any) -> SiweMessage:
    """Return a message that a login accepts, with some fields changed."""
    good = SiweMessage(
        domain=DOMAIN,
        address=to_checksum_address(WALLET),
        statement="Sign in to Tap Trading.",
        uri=f"http://{DOMAIN}",
        chain_id=1,
        nonce="abcd1234EFGH",
        issued_at=rfc3339(now_ms),
    )
    return replace(good, **changed)


def delegating(now_ms: int = NOW_MS, **changed: Any) -> SiweMessage:
    """Return a message that delegates SESSION_KEY."""
    return message(now_ms, resources=(SESSION_KEY_URN + SESSION_KEY,), **changed)


def signed(text: str, key: bytes = KEY) -> tuple[str, str]:
    """Return a text and its signature, as a login takes them."""
    return text, sign(text.encode("utf-8", "surrogatepass"), key)
