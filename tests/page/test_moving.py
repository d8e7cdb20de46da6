"""A guest's account moves to a wallet: with all it has, with each refusal in words, and when the answer is lost."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, Route, expect

from taptrade.wallet import Wallet, new_wallet
from tests.acceptance.system import System
from tests.page import chromium
from tests.page.visitor import bet, connect_wallet, lend_wallet, open_page, open_panel, play_as_guest, violations

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(180)]
MOVE = "Move this account to a wallet"
ADOPTION = "**/api/me/wallet"


@pytest.fixture
def house(slow_house: System) -> System:
    """The whole system, with columns whose bets stay open as long as a test."""
    return slow_house


@pytest.fixture
def wallet(context: BrowserContext) -> Wallet:
    """A wallet without an account, in the guest's browser."""
    wallet = new_wallet()
    lend_wallet(context, wallet)
    return wallet


@pytest.fixture
def page(context: BrowserContext, house: System, wallet: Wallet) -> Page:
    """The game before a guest whose browser has a wallet."""
    return play_as_guest(context, house.url)


def user_of(page: Page) -> dict[str, Any]:
    """Return who the server says plays in a browser."""
    user: dict[str, Any] = page.evaluate("fetch('/api/me').then((answer) => answer.json())")["user"]
    return user


def choose(page: Page) -> Locator:
    """Go from the account's panel to the wallets, and choose the one there is."""
    open_panel(page, "Account").get_by_role("button", name=MOVE).click()
    chooser = page.locator("#move")
    chooser.get_by_role("button", name="Browser wallet").click()
    return chooser


def test_a_guests_account_moves_with_all_it_has(
    page: Page, context: BrowserContext, browser: Browser, house: System, wallet: Wallet
) -> None:
    """This tab, the others and a fresh browser play on for the same account; the guest's key goes on tapping."""
    other = open_page(context, house.url)
    bet(page)
    guest = user_of(page)
    page.set_viewport_size({"width": 390, "height": 844})
    chooser = choose(page)
    expect(chooser).to_contain_text(f"This account belongs to {wallet.address} now")
    assert violations(page) == []
    assert chooser.evaluate("(element) => element.scrollWidth <= element.clientWidth")
    page.keyboard.press("Enter")
    expect(chooser).not_to_be_visible()
    account = open_panel(page, "Account")
    expect(account).to_contain_text(wallet.address)
    expect(account.get_by_role("button", name=MOVE)).not_to_be_visible()
    page.keyboard.press("Escape")
    assert user_of(page) == guest | {"wallet_address": wallet.address, "kind": "wallet"}
    for tab in (page, other):
        expect(open_panel(tab, "Money").get_by_role("button", name="Withdraw")).to_be_visible()
        tab.keyboard.press("Escape")
        bet(tab)
    page.reload()
    expect(page.locator("#bets > li:not([data-state=refused])")).to_have_count(3)
    with chromium.calm(browser) as elsewhere:
        lend_wallet(elsewhere, wallet)
        fresh = open_page(elsewhere, house.url)
        connect_wallet(fresh)
        assert user_of(fresh) == user_of(page)
        expect(open_panel(fresh, "History").get_by_role("link", name="Proof").nth(2)).to_be_visible()


def test_what_stands_in_the_way_is_said_and_leaves_the_guest_as_it_was(
    page: Page, browser: Browser, house: System, wallet: Wallet
) -> None:
    """The wallet refuses, is on another chain, or has an account."""
    with chromium.calm(browser) as elsewhere:
        lend_wallet(elsewhere, wallet)
        connect_wallet(open_page(elsewhere, house.url))
    page.evaluate("window.refuses = true")
    chooser = choose(page)
    expect(chooser).to_contain_text("You refused in the wallet. Nothing has changed.")
    page.evaluate("window.refuses = false; window.chainId = '0x89'")
    chooser.get_by_role("button", name="Browser wallet").click()
    expect(chooser).to_contain_text("The wallet is on another chain. Accepted: 1.")
    page.evaluate("window.chainId = '0x1'")
    chooser.get_by_role("button", name="Browser wallet").click()
    expect(chooser).to_contain_text("This wallet has an account of its own")
    assert violations(page) == []
    assert user_of(page)["kind"] == "guest"
    page.keyboard.press("Escape")
    bet(page)


def lose(context: BrowserContext, *, heard: bool, cookie: bool) -> Callable[[Route], None]:
    """Return what loses the first answer: after the server has heard the request or before, with its cookie or not."""
    lost: list[Route] = []

    def handle(route: Route) -> None:
        if lost:
            return route.continue_()
        lost.append(route)
        if heard:
            route.fetch()
        if not cookie:
            context.clear_cookies()
        return route.abort("connectionreset")

    return handle


def test_a_lost_answer_is_found_out_by_itself(page: Page, context: BrowserContext, wallet: Wallet) -> None:
    """The move was made: the page asks who plays, and says that it is done."""
    page.route(ADOPTION, lose(context, heard=True, cookie=True))
    expect(choose(page)).to_contain_text(f"This account belongs to {wallet.address} now")
    assert user_of(page)["kind"] == "wallet"


def test_an_answer_that_is_lost_with_its_cookie_leads_to_the_wallet(
    page: Page, context: BrowserContext, wallet: Wallet
) -> None:
    """Nobody is signed in then: the wallet is, and a new guest has a new key."""
    guest = user_of(page)
    page.route(ADOPTION, lose(context, heard=True, cookie=False))
    choose(page)
    expect(page.locator("#banners")).to_contain_text("A wallet has this account now")
    expect(page.locator("dialog[open]")).to_have_count(0)
    connect_wallet(page)
    assert user_of(page) == guest | {"wallet_address": wallet.address, "kind": "wallet"}
    open_panel(page, "Account").get_by_role("button", name="Sign out").click()
    page.get_by_role("button", name="Play as guest").click()
    expect(page.locator("#balance-box")).to_be_visible()
    assert user_of(page)["id"] != guest["id"]


def test_a_request_that_is_lost_can_be_sent_again(page: Page, context: BrowserContext, wallet: Wallet) -> None:
    """The server has not heard it: the guest plays on, and may choose again."""
    page.route(ADOPTION, lose(context, heard=False, cookie=True))
    chooser = choose(page)
    expect(chooser).to_contain_text("The server did not answer. Try again: it does no harm.")
    chooser.get_by_role("button", name="Browser wallet").click()
    expect(chooser).to_contain_text(f"This account belongs to {wallet.address} now")
