"""What the bench is doing and for how much longer: a bar on a terminal, a line for each step elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

Show = Callable[[str], None]


class Display:
    """One bar for the step under way. It is drawn when something is shown: no thread takes CPU from the system."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.started_s = time.monotonic()
        columns = (TextColumn("{task.description}"), BarColumn(30), TimeElapsedColumn(), TimeRemainingColumn())
        self._bar = Progress(
            *columns, TextColumn("{task.fields[text]}"), console=console, auto_refresh=False, transient=True
        )

    def elapsed_s(self) -> float:
        """Return how long the bench has been running."""
        return time.monotonic() - self.started_s

    def say(self, line: str) -> None:
        """Print a line that stays."""
        self.console.print(line, highlight=False, soft_wrap=True)

    @contextmanager
    def step(self, name: str, seconds: float) -> Iterator[Show]:
        """Draw a bar for about so many seconds; the block may show what it sees, once a second or so."""
        if not self.console.is_terminal:
            self.say(f"{self.elapsed_s():5.0f} s  {name}")
            yield lambda _text: None
            return
        with self._bar:
            task = self._bar.add_task(name, total=seconds, text="")
            start_s = time.monotonic()

            def show(text: str) -> None:
                self._bar.update(task, completed=min(time.monotonic() - start_s, seconds), text=text)
                self._bar.refresh()

            show("")
            yield show
            self._bar.remove_task(task)
