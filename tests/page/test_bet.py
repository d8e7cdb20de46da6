"""The proof of a bet as its owner opens it: decided, still open, and as somebody else's."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Locator, Page, Route, expect

from runtime.game.money import dollars
from tests.acceptance.system import System
from tests.page import chromium
from tests.page.punter import Punter

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(180)]
PARTS = 6
OWN = 3


@pytest.fixture(scope="module")
def punter(house: System) -> Iterator[Punter]:
    """Whoever has bets to look at."""
    with Punter(house.url, house.audience) as signed_in:
        yield signed_in


@pytest.fixture(scope="module")
def settled_id(punter: Punter) -> str:
    """A bet that is decided."""
    return punter.settled_bet().id


@pytest.fixture
def open_bet(house: System, punter: Punter, context: BrowserContext) -> Callable[[str], Page]:
    """Return what opens a bet's page in its owner's browser."""
    punter.sign_in(context)

    def opened(bet_id: str) -> Page:
        page = context.new_page()
        page.goto(f"{house.url}/bets/{bet_id}")
        return page

    return opened


def badges(page: Page, box: str) -> Locator:
    """The marks of the findings in a box that hold."""
    return page.locator(f"#{box} > li[data-ok=true]")


def test_everything_of_a_decided_bet_holds(
    open_bet: Callable[[str], Page], punter: Punter, settled_id: str, shoot: Callable[[Page, str], None]
) -> None:
    page = open_bet(settled_id)
    expect(badges(page, "findings")).to_have_count(PARTS)
    expect(badges(page, "own")).to_have_count(OWN)
    told = punter.client.bet(settled_id)
    expect(page.locator("#explanation")).to_have_text(told.explanation)
    expect(page.locator("#figures")).to_contain_text(dollars(told.bet.amount))
    expect(page.locator("#path")).to_contain_text("touched.")
    expect(page.locator("#chart svg .price")).to_be_visible()
    page.locator("#findings summary").first.click()
    expect(page.locator("#findings pre").first).to_contain_text(f"Cell: {told.bet.cell_id}")
    expect(page.locator("#findings pre").nth(1)).to_contain_text("urn:taptrade:session-key:0x")
    assert "http" not in page.locator("#findings").inner_html().replace("http://127.0.0.1", "")
    shoot(page, f"bet-{told.bet.status}")


def test_the_command_is_copied(open_bet: Callable[[str], Page], context: BrowserContext, settled_id: str) -> None:
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = open_bet(settled_id)
    page.get_by_role("button", name="Copy").first.click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == f".venv/bin/taptrade explain {settled_id}"


def test_an_open_bet_is_followed_to_its_end(open_bet: Callable[[str], Page], punter: Punter) -> None:
    page = open_bet(punter.bet().id)
    expect(page.locator("#headline")).to_have_text("Open")
    expect(page.locator("#findings > li[data-ok=null]")).to_have_count(2)
    expect(page.locator("#own > li")).to_have_count(0)
    page.locator("#findings summary").first.click()
    expect(badges(page, "own")).to_have_count(OWN, timeout=60_000)
    expect(badges(page, "findings")).to_have_count(PARTS)
    assert page.locator("#headline").inner_text().split()[0] in ("Won", "Lost", "Void,")
    expect(page.locator("#findings pre").first).to_be_visible()  # what a reader has unfolded stays so


def test_a_stranger_is_led_to_the_sign_in(house: System, page: Page, settled_id: str) -> None:
    page.goto(f"{house.url}/bets/{settled_id}")
    expect(page.locator("#headline")).to_have_text("Whose bet is this?")
    expect(page.locator("#proof")).to_be_hidden()
    expect(page.get_by_role("link", name="sign in")).to_have_attribute("href", "/")


def test_another_accounts_bet_is_none(house: System, context: BrowserContext, page: Page, settled_id: str) -> None:
    with Punter(house.url, house.audience) as other:
        other.sign_in(context)
    page.goto(f"{house.url}/bets/{settled_id}")
    expect(page.locator("#headline")).to_have_text("No such bet")


def test_what_does_not_hold_is_seen(open_bet: Callable[[str], Page], context: BrowserContext, settled_id: str) -> None:
    def lie(route: Route) -> None:
        answer: Any = route.fetch().json()
        answer["evidence"]["low"] += 1
        answer["evidence"]["ticks_sha256"] = "0" * 64
        answer["bet"]["status"] = "lost" if answer["bet"]["status"] == "won" else "won"
        answer["proof"]["rate"] |= {"ok": False, "finding": "<b>The rate is another.</b>"}
        route.fulfill(json=answer)

    context.route("**/api/bets/*", lie)
    page = open_bet(settled_id)
    expect(page.locator("#own > li[data-ok=false]")).to_have_count(OWN)
    wrong = page.locator("#findings > li[data-ok=false]")
    expect(wrong).to_have_count(1)
    expect(wrong).to_contain_text("<b>The rate is another.</b>")


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_a_phone_shows_all_of_it_and_axe_finds_no_fault(
    house: System,
    browser: Browser,
    punter: Punter,
    settled_id: str,
    scheme: Any,
    shoot: Callable[[Page, str], None],
) -> None:
    with chromium.calm(browser, viewport={"width": 390, "height": 844}, color_scheme=scheme, has_touch=True) as context:
        punter.sign_in(context)
        page = context.new_page()
        page.goto(f"{house.url}/bets/{settled_id}")
        expect(badges(page, "findings")).to_have_count(PARTS)
        for fold in page.locator("#findings summary").all():
            fold.click()
        faults = Axe().run(page).response["violations"]
        assert [(fault["id"], [node["html"][:80] for node in fault["nodes"]][:3]) for fault in faults] == []
        assert page.evaluate("document.documentElement.scrollWidth") == 390
        shoot(page, f"bet-phone-{scheme}")
