"""When a signature counts: refusals that say how far the signer's clock is off, each with the server's time."""

from __future__ import annotations

from runtime.auth.bet_text import WINDOW_FUTURE_S, WINDOW_PAST_S, is_within
from runtime.clock import rfc3339
from runtime.errors import SignatureExpired


def check_time(
    what: str, signed_ms: int, now_ms: int, *, past_s: int = WINDOW_PAST_S, future_s: int = WINDOW_FUTURE_S
) -> None:
    """Raise SignatureExpired unless `signed_ms` lies within the window around now; `what` names the field."""
    age_ms = now_ms - signed_ms
    if is_within(age_ms, past_s, future_s):
        return
    seconds = f"{abs(age_ms) // 1000}.{abs(age_ms) % 1000:03d} s {'behind' if age_ms > 0 else 'ahead of'}"
    raise SignatureExpired(
        f"{what} is {seconds} the server's clock, which shows {rfc3339(now_ms)};"
        f" at most {past_s} s behind and {future_s} s ahead are taken.",
        server_time_ms=now_ms,
    )


def before_memory(what: str, now_ms: int) -> SignatureExpired:
    """Return the refusal of what an empty Redis, which has forgotten the nonces before it, may have seen already."""
    return SignatureExpired(
        f"{what} was signed before the server's memory of nonces began; sign it again.", server_time_ms=now_ms
    )
