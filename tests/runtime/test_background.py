"""Background work: it starts again when it ends, is down until it runs well, and no flood tells of it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import gevent
import pytest
from gevent.event import Event

from runtime import background as module
from runtime.background import Background, Stopping
from runtime.clock import ManualClock
from runtime.metrics.table import Metrics
from tests.backgrounds import Greenlets, idle, threads
from tests.waiting import wait_until

Pause = Callable[[float], object]


class Short:
    """Work that ends at once as often as it is told to, and then lasts until it is let go."""

    def __init__(self, ends: int, error: BaseException | None = None) -> None:
        self.ends = ends
        self.error = error
        self.runs = 0
        self.go: Stopping = threading.Event()

    def run(self) -> None:
        """Run."""
        self.runs += 1
        if self.runs <= self.ends:
            if self.error is not None:
                raise self.error
            return
        self.go.wait(10)


def restarts(metrics: Metrics) -> dict[str, float]:
    return metrics.snapshot(1, 0).counters["taptrade_background_restarts_total"]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let pauses be short."""
    monkeypatch.setattr(module, "PAUSE_S_FIRST", 0.001)


@pytest.mark.parametrize("error", [None, ValueError("no list"), SystemExit(3)])
def test_what_ends_starts_again_and_is_down_until_it_has_run_a_while(
    clock: ManualClock, caplog: pytest.LogCaptureFixture, error: BaseException | None
) -> None:
    work, metrics = Short(2, error), Metrics("test")
    with threads(clock, metrics) as background:
        background.start("some", work.run)
        wait_until(lambda: work.runs == 3, what="the third run")
        assert background.down() == ["some"]
        clock.advance(module.WELL_MS - 1)
        assert background.up() == {"some": False}
        clock.advance(1)
        assert background.up() == {"some": True}
        work.go.set()  # type: ignore[attr-defined]
        background.stopping.set()  # type: ignore[attr-defined]
    assert restarts(metrics) == {"some": 2}
    told = [record for record in caplog.records if record.levelname == "ERROR"]
    assert len(told) == 2
    assert "the background work some ended, it starts again in 0.0 s: " in told[0].getMessage()
    assert told[0].fields == {"code": "BACKGROUND_ENDED", "work": "some"}  # type: ignore[attr-defined]
    assert (told[0].exc_info is not None) == (error is not None)


def test_work_is_up_and_counted_from_the_start(clock: ManualClock) -> None:
    metrics, go = Metrics("test"), threading.Event()

    def go_on() -> None:
        go.wait(10)

    with threads(clock, metrics) as background:
        background.start("some", go_on)
        assert background.up() == {"some": True}
        assert restarts(metrics) == {"some": 0}
        with pytest.raises(ValueError, match="some already"):
            background.start("some", lambda: None)
        go.set()


def test_what_is_repeated_runs_well_as_soon_as_it_was_done_once(clock: ManualClock) -> None:
    failing, done, metrics = threading.Event(), threading.Event(), Metrics("test")
    failing.set()

    def once() -> None:
        if failing.is_set():
            raise RuntimeError("a bug")
        done.set()

    with threads(clock, metrics) as background:
        background.repeat("look", once, 0.001)
        wait_until(lambda: background.down() == ["look"])
        wait_until(lambda: restarts(metrics)["look"] >= 2)
        failing.clear()
        assert done.wait(5)
        wait_until(lambda: background.down() == [])


def test_pauses_grow_to_their_greatest_and_begin_anew_after_a_calm_time() -> None:
    clock = ManualClock(0)
    pauses: list[float] = []

    class Pausing:
        """An event that notes for how long it is waited."""

        def is_set(self) -> bool:
            """End after so many pauses."""
            return len(pauses) >= 16

        def wait(self, timeout: float | None = None) -> None:
            """Note it."""
            pauses.append(timeout or 0)

    def run() -> None:
        if len(pauses) == 15:
            clock.advance(module.CALM_MS)
        raise ValueError("again")

    background = Background(Pausing(), clock, Metrics("test"), lambda _, work: _here(work))
    background.start("some", run)
    first_s = module.PAUSE_S_FIRST
    assert pauses[:4] == [first_s, 2 * first_s, 4 * first_s, 8 * first_s]
    assert pauses[14] == module.PAUSE_S_MAX
    assert pauses[15] == first_s


def _here(work: Callable[[], None]) -> threading.Thread:
    work()
    return threading.current_thread()


def test_what_ends_while_the_process_stops_stays_ended(caplog: pytest.LogCaptureFixture) -> None:
    background = idle()
    stopping = background.stopping
    runs: list[int] = []

    def run() -> None:
        runs.append(1)
        stopping.set()  # type: ignore[attr-defined]

    background.start("some", run)
    background.join(5)
    assert (runs, caplog.text) == ([1], "")
    background.start("late", run)
    background.join(5)
    assert runs == [1]


@pytest.fixture
def greenlets() -> Iterator[Greenlets]:
    """Return greenlets that end with the test."""
    greenlets = Greenlets()
    yield greenlets
    gevent.killall(greenlets.all)


def test_greenlets_start_again_too(greenlets: Greenlets, clock: ManualClock) -> None:
    work, metrics = Short(2, ValueError("no list")), Metrics("test")
    work.go = Event()
    background = greenlets.background(clock, metrics)
    background.start("some", work.run)
    background.repeat("look", lambda: None, 0.001)
    wait_until(lambda: work.runs == 3, pause=gevent.sleep)
    assert background.up() == {"some": False, "look": True}
    clock.advance(module.WELL_MS)
    assert background.down() == []
    assert restarts(metrics) == {"some": 2, "look": 0}


def test_a_greenlet_that_is_killed_ends_and_is_seen(greenlets: Greenlets) -> None:
    background = greenlets.background()
    background.repeat("look", lambda: None, 10)
    gevent.sleep(0)
    assert background.down() == []
    greenlets.all[0].kill()
    assert background.down() == ["look"]
