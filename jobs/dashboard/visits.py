"""Who has signed in: tokens of a bounded life for whoever knows the key, and a bound on guesses at it."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
from collections.abc import Callable

from runtime.clock import Clock

LIFE_MS = 12 * 3600 * 1000
VISITS_MAX = 32
"""Of more the oldest ends."""
GUESSES_MAX = 10
GUESSES_WITHIN_MS = 60_000


class TooManyGuesses(Exception):
    """So many keys were wrong that none is looked at for a while."""

    def __init__(self, retry_after_s: int) -> None:
        super().__init__(f"too many wrong keys; try again in {retry_after_s} s")
        self.retry_after_s = retry_after_s


class Visits:
    """The signed-in browsers of one process; they end with it."""

    def __init__(self, key: str, clock: Clock, *, random_token: Callable[[int], str] = secrets.token_urlsafe) -> None:
        self._key = _digest(key)
        self._clock = clock
        self._random_token = random_token
        self._lock = threading.Lock()
        self._ends_ms: dict[bytes, int] = {}
        self._guesses = 0
        self._guessing_since_ms = 0

    def begin(self, key: str) -> str | None:
        """Return a new token if the key is right, None if it is wrong; raise TooManyGuesses after many wrong ones."""
        with self._lock:
            now_ms = self._clock.monotonic_ms()
            self._refuse_many(now_ms)
            if not hmac.compare_digest(_digest(key), self._key):
                self._guesses += 1
                return None
            token = self._random_token(32)
            while len(self._ends_ms) >= VISITS_MAX:
                del self._ends_ms[next(iter(self._ends_ms))]
            self._ends_ms[_digest(token)] = now_ms + LIFE_MS
            return token

    def knows(self, token: str) -> bool:
        """Tell whether a token was given out and still counts."""
        with self._lock:
            return self._ends_ms.get(_digest(token), 0) > self._clock.monotonic_ms()

    def _refuse_many(self, now_ms: int) -> None:
        passed_ms = now_ms - self._guessing_since_ms
        if self._guesses == 0 or passed_ms >= GUESSES_WITHIN_MS:
            self._guesses, self._guessing_since_ms = 0, now_ms
        elif self._guesses >= GUESSES_MAX:
            raise TooManyGuesses(-(-(GUESSES_WITHIN_MS - passed_ms) // 1000))


def _digest(text: str) -> bytes:
    # Texts of any length become one length, so a comparison tells nothing of theirs; a lone surrogate has no bytes.
    return hashlib.sha256(text.encode(errors="surrogatepass")).digest()
