"""A long calculation: its progress on a bar, and its arrays on one core."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.progress import TaskProgressColumn, TimeElapsedColumn
from threadpoolctl import threadpool_limits

from taptrade.bars import bar
from taptrade.calibration.days import Progress


@contextmanager
def told_on_a_bar() -> Iterator[Progress]:
    """Yield what is told how much is done of what; on a terminal it is shown.

    The arrays are too small for several threads, which would wait for each other most of the time.
    """
    with threadpool_limits(1), bar(TaskProgressColumn(), TimeElapsedColumn()) as shown:
        task = shown.add_task("", total=1.0)

        def told(what: str, share: float) -> None:
            if what != shown.tasks[0].description:
                # What was finished starts anew, or its time would stand still.
                shown.reset(task, description=what)
            shown.update(task, completed=share)

        yield told
