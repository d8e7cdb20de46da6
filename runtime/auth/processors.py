"""The payment processors' signature: HMAC-SHA256 over method, path, time and the body's exact bytes."""

from __future__ import annotations

import hashlib
import hmac

from runtime.auth.windows import check_time
from runtime.errors import InvalidSignature

WINDOW_S = 30
TIMESTAMP_HEADER = "X-Taptrade-Timestamp"
SIGNATURE_HEADER = "X-Taptrade-Signature"
TIMESTAMP_DIGITS_MAX = 12


def processor_signature(secret: str, method: str, path: str, timestamp: str, body: bytes) -> str:
    """Return the signature of a request: 64 hex digits; `timestamp` are Unix seconds as they stand in the header."""
    text = f"{method}\n{path}\n{timestamp}\n".encode() + body
    return hmac.new(secret.encode(), text, hashlib.sha256).hexdigest()


def check_processor(
    secret: str, method: str, path: str, timestamp: str | None, signature: str | None, body: bytes, now_ms: int
) -> None:
    """Raise unless the request was signed with the secret within the last or next 30 s.

    A request that is sent twice within that time is not refused here: its reference makes it happen once.
    """
    if timestamp is None or signature is None:
        raise InvalidSignature(f"Send {TIMESTAMP_HEADER} and {SIGNATURE_HEADER}.")
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= TIMESTAMP_DIGITS_MAX):
        raise InvalidSignature(f"{TIMESTAMP_HEADER} must be Unix seconds.")
    expected = processor_signature(secret, method, path, timestamp, body)
    if not hmac.compare_digest(expected.encode(), signature.lower().encode()):
        raise InvalidSignature("The signature does not fit this method, path, time and body.")
    check_time(TIMESTAMP_HEADER, int(timestamp) * 1000, now_ms, past_s=WINDOW_S, future_s=WINDOW_S)
