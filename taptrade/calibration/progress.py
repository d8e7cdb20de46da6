"""A long calculation: its progress on a bar, and its arrays on one core."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar
from threadpoolctl import threadpool_limits

from taptrade.calibration.days import Progress


@contextmanager
def told_on_a_bar() -> Iterator[Progress]:
    """Yield what is told how much is done of what; on a terminal it is shown.

    The arrays are too small for several threads, which would wait for each other most of the time.
    """
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    with (
        threadpool_limits(1),
        Bar(*columns, console=console, transient=True, disable=not console.is_terminal) as bar,
    ):
        task = bar.add_task("", total=1.0)

        def told(what: str, share: float) -> None:
            if what != bar.tasks[0].description:
                # What was finished starts anew, or its time would stand still.
                bar.reset(task, description=what)
            bar.update(task, completed=share)

        yield told
