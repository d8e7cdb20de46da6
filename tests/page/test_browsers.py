"""The page in browsers that are set otherwise: wrong clocks, 200 % zoom, less motion, the machine's other name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.acceptance.system import System
from tests.page import chromium
from tests.page.seat import Seat
from tests.page.watch import Watch

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(120)]
OFF_MS = 420_000
WRONG_CLOCK = """
Date = class extends Date {
  constructor(...given) { super(...(given.length ? given : [Date.now()])); }
  static #now = super.now;
  static now() { return this.#now.call(Date) + OFF_MS; }
};
"""
# Each frame copies the grid to where it lies now.
GRID_MOVES = """() => new Promise((resolve) => {
  const seen = new Set();
  const { drawImage } = CanvasRenderingContext2D.prototype;
  CanvasRenderingContext2D.prototype.drawImage = function (...given) {
    seen.add(given[1] - given[5]);
    drawImage.apply(this, given);
  };
  setTimeout(() => resolve(seen.size), 1_500);
})"""
OUT_OF_SIGHT = """() => [...document.querySelectorAll("button, a, input, #board, #balance, #price, #hint")]
  .filter((element) => element.checkVisibility() && !element.matches(".skip, #cells *"))
  .filter((element) => {
    const { left, right, width } = element.getBoundingClientRect();
    return width && (left < 0 || right > innerWidth);
  })
  .map((element) => element.outerHTML.slice(0, 80))"""


@pytest.mark.parametrize("off_ms", [OFF_MS, -OFF_MS])
def test_a_wrong_clock_costs_no_bet(house: System, context: BrowserContext, off_ms: int) -> None:
    """What is signed and drawn goes by the server's time."""
    context.add_init_script(WRONG_CLOCK.replace("OFF_MS", str(off_ms)))
    seat = Seat(context.new_page(), house.url)
    seat.open()
    seat.play_as_guest()
    seat.bet()
    off_s = seat.page.evaluate("(serverMs) => (Date.now() - serverMs) / 1000", _server_ms(seat.page))
    assert off_s == pytest.approx(off_ms / 1000, abs=2)
    told = seat.page.locator("#clock").get_attribute("title")
    assert told is not None
    assert "off by 420." in told or "off by 419." in told


def _server_ms(page: Page) -> Any:
    return page.evaluate("fetch('/api/time').then((answer) => answer.json())")["server_time_ms"]


def test_by_the_machines_other_name_one_plays_as_well(house: System, browser: Browser) -> None:
    url = house.url.replace("127.0.0.1", "localhost")
    with chromium.calm(browser) as context:
        watch = Watch(context, urlsplit(url).netloc)
        seat = Seat(context.new_page(), url)
        seat.open()
        seat.play_as_guest()
        seat.bet()
    assert watch.faults == []


def test_at_twice_the_size_and_without_motion_everything_is_in_reach(
    house: System, browser: Browser, shoot: Callable[[Page, str], None]
) -> None:
    """Zoom leaves half of the pixels; with less motion the board moves once a second, and nothing is animated."""
    view: Any = {"width": 640, "height": 400}
    with chromium.calm(browser, viewport=view, device_scale_factor=2) as context:
        seat = Seat(context.new_page(), house.url)
        seat.open()
        seat.tap(0.75, 0.3)  # calls for a sign-in
        assert seat.page.evaluate("getComputedStyle(document.getElementById('welcome')).animationName") == "none"
        shoot(seat.page, "zoom-welcome")
        seat.play_as_guest()
        seat.page.locator("#board").scroll_into_view_if_needed()
        seat.bet()
        assert 1 <= seat.page.evaluate(GRID_MOVES) <= 3
        assert seat.page.evaluate(OUT_OF_SIGHT) == []
        assert seat.page.evaluate("document.documentElement.scrollWidth") == 640
        for stake in seat.page.locator("#stakes input").all():
            stake.check()
        seat.page.locator("#menu-button").click()
        seat.page.locator("#menu").get_by_text("Limits and breaks").click()
        save = seat.page.locator("#limits").get_by_role("button", name="Save limits")
        save.scroll_into_view_if_needed()
        expect(save).to_be_in_viewport()
        shoot(seat.page, "zoom-limits")
        seat.page.keyboard.press("Escape")
        shoot(seat.page, "zoom")
