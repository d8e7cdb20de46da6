"""The game as people play it: with a mouse, a finger or a keyboard, over a line that breaks, in many tabs."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect

from tests.acceptance.system import System
from tests.page import chromium
from tests.page.seat import TAKEN, Seat

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(180)]
TABS = 6
PAYS = re.compile(r"\$[\d,.]+ to \$[\d,.]+, .*x, \$5\.00 pays \$")
"""What a cell says to who cannot see it."""


def account_of(page: Page) -> Any:
    """Ask the API as the page would."""
    return page.evaluate("fetch('/api/me').then((answer) => answer.json())")["user"]


def test_a_guest_plays_a_whole_game_and_is_signed_in_silently_on_return(
    seat: Seat, context: BrowserContext, shoot: Callable[[Page, str], None]
) -> None:
    seat.page.emulate_media(reduced_motion="no-preference")
    seat.bet()
    assert account_of(seat.page)["kind"] == "guest"
    seat.expect_state("won", "lost")
    bet = seat.bets.first
    expect(bet.locator(".sentence")).to_contain_text("between")
    bet.get_by_role("button", name="Why?").click()
    expect(bet.locator(".window-chart .band")).to_be_visible()
    assert bet.locator(".window-chart .tick").count() > 1
    shoot(seat.page, f"game-{bet.get_attribute('data-state')}")
    expect(bet.get_by_role("link", name="Proof")).to_have_attribute("href", "/bets/" + newest_bet(seat.page)["id"])
    expect(seat.page.locator("#balance")).to_have_text(f"${account_of(seat.page)['balance'] / 100:,.2f}")
    seat.page.emulate_media(reduced_motion="reduce")
    seat.page.reload()
    expect(bet.locator(".sentence")).to_contain_text("between")
    account = account_of(seat.page)["id"]
    context.clear_cookies()
    seat.page.reload()
    expect(seat.page.locator("#balance")).to_be_visible()
    assert account_of(seat.page)["id"] == account


def newest_bet(page: Page) -> Any:
    """Ask for the newest bet."""
    return page.evaluate("fetch('/api/bets?limit=1').then((answer) => answer.json())")["bets"][0]


def test_pointing_shows_the_payout_and_a_drag_bets_once_on_each_cell_that_it_enters(seat: Seat) -> None:
    mouse = seat.page.mouse
    mouse.move(*seat.point(0.75, 0.5))
    expect(seat.page.locator("#hint")).to_contain_text("pays $")
    expect(seat.bets).to_have_count(0)
    mouse.move(*seat.point(0.7, 0.5))
    mouse.down()
    mouse.move(*seat.point(0.9, 0.5), steps=20)
    mouse.move(*seat.point(0.7, 0.5), steps=20)
    mouse.up()
    expect(seat.bets.nth(2)).to_be_visible()
    cells = seat.bets.locator(".summary").all_text_contents()
    stored = seat.page.evaluate("fetch('/api/bets?limit=50').then((answer) => answer.json())")["bets"]
    # A bet that was refused since its rate fell may be tried again on the way back.
    bets = [bet for bet in stored if bet["refusal_code"] is None]
    assert len({bet["cell_id"] for bet in bets}) == len(bets) <= len(cells)


def test_the_keyboard_alone_plays(house: System, page: Page) -> None:
    seat = Seat(page, house.url)
    seat.open()
    guest = page.get_by_role("button", name="Play as guest")
    for _ in range(20):
        page.keyboard.press("Tab")
        if guest.evaluate("(element) => element === document.activeElement"):
            break
    page.keyboard.press("Enter")
    expect(page.locator("#balance")).to_be_visible()
    page.locator("#table-switch").focus()
    page.keyboard.press("Tab")
    for key in ("ArrowRight", "ArrowRight", "ArrowRight", "ArrowUp"):
        page.keyboard.press(key)
    expect(page.locator("#cells button:focus")).to_have_attribute("aria-label", PAYS)
    expect(page.locator("#hint")).to_contain_text("pays $")
    page.keyboard.press("Enter")
    seat.expect_state(*TAKEN, "refused")
    assert page.locator("#live").text_content()


def test_a_lost_answer_is_unknown_until_the_same_tap_brings_the_bet(seat: Seat) -> None:
    bodies: list[str | None] = []

    def lose_first(route: Route) -> None:
        bodies.append(route.request.post_data)
        if len(bodies) == 1:
            route.fetch()
            route.abort()
        elif len(bodies) == 2:
            route.abort()
        else:
            route.continue_()

    seat.page.route("**/api/bets", lose_first)
    seat.tap_anew()
    seat.expect_state("unknown")
    seat.expect_state(*TAKEN, "refused")
    assert len(bodies) >= 3
    assert len(set(bodies)) == 1
    expect(seat.bets).to_have_count(1)


def test_seven_tabs_share_one_stream(seat: Seat, context: BrowserContext) -> None:
    tabs = [Seat(context.new_page(), seat.url) for _ in range(TABS)]
    for tab in tabs:
        tab.open()
        expect(tab.page.locator("#balance")).to_have_text("$10,000.00")
    tabs[-1].page.bring_to_front()
    tabs[-1].bet()
    bet_id = newest_bet(tabs[-1].page)["id"]
    for tab in [seat, *tabs]:
        expect(tab.bets.first.get_by_role("link", name="Proof")).to_have_attribute("href", f"/bets/{bet_id}")


def test_without_storage_and_shared_worker_one_plays_and_is_told(house: System, context: BrowserContext) -> None:
    context.add_init_script(
        "delete window.SharedWorker;"
        "Object.defineProperty(window, 'indexedDB', { value: { open() { throw new Error('private'); } } });"
    )
    seat = Seat(context.new_page(), house.url)
    seat.open()
    seat.play_as_guest()
    seat.bet()
    expect(seat.page.locator("#banners")).to_contain_text("lost when the tab is closed")


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_a_phone_shows_everything_and_axe_finds_no_fault(
    house: System, browser: Browser, scheme: Any, shoot: Callable[[Page, str], None]
) -> None:
    with chromium.calm(browser, viewport={"width": 390, "height": 844}, color_scheme=scheme, has_touch=True) as context:
        seat = Seat(context.new_page(), house.url)
        seat.open()
        faults = Axe().run(seat.page).response["violations"]
        seat.play_as_guest()
        seat.page.touchscreen.tap(*seat.point(0.8, 0.5))
        seat.expect_state(*TAKEN, "refused")
        shoot(seat.page, f"phone-{scheme}")
        seat.page.get_by_role("button", name="Cells as a table").click()
        seat.page.locator("#menu-button").click()
        seat.page.locator("#menu").get_by_text("How it works").click()
        shoot(seat.page, f"phone-help-{scheme}")
        faults += Axe().run(seat.page).response["violations"]
        seat.page.keyboard.press("Escape")
        faults += Axe().run(seat.page).response["violations"]
        assert [(fault["id"], [node["html"][:80] for node in fault["nodes"]][:3]) for fault in faults] == []
        assert seat.page.evaluate("document.documentElement.scrollWidth") == 390
