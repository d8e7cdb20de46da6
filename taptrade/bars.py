"""How far a long command has come: a bar on stderr, on a terminal only, gone once it is done."""

from __future__ import annotations

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, TextColumn


def bar(*columns: ProgressColumn, redirect_stdout: bool = True) -> Progress:
    """Return a bar that says what is done, and behind it what `columns` tell of it."""
    console = Console(stderr=True)
    silent = not console.is_terminal
    shown = (TextColumn("{task.description}"), BarColumn(), *columns)
    return Progress(*shown, console=console, redirect_stdout=redirect_stdout, transient=True, disable=silent)
