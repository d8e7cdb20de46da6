"""A browser and who sits before it: plays as a guest or with a wallet, and looks for what people cannot use."""

from __future__ import annotations

import json

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Locator, Page, expect
from playwright.sync_api import TimeoutError as NotShown

from taptrade.wallet import Wallet, new_wallet
from tests.page.seat import Seat

OPERATOR = new_wallet()
"""Who may operate the slow house."""
TAPS_MAX = 4
TAP_SHOWS_MS = 5_000
ROWS_AROUND = (0, 1, -1, 2, -2)
# A provider as extensions put it into a page (EIP-1193); the wallet itself stays outside. A test may let it refuse, or
# be on another chain.
PROVIDER = """
window.ethereum = {
  request: async ({ method, params }) => {
    if (method === "eth_requestAccounts" || method === "eth_accounts") return [ADDRESS];
    if (method === "eth_chainId") return window.chainId ?? "0x1";
    if (method === "wallet_switchEthereumChain") throw Object.assign(new Error("no"), { code: 4902 });
    if (window.refuses) throw Object.assign(new Error("User rejected the request."), { code: 4001 });
    if (method === "personal_sign") return window.walletSigns(params[0]);
    throw new Error(method);
  },
  on() {},
  removeListener() {},
};
"""


def lend_wallet(context: BrowserContext, wallet: Wallet) -> None:
    """Put a wallet into the browser's pages."""
    context.expose_function("walletSigns", lambda text: wallet.sign(bytes.fromhex(text[2:]).decode()))
    # Wallets give addresses in lower case.
    context.add_init_script(PROVIDER.replace("ADDRESS", json.dumps(wallet.address.lower())))


def open_page(context: BrowserContext, url: str) -> Page:
    """Open the game in a new tab."""
    seat = Seat(context.new_page(), url)
    seat.open()
    return seat.page


def play_as_guest(context: BrowserContext, url: str) -> Page:
    """Open the game as somebody new, by the first button."""
    seat = Seat(context.new_page(), url)
    seat.open()
    seat.play_as_guest()
    return seat.page


def connect_wallet(page: Page) -> None:
    """Sign in with the wallet that the browser was lent."""
    page.click("#connect")
    page.get_by_role("button", name="Browser wallet").click()
    expect(page.locator("#balance-box")).to_be_visible()


def tap(page: Page, at: int = 0) -> None:
    """Tap a cell of the columns that stay open longest; in the table, where the pointer is in nobody's way.

    Taps of different numbers go to different rows: columns move on in between, and a cell takes one bet only.
    """
    rows = page.locator("#cells tbody tr")
    row = rows.nth(rows.count() // 2 + ROWS_AROUND[at % len(ROWS_AROUND)])
    cells = row.locator("td button:not([aria-disabled=true]):not([data-state])")
    cells.nth(cells.count() - 1 - at // len(ROWS_AROUND)).dispatch_event("click")


def bet(page: Page) -> None:
    """Tap until one more bet is confirmed."""
    tap_until(page, "[data-state=confirmed], [data-state=touched]")


def tap_until(page: Page, wanted: str) -> Locator:
    """Tap until the newest bet is a wanted one; now and then the rate falls too far under way, and that one is not.

    An idle table is behind the grid by design, so a tap may also meet a cell that has just left: that one is repeated.
    """
    bets = page.locator("#bets > li")
    newest = page.locator(
        "#bets > li:first-child:is([data-state=confirmed], [data-state=touched], [data-state=refused])"
    )
    for at in range(bets.count(), bets.count() + TAPS_MAX):
        known = bets.count()
        tap(page, at)
        try:
            bets.nth(known).wait_for(timeout=TAP_SHOWS_MS)
        except NotShown:
            continue
        expect(newest).to_be_visible()
        found = page.locator(f"#bets > li:first-child:is({wanted})")
        if found.count():
            return found
    raise AssertionError(f"none of {TAPS_MAX} taps became {wanted}: {page.locator('#bets').inner_text()}")


def open_panel(page: Page, name: str) -> Locator:
    """Open a panel by the menu."""
    page.click("#menu-button")
    page.locator("#menu").get_by_role("button", name=name).click()
    panel = page.locator("dialog[open]")
    expect(panel).to_be_visible()
    return panel


def violations(page: Page) -> list[str]:
    """Return what axe finds on the page as it stands."""
    found = Axe().run(page).response["violations"]
    return [f"{one['id']}: {node['target']}" for one in found for node in one["nodes"]]
