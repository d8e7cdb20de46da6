"""The declaration of a function that no request starts: a frozen record on its handler, as an endpoint's is.

    @every("1 s")
    def beat(run: Run[None]) -> None: ...

    @on_event("bet.won", timeout_s=10)
    def congratulate(run: Run[Event]) -> None: ...

There is no registry: `triggers_in` (runtime.triggers.discovery) finds the records by looking at the files.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

import msgspec
from crontab import CronTab

from runtime.function_files import DECLARATION, DeclarationError
from runtime.function_settings import FunctionSettings, complaint_about
from runtime.messaging.queues import queue_of
from runtime.triggers.kinds import KINDS, kinds_meant
from runtime.triggers.run import Message

Starter = Literal["every", "cron", "queue", "event"]
H = TypeVar("H", bound=Callable[..., Any])
Wanted = Callable[[Any], Collection[str]]
"""wanted(run): the kinds of events that are wanted at present."""
Form = type[FunctionSettings] | None

PAUSE_S_MAX = 300.0
UNITS_S = {"s": 1, "min": 60, "h": 3600}
INTERVAL_S_MAX = 7 * 24 * 3600
SPAN = re.compile(r"([1-9][0-9]{0,5}) ?(s|min|h)")
QUEUE_NAME = re.compile(r"[a-z][a-z0-9_.-]{0,63}")
TAKEN = frozenset({"bets", "commands"})
"""Queues that are the writer's."""


@dataclass(frozen=True, slots=True)
class Trigger:
    """One function and what starts it. `name` and `file` are filled in by discovery, unless they are given."""

    handler: Callable[..., Any]
    starter: Starter
    when: str
    """What starts it, in words."""
    summary: str
    timeout_s: int
    """How long one attempt may take."""
    in_flight: int
    """How many runs may be under way at once."""
    retries: int
    backoff_s: float
    """The pause before the first further attempt; each later one is twice as long, PAUSE_S_MAX at most."""
    interval_s: int | None = None
    cron: str | None = None
    overdue_s: int | None = None
    queue: str = ""
    body: type[msgspec.Struct] | None = None
    kinds: frozenset[str] = frozenset()
    wanted: Wanted | None = None
    settings: type[FunctionSettings] | None = None
    """The type of the settings that are its own, which `run.own_settings` hands it."""
    name: str = ""
    file: str = ""

    def pause_s(self, attempt: int) -> float:
        """Return how long to wait after an attempt that failed; the first one is 1."""
        return float(min(self.backoff_s * 2 ** min(attempt - 1, 20), PAUSE_S_MAX))

    @property
    def runs_on(self) -> str:
        """The queue that its runs wait on: one of its own, unless it names another; events need none."""
        return self.queue or queue_of(self.name)

    @property
    def longest_s(self) -> int:
        """How long a run may take with all its attempts and the pauses between them."""
        pauses_s = sum(self.pause_s(attempt) for attempt in range(1, self.retries + 1))
        return int((self.retries + 1) * self.timeout_s + pauses_s) + 1


def every(
    span: str,
    *,
    timeout_s: int = 60,
    retries: int = 0,
    backoff_s: float = 1.0,
    overdue_s: int | None = None,
    name: str = "",
    queue: str = "",
    settings: Form = None,
) -> Callable[[H], H]:
    """Declare a function that runs again and again: `@every("1 s")`, `@every("5 min")`, `@every("2 h")`."""
    found = SPAN.fullmatch(span)
    interval_s = int(found[1]) * UNITS_S[found[2]] if found else 0
    if not 1 <= interval_s <= INTERVAL_S_MAX:
        raise DeclarationError(f"{span!r} is no span of time: write a number and s, min or h, such as '5 min'")
    given = {"interval_s": interval_s, "overdue_s": overdue_s, "name": name, "queue": queue, "settings": settings}
    return _declaring("every", f"every {span}", timeout_s, 1, retries, backoff_s, **given)


def cron(
    times: str,
    *,
    timeout_s: int = 600,
    retries: int = 2,
    backoff_s: float = 5.0,
    overdue_s: int | None = None,
    name: str = "",
    queue: str = "",
    settings: Form = None,
) -> Callable[[H], H]:
    """Declare a function that runs at times of the calendar, in UTC: `@cron("0 3 * * *")`."""
    try:
        CronTab(times)
    except ValueError as ex:
        raise DeclarationError(f"{times!r} are no times of the calendar: {ex}") from ex
    given = {"cron": times, "overdue_s": overdue_s, "name": name, "queue": queue, "settings": settings}
    return _declaring("cron", f"cron {times}", timeout_s, 1, retries, backoff_s, **given)


def on_queue(
    queue: str,
    *,
    body: type[msgspec.Struct],
    timeout_s: int = 60,
    in_flight: int = 1,
    retries: int = 3,
    backoff_s: float = 2.0,
    settings: Form = None,
) -> Callable[[H], H]:
    """Declare a function that takes each message of a queue: `@on_queue("mails", body=Mail)`."""
    if QUEUE_NAME.fullmatch(queue) is None or queue in TAKEN:
        raise DeclarationError(
            f"{queue!r} is no name for a queue: small letters, digits, `_`, `.`, `-`, not a taken one"
        )
    if Message not in getattr(body, "__mro__", ()):
        raise DeclarationError(f"{body!r} is no message; inherit runtime.triggers.Message")
    given = {"queue": queue, "body": body, "settings": settings}
    return _declaring("queue", f"queue {queue}", timeout_s, in_flight, retries, backoff_s, **given)


def on_event(
    *kinds: str,
    wanted: Wanted | None = None,
    timeout_s: int = 30,
    retries: int = 5,
    backoff_s: float = 1.0,
    settings: Form = None,
) -> Callable[[H], H]:
    """Declare a function that is told of what happened, at least once and in order: `@on_event("bet.won", "column")`.

    `wanted` narrows the kinds down while the house runs; where it says none, nothing is even looked at.
    """
    unknown = [repr(kind) for kind in kinds if not kinds_meant([kind])] or ([] if kinds else ["nothing"])
    if unknown:
        raise DeclarationError(f"{', '.join(unknown)} is no event; there are bet, {', '.join(sorted(KINDS))}")
    when = f"event {', '.join(kinds)}"
    given = {"kinds": kinds_meant(kinds), "wanted": wanted, "settings": settings}
    return _declaring("event", when, timeout_s, 1, retries, backoff_s, **given)


def _declaring(
    starter: Starter, when: str, timeout_s: int, in_flight: int, retries: int, backoff_s: float, **given: Any
) -> Callable[[H], H]:
    for what, value, least, most in (
        ("timeout_s", timeout_s, 1, 12 * 3600),
        ("in_flight", in_flight, 1, 32),
        ("retries", retries, 0, 100),
        ("backoff_s", backoff_s, 0, PAUSE_S_MAX),
    ):
        if not least <= value <= most:
            raise DeclarationError(f"{what}={value} is not between {least} and {most}")
    if complaint := complaint_about(given.get("settings")):
        raise DeclarationError(complaint)

    def declare(handler: H) -> H:
        summary = (inspect.getdoc(handler) or "").partition("\n")[0].rstrip(".")
        if not summary:
            raise DeclarationError("say in a docstring what the function does")
        declared = Trigger(handler, starter, when, summary, timeout_s, in_flight, retries, backoff_s, **given)
        setattr(handler, DECLARATION, declared)
        return handler

    return declare
