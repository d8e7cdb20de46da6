"""Limits, breaks and the reality check as players meet them, with a mouse, a keyboard and several tabs."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Literal

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Request, Route, expect

from tests.acceptance.system import System
from tests.page import chromium
from tests.page.visitor import bet, open_page, open_panel, play_as_guest, tap, tap_until, violations

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(180)]
REALITY = "**/api/me/reality-check"
Scheme = Literal["dark", "light"]
NO_SUMS = {
    "5O": "Write dollars and cents like 25 or 25.50",
    "10,50": "Write cents after a point",
    "-5": "Write dollars and cents like 25 or 25.50",
    "99999999999999999": "That is more than can be counted",
}


@pytest.fixture
def house(slow_house: System) -> System:
    """The whole system, with columns whose bets stay open as long as a test."""
    return slow_house


@pytest.fixture
def page(context: BrowserContext, house: System) -> Page:
    """The game, open before a guest who has just come."""
    return play_as_guest(context, house.url)


def test_a_limit_is_set_and_shown_and_a_looser_one_waits(page: Page) -> None:
    """A tighter limit counts at once; a looser one says from when, and can be taken back."""
    panel = open_panel(page, "Limits and breaks")
    stake = panel.get_by_label("Stake of one bet", exact=True)
    stake.fill("20")
    panel.get_by_label("Losses of a day", exact=True).fill("12.50")
    panel.get_by_label("Tell me how I have played, every", exact=True).select_option("15")
    panel.get_by_text("Save limits").click()
    expect(panel.get_by_text("Counts from now on: Stake of one bet; Losses of a day")).to_be_visible()
    expect(panel.get_by_text("Now: $12.50.")).to_be_visible()
    expect(panel.get_by_text("Now: 15 min.")).to_be_visible()
    stake.fill("40")
    panel.get_by_text("Save limits").click()
    waits = panel.get_by_text(re.compile(r"From .*: \$40\.00\."))
    expect(waits).to_be_visible()
    expect(panel.get_by_text("Now: $20.00.")).to_be_visible()
    assert violations(page) == []
    panel.get_by_label("Keep as it is: Stake of one bet").click()
    expect(waits).not_to_be_visible()
    expect(stake).to_have_value("20")


def test_what_is_no_sum_is_said_in_words_beside_its_field(page: Page) -> None:
    """Nothing is sent; the field has the focus and names its problem to a screen reader."""
    sent: list[Request] = []
    page.on("request", lambda request: sent.append(request) if request.method == "PUT" else None)
    panel = open_panel(page, "Limits and breaks")
    field = panel.get_by_label("Stakes of a day", exact=True)
    for written, sentence in NO_SUMS.items():
        field.fill(written)
        panel.get_by_text("Save limits").click()
        expect(field).to_be_focused()
        expect(field).to_have_accessible_description(re.compile(re.escape(sentence)))
    assert sent == []
    assert violations(page) == []


def test_what_is_used_of_a_limit_stands_beside_it(page: Page, context: BrowserContext, house: System) -> None:
    """It is told where there is no limit too, and again when money moves while the panel is open."""
    bet(page)
    expect(page.locator("#cells button[aria-pressed=true][data-state=confirmed]")).to_have_count(1)
    panel = open_panel(page, "Limits and breaks")
    expect(panel.get_by_text("Now: no limit. $5.00 so far.")).to_have_count(2)
    panel.get_by_label("Stakes of a day", exact=True).fill("500")
    panel.get_by_label("Deposits in 24 hours", exact=True).fill("100")
    panel.get_by_text("Save limits").click()
    stakes = panel.get_by_label("Stakes of a day", exact=True)
    expect(stakes).to_have_accessible_description(re.compile(r"\$5\.00 of \$500\.00 used, \$495\.00 left\."))
    expect(panel.get_by_text("$0.00 of $100.00 used, $100.00 left.")).to_be_visible()
    other = open_page(context, house.url)
    money = open_panel(other, "Money")
    money.get_by_label("Dollars").first.fill("2.50")
    money.get_by_role("button", name="Add").click()
    expect(panel.get_by_text("$2.50 of $100.00 used, $97.50 left.")).to_be_visible()


def test_a_tap_that_a_limit_refuses_leads_to_the_limits(page: Page, shoot: Callable[[Page, str], None]) -> None:
    """The stakes above it stand back, the refusal names the limit, and a link beside it opens the panel."""
    panel = open_panel(page, "Limits and breaks")
    panel.get_by_label("Stake of one bet", exact=True).fill("1")
    panel.get_by_text("Save limits").click()
    expect(panel.get_by_text("Now: $1.00.")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#stakes")).to_have_accessible_description(re.compile(r"limit for one bet is \$1\.00"))
    expect(page.locator("#stakes .above")).to_have_count(4)
    shoot(page, "stakes-above")
    assert violations(page) == []
    refused = tap_until(page, ":has-text('This stake is above your limit for one bet.')")
    refused.get_by_text("Your limits").click()
    expect(page.locator("#limits")).to_be_visible()


def test_two_keys_exclude_a_player_and_the_board_says_so(page: Page) -> None:
    """By the keyboard alone: the first choice moves no money and no limit, the second one does."""
    sent: list[Request] = []
    page.on("request", lambda request: sent.append(request) if request.method in {"PUT", "POST"} else None)
    page.locator("#menu-button").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.locator("#menu").get_by_role("button", name="Limits and breaks")).to_be_focused()
    page.keyboard.press("Enter")
    choice = page.get_by_role("button", name="6 months")
    for _ in range(12):
        page.keyboard.press("Tab")
        if choice.evaluate("(element) => element === document.activeElement"):
            break
    # Twice, as a hand that trembles: what confirms is another button.
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    expect(page.locator("#limits .confirm")).to_contain_text("neither bet nor deposit")
    assert sent == []
    assert violations(page) == []
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Exclude me for 6 months")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#limits .breaks")).to_contain_text("Done. No bets and no deposits until")
    page.keyboard.press("Escape")
    expect(page.locator(".banner.pause")).to_contain_text("You have excluded yourself until")
    expect(page.locator("#hint")).to_contain_text("no bets are taken")
    tap(page)
    expect(page.locator("#bets li")).to_have_count(0)
    assert [request.method for request in sent] == ["PUT"]
    assert violations(page) == []


def test_a_break_counts_in_the_other_tabs_and_refuses_deposits(
    page: Page, context: BrowserContext, house: System
) -> None:
    """One tab begins it, the other one knows; a longer one may follow, a shorter one is not offered."""
    other = open_page(context, house.url)
    panel = open_panel(page, "Limits and breaks")
    panel.get_by_role("button", name="7 days").click()
    panel.get_by_role("button", name="Start the break of 7 days").click()
    expect(other.locator(".banner.pause")).to_contain_text("You are taking a break until")
    expect(panel.get_by_role("button", name="24 hours")).to_be_disabled()
    expect(panel.get_by_role("button", name="30 days")).to_be_enabled()
    page.keyboard.press("Escape")
    money = open_panel(page, "Money")
    money.get_by_role("button", name="Add").click()
    expect(money.get_by_text("You are taking a break.")).to_be_visible()


class DueNow:
    """Lets the reality check be due, until one of the tabs answers it."""

    def __init__(self) -> None:
        self.due = True
        self.answers = 0

    def __call__(self, route: Route) -> None:
        """Pass the server's answer on, with another time."""
        if route.request.method == "POST":
            self.due, self.answers = False, self.answers + 1
        response = route.fetch()
        told = response.json()
        route.fulfill(response=response, body=json.dumps(told | {"due_ms": 1} if self.due else told))


