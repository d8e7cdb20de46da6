"""When a signature counts: refusals that say how far the signer's clock is off, each with the server's time."""

from __future__ import annotations

from runtime.auth.bet_text import WINDOW_FUTURE_S, WINDOW_PAST_S, is_within
from runtime.clock import rfc3339
from runtime.errors import SignatureExpired, Unavailable


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


def before_memory(what: str, since_s: str, now_ms: int) -> SignatureExpired | Unavailable:
    """Return the refusal of what was signed before an epoch, whose nonces Redis may have forgotten.

    It begins some seconds ahead where a clock that is fast may have dated signatures ahead; until then none counts.
    """
    wait_s = int(since_s) + 1 - now_ms // 1000
    if wait_s > 1:
        return Unavailable("Redis has just been replaced; sign again in some seconds.", retry_after_s=wait_s)
    return SignatureExpired(
        f"{what} was signed before the server's memory of nonces began; sign it again.", server_time_ms=now_ms
    )
