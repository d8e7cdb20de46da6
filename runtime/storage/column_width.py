"""The width of columns that open bets were placed with: while there are any, it must not change.

A bet stores where its column starts; where it ends follows from the width, and so does the evidence that decides it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from runtime.game.ledger import SQL
from runtime.settings import SettingsError

Execute = Callable[[str, Sequence[Any]], Sequence[tuple[Any, ...]]]


def refuse_other_width(execute: Execute, column_seconds: int) -> None:
    """Raise SettingsError if bets are open on columns of another width."""
    rows = execute(SQL["column_seconds"], ())
    if not rows or rows[0][0] == column_seconds:
        return
    open_bets = sum(row[-1] for row in execute(SQL["open_bets"], ()))
    if open_bets:
        raise SettingsError(
            f"TAPTRADE_COLUMN_SECONDS={column_seconds}: {open_bets} open bets were placed on columns of {rows[0][0]} s;"
            " start with that width until they are settled"
        )


def adopt_width(execute: Execute, column_seconds: int) -> None:
    """Remember the width for the bets to come; raise SettingsError as `refuse_other_width` does."""
    refuse_other_width(execute, column_seconds)
    execute(SQL["set_column_seconds"], (column_seconds,))
