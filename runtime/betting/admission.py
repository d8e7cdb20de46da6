"""Admission control of one API process: a bet that could not be answered soon is refused before it costs anything.

Past capacity bets would pile up here, as requests whose greenlets have not run and as bets that wait for their commit.
"""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from runtime.errors import Unavailable

LOOK_EVERY_S = 0.05
WAIT_S = 0.5
"""How long a bet that is let in should wait for its answer at most, beside the fill delay; and before it is let in."""
PACE_S = 2.0
"""How long back the pace of answers is measured."""
PACE_LEAST = 1_000
"""Bets a second that are always believed: whoever was idle, or has just started, has no pace to go by.

They are the house's. Of several workers, which all wait for one writer, each believes its share.
"""
LAG_S_MAX = 0.25
"""How late the event loop may be twice in a row: what it has not come to has waited as long, and nobody has counted it.

Once is a burst or a pause of the machine, after which everybody is answered soon.
"""
RETRY_AFTER_S = 1


class AdmissionControl:
    """Know how many bets are inside and how many may be; `with admission:` is one bet's stay."""

    def __init__(self, fill_delay_s: float, now_s: Callable[[], float] = time.monotonic, *, workers: int = 1) -> None:
        self._pace_least = PACE_LEAST / workers
        self._stay_s = WAIT_S + fill_delay_s
        self._now_s = now_s
        self._looks: deque[tuple[float, int]] = deque()
        self._look_due_s = math.inf
        self._was_late = False
        self.bets = 0
        self.bets_max = int(self._pace_least * self._stay_s)

    def __enter__(self) -> None:
        # Asked again: since the guard, the request may have waited for its session while others came in.
        self.guard()
        self.bets += 1

    def __exit__(self, *_error: object) -> None:
        self.bets -= 1

    @contextmanager
    def inside(self, bets: int) -> Iterator[None]:
        """Stay of as many bets as come in one request."""
        with self:
            self.bets += bets - 1
            try:
                yield
            finally:
                self.bets -= bets - 1

    def look(self, answered: int) -> None:
        """Measure the pace by the count of answers so far; to be called every LOOK_EVERY_S by the event loop."""
        now_s = self._now_s()
        self._was_late = self._is_late(now_s)
        self._look_due_s = now_s + LOOK_EVERY_S
        looks = self._looks
        looks.append((now_s, answered))
        while len(looks) > 1 and looks[1][0] <= now_s - PACE_S:
            looks.popleft()
        first_s, before = looks[0]
        # Over less than PACE_S only right after the start; a few answers that came together are no pace yet.
        pace = (answered - before) / max(now_s - first_s, PACE_S)
        self.bets_max = int(max(pace, self._pace_least) * self._stay_s)

    def guard(self) -> None:
        """Raise Unavailable unless another bet would be answered soon."""
        if self.bets >= self.bets_max or (self._was_late and self._is_late(self._now_s())):
            raise overloaded()

    def _is_late(self, now_s: float) -> bool:
        return now_s - self._look_due_s > LAG_S_MAX

    def refuse_late(self, started: str | None, received_ms: int) -> None:
        """Raise Unavailable if a request has waited too long in front of this process, by `X-Request-Start`.

        Whoever sends a false one only has itself refused, and nginx puts its own in its place.
        """
        if started is None or not started.startswith("t="):
            return
        try:
            waited_s = received_ms / 1000 - float(started[2:])
        except ValueError:
            return
        if waited_s > WAIT_S:
            raise overloaded()


def overloaded() -> Unavailable:
    """Return the refusal of a bet that is not admitted, here or in the writer's queue."""
    return Unavailable("Too many bets are waiting.", code="OVERLOADED", retry_after_s=RETRY_AFTER_S)