@pytest.fixture
def due_now(context: BrowserContext) -> Iterator[DueNow]:
    """Stand between the pages and the reality check; the last question is answered before the tabs close."""
    between = DueNow()
    yield between
    context.unroute_all(behavior="wait")


def test_the_reality_check_is_answered_in_one_tab_for_all(
    page: Page, context: BrowserContext, house: System, due_now: DueNow, shoot: Callable[[Page, str], None]
) -> None:
    """It says what was staked, stays for Escape, keeps the focus, and closes everywhere with one answer."""
    other = open_page(context, house.url)
    bet(page)
    context.route(REALITY, due_now)
    for tab in (page, other):
        tab.evaluate("() => document.dispatchEvent(new Event('visibilitychange'))")
        expect(tab.locator("#reality")).to_be_visible()
    dialog = page.locator("#reality")
    expect(dialog).to_have_role("alertdialog")
    expect(dialog).to_contain_text("You are $5.00 down.")
    shoot(page, "reality-check")
    assert violations(page) == []
    page.keyboard.press("Escape")
    expect(dialog).to_be_visible()
    inside = "() => document.activeElement === document.body || Boolean(document.activeElement.closest('#reality'))"
    for _ in range(6):
        page.keyboard.press("Tab")
        assert page.evaluate(inside)
    dialog.get_by_role("button", name="Go on").click()
    for tab in (page, other):
        expect(tab.locator("#reality")).not_to_be_visible()
    assert due_now.answers == 1


def test_the_reality_check_waits_for_the_hand_and_leads_to_a_break(
    page: Page, context: BrowserContext, due_now: DueNow
) -> None:
    """While a finger is down on the board no dialog comes between; the tap counts."""
    bet(page)
    box = page.locator("#board").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 5, box["y"] + 5)
    page.mouse.down()
    context.route(REALITY, due_now)
    with page.expect_response(REALITY):
        page.evaluate("() => document.dispatchEvent(new Event('visibilitychange'))")
    page.wait_for_timeout(1_500)  # it looks once a second
    expect(page.locator("#reality")).not_to_be_visible()
    page.mouse.up()
    dialog = page.locator("#reality")
    expect(dialog).to_be_visible()
    page.wait_for_timeout(600)  # what is pressed sooner was meant for the board
    dialog.get_by_role("button", name="Take a break").click()
    expect(page.locator("#limits")).to_be_visible()


@pytest.mark.parametrize(("scheme", "width"), [("dark", 390), ("light", 1280)])
def test_every_panel_can_be_used_by_everybody(
    browser: Browser, house: System, scheme: Scheme, width: int, shoot: Callable[[Page, str], None]
) -> None:
    """No violation that axe knows, and nothing wider than the screen."""
    with chromium.calm(browser, color_scheme=scheme, viewport={"width": width, "height": 844}) as context:
        page = play_as_guest(context, house.url)
        bet(page)
        for name in ("Limits and breaks", "History", "Money", "Sign-ins", "Account"):
            panel = open_panel(page, name)
            expect(panel.get_by_text("Loading")).to_have_count(0)
            assert violations(page) == [], name
            assert panel.evaluate("(element) => element.scrollWidth <= element.clientWidth"), name
            shoot(page, f"{name.split()[0].lower()}-{scheme}-{width}")
            page.keyboard.press("Escape")
