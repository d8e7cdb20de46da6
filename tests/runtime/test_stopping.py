"""Being told to stop: at any moment of a wait, by a signal of the thread that waits, and by another thread."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from queue import SimpleQueue

import pytest

from runtime.stopping import Stop, stop_on_signals

LONG_S = 30.0


@pytest.fixture(autouse=True)
def handlers() -> Iterator[None]:
    """Leave the signals as they were."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def told_by_signal() -> Stop:
    stop = Stop()
    stop_on_signals(stop)
    return stop


class SignalFirst:
    """A queue whose reader gets SIGTERM when it has found that nobody was told, just before it waits."""

    def __init__(self, queue: SimpleQueue[None]) -> None:
        self._queue = queue
        self.put = queue.put

    def get(self, timeout: float | None = None) -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        self._queue.get(timeout=timeout)


def test_a_signal_just_before_the_wait_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    stop = told_by_signal()
    monkeypatch.setattr(stop, "_wakes", SignalFirst(SimpleQueue()))
    assert stop.wait(LONG_S)
    assert stop.is_set()


def test_a_signal_during_the_wait_ends_it() -> None:
    stop = told_by_signal()
    threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGTERM)).start()
    assert stop.wait()
    assert stop.is_set()


def test_all_who_wait_go_on_and_nobody_waits_again() -> None:
    stop = Stop()
    waiting = [threading.Thread(target=stop.wait, daemon=True) for _ in range(5)]
    for thread in waiting:
        thread.start()
    stop.set()
    for thread in waiting:
        thread.join(LONG_S)
        assert not thread.is_alive()
    assert stop.wait(LONG_S)
    assert stop.wait()


@pytest.mark.parametrize("timeout", [0, 0.001, -1])
def test_nobody_told(timeout: float) -> None:
    stop = Stop()
    assert not stop.wait(timeout)
    assert not stop.is_set()
