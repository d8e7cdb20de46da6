"""The operator's page in a browser: the door, the house at one look, and what is decided there."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect

from runtime.clock import SystemClock
from taptrade.client import TapClient
from taptrade.wallet import Wallet, new_wallet, sign_login, sign_withdrawal
from tests.acceptance.system import System
from tests.page import chromium
from tests.page.visitor import OPERATOR
from tests.page.watch import Watch
from tests.waiting import wait_until

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(180)]
SHOTS = Path(__file__).resolve().parents[2] / "build" / "page"
PROVIDER = """
(() => {
  const provider = {
    request: async ({ method, params }) => {
      if (method === "eth_requestAccounts") return [ADDRESS];
      if (method === "eth_chainId") return "0x1";
      if (window.refuses) throw Object.assign(new Error("User rejected the request."), { code: 4001 });
      return window.walletSigns(params[0]);
    },
    on() {}, removeListener() {},
  };
  window.addEventListener("eip6963:requestProvider", () => {
    const detail = Object.freeze({ info: { uuid: "a", name: "Test Wallet", icon: "", rdns: "org.example" }, provider });
    window.dispatchEvent(new CustomEvent("eip6963:announceProvider", { detail }));
  });
})();
"""
CLOCK = SystemClock()
SIGN_IN = "Sign in with Test Wallet"


@pytest.fixture
def house(slow_house: System) -> System:
    """A whole system that one wallet operates."""
    return slow_house


@pytest.fixture
def one_page(slow_house: System, browser: Browser) -> Iterator[Page]:
    """A page of who operates here, before the door."""
    with chromium.calm(browser) as context:
        watch = Watch(context, urlsplit(slow_house.url).netloc)
        lend(context, OPERATOR)
        page = context.new_page()
        page.goto(f"{slow_house.url}/operate")
        expect(page.get_by_role("button", name=SIGN_IN)).to_be_visible()
        yield page
    assert watch.faults == []


@pytest.fixture
def inside(one_page: Page) -> Page:
    """The page of somebody who has signed in to operate."""
    enter(one_page)
    return one_page


def lend(context: BrowserContext, wallet: Wallet) -> None:
    """Let a wallet be found in the browser; its key stays outside."""
    context.expose_function("walletSigns", lambda text: wallet.sign(bytes.fromhex(text[2:]).decode()))
    context.add_init_script(PROVIDER.replace("ADDRESS", json.dumps(wallet.address.lower())))


def enter(page: Page) -> None:
    """Sign in with the wallet of the browser."""
    page.get_by_role("button", name=SIGN_IN).click()
    expect(page.get_by_role("heading", name="Exposure")).to_be_visible()
    expect(page.locator(".badge")).to_have_text("All is well")


def ask_for(system: System, cents: int) -> str:
    """Let a player withdraw; the wallet that waits for it."""
    wallet = new_wallet()
    with TapClient(system.url) as client:
        client.login(sign_login(wallet, None, system.audience, CLOCK.now_ms()))
        client.withdraw(sign_withdrawal(wallet, cents, system.settings.chain_id, CLOCK.now_ms()), "key")
    return wallet.address


def decide(page: Page, action: str, **words: str) -> None:
    """Fill in the dialog and send it."""
    dialog = page.get_by_role("dialog")
    for label, text in words.items():
        dialog.get_by_label(label, exact=True).fill(text)
    dialog.get_by_role("button", name=action).click()
    expect(dialog).to_be_hidden()


def stored(system: System, sql: str) -> list[Any]:
    with system.database() as database:
        return list(database.execute(sql))


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_the_house_at_one_look(inside: Page, house: System, scheme: Any) -> None:
    ask_for(house, 12_345)
    inside.emulate_media(color_scheme=scheme)
    inside.reload()
    expect(inside.get_by_text("$123.45").first).to_be_visible()
    for title in ("Health", "Breaker", "Queues", "Exposure", "Withdrawals to pay", "What players get back"):
        expect(inside.get_by_role("heading", name=title)).to_be_visible()
    expect(inside.get_by_role("link", name="rq-dashboard")).to_have_attribute(
        "href", f"http://127.0.0.1:{house.settings.dashboard_port}/"
    )
    violations = Axe().run(inside).response["violations"]
    assert [one["id"] for one in violations] == []
    inside.screenshot(path=SHOTS / f"operate-{scheme}.png", full_page=True)
    inside.set_viewport_size({"width": 390, "height": 844})
    wait_until(lambda: inside.evaluate("document.documentElement.scrollWidth") <= 390, what="a page that fits a phone")
    inside.screenshot(path=SHOTS / f"operate-phone-{scheme}.png", full_page=True)
    inside.set_viewport_size({"width": 1280, "height": 800})


def test_a_withdrawal_is_completed_with_who_why_and_reference(inside: Page, house: System) -> None:
    to = ask_for(house, 5_000)
    inside.reload()
    inside.get_by_role("button", name=f"Complete the withdrawal of $50.00 to {to}").click()
    dialog = inside.get_by_role("dialog")
    expect(dialog).to_contain_text(to)
    expect(dialog).to_contain_text(OPERATOR.address)
    decide(inside, "Complete", Reference="tx-0815", Why="paid by hand")
    expect(inside.get_by_text(to)).to_have_count(0)
    rows = stored(house, "SELECT status, who, why FROM withdrawals WHERE reference = 'tx-0815'")
    assert rows == [("completed", OPERATOR.address, "paid by hand")]


def test_a_reference_that_was_used_is_refused_and_nothing_written_is_lost(inside: Page, house: System) -> None:
    dialog = inside.get_by_role("dialog")
    for _ in range(2):
        expect(dialog).to_be_hidden()
        to = ask_for(house, 7_000)
        inside.reload()
        inside.get_by_role("button", name=f"Reverse the withdrawal of $70.00 to {to}").click()
        dialog.get_by_label("Reference", exact=True).fill("twice-1")
        dialog.get_by_label("Why", exact=True).fill("the address refused it")
        dialog.get_by_role("button", name="Reverse").click()
    expect(dialog.get_by_role("alert")).to_be_visible()
    expect(dialog.get_by_label("Why", exact=True)).to_have_value("the address refused it")
    inside.keyboard.press("Escape")
    expect(dialog).to_be_hidden()


def test_the_breaker_by_keyboard_alone_and_what_is_told_of_it_is_text(inside: Page, house: System) -> None:
    why = "<img src=x onerror=alert(1)> looks wrong"
    inside.get_by_role("button", name="Stop all bets").focus()
    inside.keyboard.press("Enter")
    inside.keyboard.type(why)
    inside.keyboard.press("Enter")
    expect(inside.get_by_text(f"By {OPERATOR.address}: {why}")).to_be_visible()
    expect(inside.locator(".badge")).to_have_text("Not well: Breaker")
    assert inside.locator("img").count() == 0
    inside.get_by_role("button", name="Hand it back").focus()
    inside.keyboard.press("Enter")
    inside.keyboard.type("it was a test")
    inside.keyboard.press("Enter")
    expect(inside.locator(".badge")).to_have_text("All is well")
    kept = stored(house, "SELECT override, who, why FROM breaker_overrides ORDER BY id")
    assert kept == [("open", OPERATOR.address, why), ("auto", OPERATOR.address, "it was a test")]


def test_it_asks_only_while_it_is_seen_and_says_when_figures_are_old(inside: Page) -> None:
    asked: list[str] = []

    def count(route: Route) -> None:
        asked.append(route.request.url)
        route.abort()

    inside.route("**/api/operate/overview", count)
    expect(inside.locator("#notice")).to_contain_text("No answer from the house")
    inside.evaluate("Object.defineProperty(document, 'hidden', { value: true, configurable: true })")
    inside.wait_for_timeout(2_500)  # what was on its way has come, and no other follows
    before = len(asked)
    inside.wait_for_timeout(4_500)
    assert len(asked) == before > 0
    inside.unroute("**/api/operate/overview")
    inside.evaluate("delete document.hidden; document.dispatchEvent(new Event('visibilitychange'))")
    expect(inside.locator("#notice")).to_be_hidden()


def test_signing_out_shows_the_door_and_ends_the_session(inside: Page) -> None:
    inside.get_by_role("button", name="Sign out").click()
    expect(inside.get_by_text("You are signed out.")).to_be_visible()
    inside.reload()
    expect(inside.get_by_role("button", name=SIGN_IN)).to_be_visible()


def test_a_session_that_has_ended_shows_the_door(inside: Page) -> None:
    inside.context.clear_cookies()
    expect(inside.get_by_text("The session has ended. Sign in again.")).to_be_visible()


def test_a_stranger_and_a_wallet_that_refuses_stay_outside(house: System, context: BrowserContext, page: Page) -> None:
    lend(context, new_wallet())
    page.goto(f"{house.url}/operate")
    button = page.get_by_role("button", name=SIGN_IN)
    button.click()
    expect(page.get_by_role("alert")).to_have_text("This wallet does not operate here.")
    page.evaluate("window.refuses = true")
    button.click()
    expect(page.get_by_role("alert")).to_contain_text("You refused in the wallet.")
    assert [cookie["name"] for cookie in context.cookies()] == []


def test_a_browser_without_a_wallet_is_told_what_else_there_is(house: System, page: Page) -> None:
    page.goto(f"{house.url}/operate")
    expect(page.get_by_text("There is no wallet in this browser.")).to_be_visible()


def test_where_nobody_is_named_the_door_is_closed(house: System, page: Page) -> None:
    closed = {"status": 403, "code": "FORBIDDEN", "reason": "closed", "detail": "The operator's page is closed here."}
    page.route("**/api/operate/session", lambda route: route.fulfill(status=403, json=closed))
    page.goto(f"{house.url}/operate")
    expect(page.get_by_text("Name wallets in the setting TAPTRADE_OPERATORS")).to_be_visible()
    expect(page.get_by_role("button")).to_have_count(0)
