"""A browser and who sits before it: plays as a guest or with a wallet, and looks for what people cannot use."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect, sync_playwright

from taptrade.wallet import Wallet

FLAGS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
PATIENCE_MS = 15_000
TAPS_MAX = 4
TAPPABLE = "#cells td button:not([aria-disabled=true])"
# A provider as extensions put it into a page (EIP-1193); the wallet itself stays outside.
PROVIDER = """
window.ethereum = {
  request: async ({ method, params }) => {
    if (method === "eth_requestAccounts" || method === "eth_accounts") return [ADDRESS];
    if (method === "eth_chainId") return "0x1";
    if (method === "personal_sign") return window.walletSigns(params[0]);
    throw new Error(method);
  },
  on() {},
  removeListener() {},
};
"""


@contextmanager
def chromium() -> Iterator[Browser]:
    """Run the machine's own Chromium; without one the test is left out, and says so."""
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        pytest.skip("there is no Chromium on this machine: nothing of the page was tried in a browser")
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        yield browser
        browser.close()


def lend_wallet(context: BrowserContext, wallet: Wallet) -> None:
    """Put a wallet into the browser's pages."""
    context.expose_function("walletSigns", lambda text: wallet.sign(bytes.fromhex(text[2:]).decode()))
    # Wallets give addresses in lower case.
    context.add_init_script(PROVIDER.replace("ADDRESS", json.dumps(wallet.address.lower())))


def open_page(context: BrowserContext, url: str) -> Page:
    """Open the game and wait for its cells."""
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    page.goto(url)
    expect(page.locator(TAPPABLE).nth(20)).to_be_attached()
    return page


def play_as_guest(context: BrowserContext, url: str) -> Page:
    """Open the game as somebody new, by the first button."""
    page = open_page(context, url)
    page.click("#guest")
    expect(page.locator("#balance-box")).to_be_visible()
    return page


def tap(page: Page, at: int = 0) -> None:
    """Tap a cell of the columns that stay open longest; in the table, where the pointer is in nobody's way."""
    rows = page.locator("#cells tbody tr")
    cells = rows.nth(rows.count() // 2).locator("td button:not([aria-disabled=true])")
    cells.nth(cells.count() - 1 - at).dispatch_event("click")


def bet(page: Page) -> None:
    """Tap until one more bet is confirmed: now and then the rate falls too far under way."""
    confirmed = page.locator("#bets li[data-state=confirmed]")
    before = confirmed.count()
    for at in range(before, before + TAPS_MAX):
        tap(page, at)
        try:
            expect(confirmed).to_have_count(before + 1, timeout=3_000)
        except AssertionError:
            continue
        return
    raise AssertionError(f"none of {TAPS_MAX} taps was confirmed: {page.locator('#bets').inner_text()}")


def open_panel(page: Page, name: str) -> Locator:
    """Open a panel by the menu."""
    page.click("#menu-button")
    page.get_by_role("menuitem", name=name).click()
    panel = page.locator("dialog[open]")
    expect(panel).to_be_visible()
    return panel


def violations(page: Page) -> list[str]:
    """Return what axe finds on the page as it stands."""
    found = Axe().run(page).response["violations"]
    return [f"{one['id']}: {node['target']}" for one in found for node in one["nodes"]]
