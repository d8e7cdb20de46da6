"""Tables for people on a terminal, tab-separated lines for everything else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

STYLES = {
    "holds": "green",
    "WRONG": "bold red",
    "open": "yellow",
    "ok": "green",
    "warn": "yellow",
    "FAIL": "bold red",
}
TITLE_WIDTH = 9


def show_table(columns: Sequence[str], rows: Sequence[Sequence[Any]], *, right: Sequence[str] = ()) -> None:
    """Print rows under the names of their columns; those named in `right` are numbers."""
    console = Console()
    if not console.is_terminal:
        for row in (columns, *rows):
            print("\t".join(_plain(cell) for cell in row))
        return
    table = Table(box=None, header_style="bold")
    for column in columns:
        table.add_column(column, justify="right" if column in right else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(_plain(cell)) for cell in row))
    console.print(table)


def show_findings(rows: Sequence[tuple[str, str, str]]) -> None:
    """Print findings as (title, state, text); a text may have several lines."""
    console = Console()
    if console.is_terminal:
        console.print(findings_grid(rows))
        return
    width = max([TITLE_WIDTH, *(len(title) + 1 for title, _, _ in rows)])
    for title, state, text in rows:
        first, *more = _lines(text)
        print(f"{title:<{width}}{state:<7}{first}".rstrip())
        for line in more:
            print(f"{'':<{width + 7}}{line}".rstrip())


def findings_grid(rows: Sequence[tuple[str, str, str]]) -> Table:
    """Return the same for a terminal."""
    grid = Table.grid(padding=(0, 2))
    for title, state, text in rows:
        shown = Text("\n".join(_lines(text)))
        grid.add_row(Text(title, style="bold"), Text(state, style=STYLES.get(state, "")), shown)
    return grid


def _lines(text: str) -> list[str]:
    return [_plain(line) for line in text.split("\n")]


def _plain(cell: Any) -> str:
    """Write a cell without anything that a terminal would obey."""
    text = "" if cell is None else str(cell)
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)
