"""What a program does over a line that breaks, as steps that a blocking and an awaiting client carry out alike.

Steps are a generator: it yields what is to be done next, gets the answer, or has the failure thrown into it.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any, TypeAlias

import httpx

from runtime.clock import Clock
from taptrade.client.calls import Call, T
from taptrade.client.problems import ApiError, NoAnswerError

PAUSE_S = 0.5
PAUSE_S_MAX = 8.0
OUTAGE_MS = 60_000
TRY_AGAIN = frozenset({"PRICE_FEED_STALE", "OVERLOADED", "UNAVAILABLE", "RATE_LIMITED"})
ENDED = "UNAUTHENTICATED"


@dataclass(frozen=True, slots=True)
class Pause:
    """Wait, and say why."""

    seconds: float
    why: str


@dataclass(frozen=True, slots=True)
class SignIn:
    """Sign in anew: the session has ended."""


Steps: TypeAlias = Generator[Call[Any] | Pause | SignIn, Any, T]


def carry_out(steps: Steps[T], do: Callable[[Call[Any] | Pause | SignIn], Any]) -> T:
    """Do one step after the other, blocking, and return what they come to."""
    try:
        step = next(steps)
        while True:
            try:
                answer = do(step)
            except (ApiError, httpx.TransportError) as ex:
                step = steps.throw(ex)
            else:
                step = steps.send(answer)
    except StopIteration as end:
        value: T = end.value
        return value


def delay_s(ex: ApiError) -> float | None:
    """Return after how long the very same request may be answered otherwise; None: never, whatever the wait."""
    # 502 and 504 are a proxy's: the API behind it is restarting.
    if ex.code in TRY_AGAIN or ex.status in {httpx.codes.TOO_MANY_REQUESTS, 502, 503, 504}:
        return ex.retry_after_s or PAUSE_S
    return None


def wait_after(ex: ApiError) -> Steps[None]:
    """Wait until what was refused may be sent again; raise what no waiting mends."""
    underway = ex.code == "REPLAYED_NONCE"
    again_s = PAUSE_S if underway or ex.code == ENDED else delay_s(ex)
    if again_s is None:
        raise ex
    if ex.code == ENDED:
        yield SignIn()
    yield Pause(again_s, str(ex))


def sent(call: Call[T]) -> Steps[T]:
    """Send one call, once."""
    answer: T = yield call
    return answer


def insist(call: Call[T], clock: Clock, outage_ms: int = OUTAGE_MS) -> Steps[T]:
    """Repeat a call that may be repeated until it is answered; raise the refusals that waiting cannot mend.

    Raise NoAnswerError when nothing else came for `outage_ms`.
    """
    give_up_ms, pause_s, renewals = clock.monotonic_ms() + outage_ms, PAUSE_S, 0
    while True:
        try:
            return (yield from sent(call))
        except httpx.TransportError as ex:
            wait_s, why = jittered(pause_s), told(ex)
        except ApiError as ex:
            # A session that ends again and again is no reason to sign in without a pause.
            again_s = pause_s * bool(renewals) if ex.code == ENDED else delay_s(ex)
            if again_s is None:
                raise
            wait_s, why = again_s, str(ex)
            if ex.code == ENDED:
                renewals += 1
                yield SignIn()
        if clock.monotonic_ms() > give_up_ms:
            raise NoAnswerError(f"no answer for {outage_ms // 1000} s ({why})")
        if wait_s:
            yield Pause(wait_s, why)
        pause_s = min(2 * pause_s, PAUSE_S_MAX)


def told(ex: httpx.TransportError) -> str:
    """Say where nothing came from, and why."""
    return f"{type(ex).__name__} at {ex.request.url.copy_with(query=None)}: {ex}"


def jittered(seconds: float) -> float:
    """Return a wait between half of it and all of it, so that those who lost a server do not come back at once."""
    return seconds * random.uniform(0.5, 1.0)  # noqa: S311 - spreads waits, guards nothing
