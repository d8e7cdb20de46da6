"""Declarations of what no request starts: checked where they stand, and found by looking at the files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jobs.rq.schedule import function_schedule
from runtime.function_files import DECLARATION, DeclarationError, DiscoveryError, functions_folder
from runtime.triggers import Message, Run, cron, every, on_event, on_queue
from runtime.triggers.declaration import PAUSE_S_MAX, Trigger
from runtime.triggers.discovery import triggers_in
from runtime.triggers.kinds import BETS
from runtime.web.discovery import discover

HEAD = '"""A file."""\n\nfrom __future__ import annotations\n\nfrom runtime.triggers import *\n\n\n'
BEAT = HEAD + '@every("5 s")\ndef beat(run: Run[None]) -> int:\n    """Beat."""\n    return 1\n'


class Mail(Message, frozen=True):
    """A message."""

    text: str


def declared(decorate: Callable[[Any], Any]) -> Trigger:
    """Return the declaration that a decorator makes."""

    def handler(run: Run[None]) -> None:
        """Do it."""

    found: Trigger = getattr(decorate(handler), DECLARATION)
    return found


@pytest.mark.parametrize(("span", "interval_s"), [("1 s", 1), ("90s", 90), ("5 min", 300), ("2 h", 7200)])
def test_a_span_is_read(span: str, interval_s: int) -> None:
    assert declared(every(span)).interval_s == interval_s


@pytest.mark.parametrize(
    ("declare", "complaint"),
    [
        pytest.param(lambda: every("0 s"), "is no span of time", id="no time"),
        pytest.param(lambda: every("5 minutes"), "is no span of time", id="unit"),
        pytest.param(lambda: every("200 h"), "is no span of time", id="longer than a week"),
        pytest.param(lambda: cron("0 99 * * *"), "are no times of the calendar", id="cron"),
        pytest.param(lambda: on_queue("bets", body=Mail), "is no name for a queue", id="the writer's"),
        pytest.param(lambda: on_queue("mails", body=dict), "is no message", id="body"),  # type: ignore[arg-type]
        pytest.param(on_event, "nothing is no event", id="no event"),
        pytest.param(
            lambda: on_event("bet.won", "bet.settled", "column"),
            r"^'bet\.settled' is no event; there are bet, bet\.confirmed, .*, breaker, column$",
            id="event",
        ),
        pytest.param(lambda: every("1 s", timeout_s=0), "timeout_s=0 is not between", id="time limit"),
        pytest.param(lambda: on_queue("mails", body=Mail, in_flight=99), "in_flight=99", id="in flight"),
        pytest.param(lambda: every("1 s", retries=-1), "retries=-1", id="retries"),
        pytest.param(lambda: every("1 s")(lambda run: run), "say in a docstring", id="docstring"),
    ],
)
def test_a_wrong_declaration_says_what_is_wrong(declare: Callable[[], object], complaint: str) -> None:
    with pytest.raises(DeclarationError, match=complaint):
        declare()


def test_pauses_double_up_to_a_bound_and_make_the_longest_run() -> None:
    one = declared(every("1 min", timeout_s=10, retries=3, backoff_s=2))
    assert [one.pause_s(attempt) for attempt in (1, 2, 3, 50)] == [2, 4, 8, PAUSE_S_MAX]
    assert one.longest_s == 4 * 10 + 14 + 1


def test_bet_means_all_that_becomes_of_a_bet() -> None:
    assert declared(on_event("bet", "column")).kinds == BETS | {"column"}


@pytest.mark.parametrize(
    ("times", "overdue_s"), [("0 3 * * *", 2 * 86_400), ("*/5 * * * *", 600), ("0 9 * * 1-5", 2 * 3 * 86_400)]
)
def test_a_schedule_is_overdue_after_two_of_its_longest_pauses(times: str, overdue_s: int) -> None:
    one = declared(cron(times, timeout_s=10, retries=0))
    assert function_schedule(one).overdue_s == overdue_s + one.longest_s


def test_a_file_that_is_dropped_in_is_found_and_is_no_endpoint(tmp_path: Path) -> None:
    (tmp_path / "beat.py").write_text(BEAT)
    (tmp_path / "other.py").write_text("raise SystemExit  # what no trigger is in is not imported for them\n")
    [found] = triggers_in(tmp_path)
    assert (found.name, found.when, found.summary, found.file) == (
        "beat",
        "every 5 s",
        "Beat",
        str(tmp_path / "beat.py"),
    )
    (tmp_path / "other.py").unlink()
    with pytest.raises(DiscoveryError, match="no function in here"):
        discover(tmp_path)


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        pytest.param(BEAT.replace("Run[None]", "Run[Event]"), r"write \(run: Run\[None\]\)", id="body"),
        pytest.param(BEAT.replace("run: Run[None]", ""), r"write \(run: Run\[None\]\)", id="no argument"),
        pytest.param(BEAT.replace(" -> int", ""), r"write \(run: Run\[None\]\)", id="no return"),
        pytest.param(BEAT.replace("5 s", "5"), "line 8: DeclarationError: '5' is no span of time", id="span"),
    ],
)
def test_a_broken_file_is_named_with_its_reason(tmp_path: Path, source: str, reason: str) -> None:
    (tmp_path / "beat.py").write_text(source)
    with pytest.raises(DiscoveryError, match=rf"beat\.py: .*{reason}"):
        triggers_in(tmp_path)


def test_one_queue_has_one_function(tmp_path: Path) -> None:
    source = HEAD + 'class Mail(Message, frozen=True):\n    """A."""\n\n\n@on_queue("mails", body=Mail)\n'
    for name in ("a", "b"):
        (tmp_path / f"{name}.py").write_text(source + f'def {name}(run: Run[Mail]) -> None:\n    """Do."""\n')
    with pytest.raises(DiscoveryError, match=r"b\.py: queue mails is declared in .*a\.py already"):
        triggers_in(tmp_path)


def test_the_shipped_ones_are_sound() -> None:
    assert {one.name for one in triggers_in(functions_folder())} >= {
        *("webhooks.note", "webhooks.deliver", "webhooks.look"),
    }
