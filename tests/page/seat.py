"""Who sits before the page: opens it, signs in, taps cells of the board, reads what became of the bets."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import cycle, takewhile
from typing import TypeVar

from playwright.sync_api import Locator, Page, expect

PATIENCE_MS = 30_000
SHOWN_MS = 5_000
"""How long a tap may take to be shown: nobody is asked for that."""
SOON = 0.46
"""How far across a wide board the columns lie that are the first to take bets."""
T = TypeVar("T")
TAKEN = ("confirmed", "touched", "won", "lost")


@dataclass(frozen=True, slots=True)
class Seat:
    """One tab with the game."""

    page: Page
    url: str

    def open(self) -> None:
        """Open the game and wait until there are cells to tap."""
        self.page.set_default_timeout(PATIENCE_MS)
        self.page.goto(self.url)
        self._expect_cells()

    def _expect_cells(self) -> None:
        # An expectation looks less and less often; these look at each frame.
        self.page.locator("#board-wait").wait_for(state="hidden")
        self.page.locator("#cells td button:not([aria-disabled=true])").first.wait_for(state="attached")

    def play_as_guest(self) -> None:
        """Sign in with a key of the browser: one click."""
        self.page.get_by_role("button", name="Play as guest").click()
        expect(self.page.locator("#balance")).to_have_text("$10,000.00")

    def point(self, across: float, down: float) -> tuple[float, float]:
        """Return the point at these parts of the board's width and height."""
        box = self.page.locator("#board").bounding_box()
        assert box is not None
        return box["x"] + box["width"] * across, box["y"] + box["height"] * down

    def tap(self, across: float = 0.75, down: float = 0.5) -> None:
        """Click on the board."""
        self.page.mouse.click(*self.point(across, down))

    def bet(self) -> None:
        """Tap until a bet is taken: a rate may move while a tap is on its way, and is refused then."""
        self._expect_cells()
        self._bet_on([(across, 0.48) for across in (0.75, 0.8, 0.85, 0.9, 0.95)])

    def bet_soon(self) -> None:
        """Bet on one of the columns that begin first, so that the result comes soon."""
        self._bet_on([(SOON, down) for down in (0.42, 0.58, 0.35, 0.65, 0.28, 0.72, 0.2, 0.8)])

    def tap_anew(self) -> None:
        """Tap until a tap is shown, whatever becomes of it: a cell may be withdrawn at that moment."""
        shown = (self._shows_tap(across, 0.48) for across in self._in_turn((0.85, 0.8, 0.9)))
        assert any(shown), "no tap was shown"

    def _bet_on(self, places: Sequence[tuple[float, float]]) -> None:
        """Tap at the first of these parts of the board where a bet is taken; some cells may have one already.

        On a busy machine rates are often others by the time that a tap arrives.
        """
        for across, down in self._in_turn(places):
            self.page.mouse.move(*self.point(across, down))
            if self.page.locator("#board.can-tap").count() == 0 or not self._shows_tap(across, down):
                continue
            self.expect_state(*TAKEN, "refused")
            if self.bets.first.get_attribute("data-state") != "refused":
                return
        raise AssertionError(f"no tap was taken; the newest bet says: {self.bets.all_inner_texts()[:1]}")

    def _in_turn(self, places: Iterable[T]) -> Iterator[T]:
        """Yield places again and again, as long as patience lasts."""
        until_s = time.monotonic() + PATIENCE_MS / 1000
        return takewhile(lambda _: time.monotonic() < until_s, cycle(places))

    def _shows_tap(self, across: float, down: float) -> bool:
        """Tap, and tell whether this tap is shown: the one before may have been refused, and is shown still.

        It is not if the cell was withdrawn at that moment: then the page has only said so.
        """
        known = self.bets.count()
        self.tap(across, down)
        with suppress(AssertionError):
            expect(self.bets).not_to_have_count(known, timeout=SHOWN_MS)
        return self.bets.count() != known

    @property
    def bets(self) -> Locator:
        """The list of bets, newest first."""
        return self.page.locator("#bets > li")

    def expect_state(self, *states: str) -> None:
        """Wait until the newest bet is in one of the states."""
        wanted = ", ".join(f"#bets > li:first-child[data-state={state}]" for state in states)
        expect(self.page.locator(wanted)).to_be_visible(timeout=60_000)
