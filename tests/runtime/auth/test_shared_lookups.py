"""Many who ask for the same at once: one reading, whose answer or error all of them get."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event, Thread

from runtime.auth.shared_lookups import SharedLookups
from tests.waiting import wait_until

CROWD = 20
AGE_MS_MAX = 900


class Killed(BaseException):
    """What ends whoever reads, as the end of its request may."""


class Source:
    """What is read: it answers, or fails, when it is let."""

    def __init__(self) -> None:
        self.asked = 0
        self.first_asked, self.let = Event(), Event()
        self.error: BaseException | None = None

    def __call__(self, key: str) -> str:
        self.asked += 1
        if self.asked > 1:
            return f"{key} again"
        self.first_asked.set()
        assert self.let.wait(10)
        if self.error is not None:
            raise self.error
        return key


def is_waiting(thread: Thread) -> bool:
    """Tell whether a thread waits for a condition, such as a future's."""
    frame = sys._current_frames().get(thread.ident or 0)
    return frame is not None and frame.f_code.co_name == "wait"


Reading = Future[tuple[int, str]]


@contextmanager
def a_crowd(source: Source) -> Iterator[tuple[Reading, list[Reading]]]:
    """Let one read what takes its time, and a crowd come while it does; then let it go on."""
    lookups = SharedLookups[str](AGE_MS_MAX)
    with ThreadPoolExecutor(1) as one, ThreadPoolExecutor(CROWD, "crowd") as crowd:
        first = one.submit(lookups.find, "a", 0, source)
        assert source.first_asked.wait(10)
        others = [crowd.submit(lookups.find, "a", AGE_MS_MAX - 1 - number, source) for number in range(CROWD)]
        wait_until(lambda: len(crowd._threads) == CROWD and all(map(is_waiting, crowd._threads)), 10)
        source.let.set()
        yield first, others


def test_a_crowd_gets_one_reading() -> None:
    source = Source()
    with a_crowd(source) as (first, others):
        assert first.result(10) == (0, "a")
        assert {one.result(10) for one in others} == {(0, "a")}
    assert source.asked == 1


def test_an_error_is_shared_too() -> None:
    source = Source()
    source.error = OSError("gone")
    with a_crowd(source) as (first, others):
        assert {str(one.exception(10)) for one in (first, *others)} == {"gone"}
    assert source.asked == 1


def test_who_waited_for_a_reader_that_was_killed_asks_again() -> None:
    source = Source()
    source.error = Killed()
    with a_crowd(source) as (first, others):
        assert isinstance(first.exception(10), Killed)
        assert {one.result(10)[1] for one in others} == {"a again"}


def test_a_reading_that_began_too_long_ago_is_not_joined() -> None:
    source, lookups = Source(), SharedLookups[str](AGE_MS_MAX)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(lookups.find, "a", 0, source)
        assert source.first_asked.wait(10)
        assert lookups.find("a", AGE_MS_MAX, source) == (AGE_MS_MAX, "a again")
        source.let.set()
        assert first.result(10) == (0, "a")


def test_what_has_been_read_is_read_anew() -> None:
    source, lookups = Source(), SharedLookups[str](AGE_MS_MAX)
    source.let.set()
    assert [lookups.find("a", 5, source), lookups.find("a", 5, source)] == [(5, "a"), (5, "a again")]
    assert lookups.find("b", 6, source) == (6, "b again")
