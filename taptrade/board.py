"""What a person sees of the game: a live table on a terminal, plain lines elsewhere, the summary only when quiet."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from types import TracebackType
from typing import Protocol, Self

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from taptrade.choice import Offer
from taptrade.record import Tap

_COLORS = {"won": "bold green", "lost": "red", "void": "yellow", "confirmed": "cyan", "touched": "green"}
_ROWS_SHOWN = 24


class Board(Protocol):
    """Show the game."""

    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, ex: BaseException | None, at: TracebackType | None
    ) -> None: ...

    def say(self, text: str) -> None:
        """Tell something about the game as a whole."""
        ...

    def show(self, tap: Tap) -> None:
        """Tell that a bet is in a new state."""
        ...


class QuietBoard:
    """Show nothing."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, ex: BaseException | None, at: TracebackType | None) -> None:
        return None

    def say(self, text: str) -> None:
        """Say nothing."""

    def show(self, tap: Tap) -> None:
        """Show nothing."""


class PlainBoard(QuietBoard):
    """Print a line for each thing that happens."""

    def say(self, text: str) -> None:
        """Print it."""
        print(text, flush=True)

    def show(self, tap: Tap) -> None:
        """Print the bet's new state."""
        print(f"{tap.number:>3}  {tap.state:<9} {_sentence(tap)}", flush=True)


class LiveBoard(QuietBoard):
    """Keep a table of all bets up to date."""

    def __init__(self, console: Console) -> None:
        self._taps: dict[int, Tap] = {}
        self._live = Live(console=console, auto_refresh=False)
        self._last = ""

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, ex: BaseException | None, at: TracebackType | None) -> None:
        self._live.stop()

    def say(self, text: str) -> None:
        """Put it under the table."""
        self._last = text
        self._draw()

    def show(self, tap: Tap) -> None:
        """Change the bet's row."""
        self._taps[tap.number] = tap
        self._draw()

    def _draw(self) -> None:
        table = Table(caption=self._last, caption_justify="left", expand=False)
        for heading in ("#", "window (UTC)", "band", "rate", "stake", "payout", "state"):
            table.add_column(heading, justify="right" if heading != "state" else "left")
        for tap in list(self._taps.values())[-_ROWS_SHOWN:]:
            table.add_row(
                str(tap.number),
                window(tap.offer),
                band(tap.offer),
                rate(tap.bet.reward_rate),
                dollars(tap.bet.amount),
                "" if tap.bet.payout_amount is None else dollars(tap.bet.payout_amount),
                Text(tap.state, style=_COLORS.get(tap.state, "")),
            )
        self._live.update(table, refresh=True)


def board(*, quiet: bool, plain: bool) -> Board:
    """Choose the board that fits the place where we are run."""
    if quiet:
        return QuietBoard()
    if plain or not sys.stdout.isatty():
        return PlainBoard()
    return LiveBoard(Console())


def dollars(cents: int) -> str:
    """Write cents as dollars, without a float in between."""
    sign = "-" if cents < 0 else ""
    return f"{sign}{abs(cents) // 100:,}.{abs(cents) % 100:02d}"


def rate(rate_bp: int | None) -> str:
    """Write basis points as a multiple."""
    return "" if rate_bp is None else f"{rate_bp // 10_000}.{rate_bp % 10_000 // 100:02d}x"


def band(offer: Offer) -> str:
    """Write a cell's price band."""
    return f"{dollars(offer.row.low_cents)}-{dollars(offer.row.high_cents)}"


def window(offer: Offer) -> str:
    """Write a cell's time window."""
    opens, closes = (
        datetime.fromtimestamp(ms // 1000, UTC).strftime("%H:%M:%S")
        for ms in (offer.column.opens_ms, offer.column.closes_ms)
    )
    return f"{opens}-{closes}"


def _sentence(tap: Tap) -> str:
    if tap.why:
        return tap.why
    stake = dollars(tap.bet.amount)
    if tap.bet.reward_rate:
        stake += f" at {rate(tap.bet.reward_rate)}"
    return f"{stake} on {band(tap.offer)}, {window(tap.offer)}"
