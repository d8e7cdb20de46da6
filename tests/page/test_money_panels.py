"""Deposits, withdrawals and sign-ins as players meet them."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Request, Route, expect

from taptrade.wallet import new_wallet
from tests.acceptance.system import System
from tests.page import chromium
from tests.page.visitor import bet, connect_wallet, lend_wallet, open_page, open_panel, play_as_guest, violations

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(180)]
DEPOSITS = "**/api/deposits"


def with_wallet(context: BrowserContext, url: str) -> Page:
    """Open the game and sign in with a new wallet."""
    lend_wallet(context, new_wallet())
    page = open_page(context, url)
    connect_wallet(page)
    return page


def test_a_deposit_whose_answer_is_lost_is_booked_once(context: BrowserContext, house: System) -> None:
    """It is repeated with its key until there is an answer; meanwhile the panel says so."""
    page = play_as_guest(context, house.url)
    bet(page)
    expect(page.locator("#balance")).to_have_text("$9,995.00")
    keys: list[str | None] = []

    def lose_first(route: Route) -> None:
        keys.append(route.request.headers.get("idempotency-key"))
        if len(keys) == 1:
            route.fetch()  # the server books it
            route.abort("connectionreset")
        else:
            route.continue_()

    context.route(DEPOSITS, lose_first)
    panel = open_panel(page, "Money")
    panel.get_by_label("Dollars").first.fill("2.50")
    panel.get_by_role("button", name="Add").click()
    expect(panel.get_by_text("$2.50 of play money added. Your balance is $9,997.50.")).to_be_visible()
    assert len(keys) == 2
    assert len(set(keys)) == 1
    panel.get_by_label("Dollars").first.fill("9000")
    panel.get_by_role("button", name="Add").click()
    expect(panel.get_by_text("Your balance would be above the $10,000")).to_be_visible()


def test_a_guest_is_told_why_nothing_can_be_withdrawn(context: BrowserContext, house: System) -> None:
    """The account leads to the money, all of which is in one panel; it has no form that could only be refused."""
    page = play_as_guest(context, house.url)
    open_panel(page, "Account").get_by_role("button", name="Money").click()
    expect(page.locator("dialog[open]")).to_have_count(1)
    panel = page.locator("#money")
    expect(panel.get_by_role("button", name="Add")).to_be_visible()
    expect(panel.get_by_text("A guest has no wallet that could be paid")).to_be_visible()
    expect(panel.get_by_role("button", name="Withdraw")).not_to_be_visible()
    panel.get_by_role("button", name="Move this account to a wallet").click()
    expect(page.locator("#move")).to_contain_text("There is no wallet in this browser.")


def test_a_wallet_signs_a_withdrawal_that_is_then_in_the_list(context: BrowserContext, house: System) -> None:
    """Refusals come as sentences, and what was taken leaves the balance."""
    page = with_wallet(context, house.url)
    panel = open_panel(page, "Money")
    amount = panel.get_by_label("Dollars").nth(1)
    amount.fill("0.50")
    panel.get_by_role("button", name="Withdraw").click()
    expect(panel.get_by_text("At least $1.00 is paid out.")).to_be_visible()
    amount.fill("25")
    panel.get_by_role("button", name="Withdraw").click()
    expect(panel.get_by_text("$25.00 will be paid out. Your balance is $9,975.00.")).to_be_visible()
    expect(panel.locator(".entries li")).to_contain_text("Waits for the operator")
    assert violations(page) == []


def test_another_sign_in_is_ended_from_here(browser: Browser, context: BrowserContext, house: System) -> None:
    """The list names this browser and the others; one that is ended is gone from it."""
    wallet = new_wallet()
    lend_wallet(context, wallet)
    page = open_page(context, house.url)
    with chromium.calm(browser) as elsewhere:
        lend_wallet(elsewhere, wallet)
        for tab in (open_page(elsewhere, house.url), page):
            connect_wallet(tab)
    sent: list[Request] = []
    page.on("request", lambda request: sent.append(request) if request.method == "DELETE" else None)
    panel = open_panel(page, "Sign-ins")
    expect(panel.locator(".entries li")).to_have_count(2)
    assert violations(page) == []
    panel.get_by_role("button", name="End the sign-in").click()
    expect(panel.get_by_text("It has ended.")).to_be_visible()
    expect(panel.locator(".entries li")).to_have_count(1)
    assert len(sent) == 1
    panel.get_by_role("button", name="Sign out").click()
    expect(page.locator("#welcome")).to_be_visible()
    expect(panel).not_to_be_visible()
