"""Wallets of the browser: found, asked, refusing, switching; the browser's key taps for them."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from taptrade.wallet import Wallet, new_wallet
from tests.acceptance.system import System
from tests.page.seat import Seat

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(180)]
# A provider as an extension announces it (EIP-6963, EIP-1193); the wallet itself stays outside the browser.
PROVIDER = """
(() => {
  const listeners = new Set();
  const provider = {
    request: async ({ method, params }) => {
      if (method === "eth_requestAccounts") return [ADDRESS];
      if (method === "eth_chainId") return window.chainId ?? "0x1";
      if (method === "wallet_switchEthereumChain") throw Object.assign(new Error("no"), { code: 4902 });
      if (window.refuses) throw Object.assign(new Error("User rejected the request."), { code: 4001 });
      return window.walletSigns(params[0]);
    },
    on: (name, listener) => listeners.add(listener),
    removeListener: (name, listener) => listeners.delete(listener),
  };
  window.switchAccount = () => listeners.forEach((listener) => listener(["0x" + "1".repeat(40)]));
  const announce = (uuid, name, icon) => {
    const detail = Object.freeze({ info: { uuid, name, icon, rdns: "org.example" }, provider });
    window.dispatchEvent(new CustomEvent("eip6963:announceProvider", { detail }));
  };
  window.addEventListener("eip6963:requestProvider", () => {
    announce("a", "Fox <b>Wallet</b>", "data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg'/>");
    announce("b", "Other", "https://elsewhere.example/spy.png");
  });
})();
"""


@pytest.fixture
def wallet(context: BrowserContext) -> Wallet:
    """A wallet that two extensions of the browser lend."""
    wallet = new_wallet()
    context.expose_function("walletSigns", lambda text: wallet.sign(bytes.fromhex(text[2:]).decode()))
    context.add_init_script(PROVIDER.replace("ADDRESS", json.dumps(wallet.address.lower())))
    return wallet


@pytest.fixture
def choosing(house: System, page: Page, wallet: Wallet) -> Seat:
    """A visitor who is about to choose a wallet."""
    seat = Seat(page, house.url)
    seat.open()
    page.get_by_role("button", name="Connect wallet").click()
    expect(page.locator(".wallets button")).to_have_count(2)
    return seat


def connect(seat: Seat) -> None:
    seat.page.get_by_role("button", name="Fox <b>Wallet</b>").click()


def test_a_wallet_signs_once_and_the_browsers_key_taps(
    choosing: Seat, wallet: Wallet, shoot: Callable[[Page, str], None]
) -> None:
    shoot(choosing.page, "wallets")
    assert choosing.page.locator(".wallets img").count() == 1
    connect(choosing)
    expect(choosing.page.locator("#balance")).to_be_visible()
    choosing.bet()
    me = choosing.page.evaluate("fetch('/api/me').then((answer) => answer.json())")
    assert me["user"]["wallet_address"] == wallet.address
    assert me["session"]["session_key"].startswith("p256:0")
    choosing.page.reload()
    expect(choosing.page.locator("#balance")).to_be_visible()
    expect(choosing.bets.first).to_be_visible()
    choosing.bet()


def test_what_a_wallet_does_not_do_is_said_and_a_switch_of_its_account_signs_out(choosing: Seat) -> None:
    page = choosing.page
    said = page.locator("#wallet .said")
    page.evaluate("window.chainId = '0x89'")
    connect(choosing)
    expect(said).to_contain_text("another chain")
    page.evaluate("window.chainId = '0x1'; window.refuses = true")
    connect(choosing)
    expect(said).to_contain_text("You refused")
    page.evaluate("window.refuses = false")
    connect(choosing)
    expect(page.locator("#balance")).to_be_visible()
    page.evaluate("window.switchAccount()")
    expect(page.locator("#welcome")).to_be_visible()
    expect(page.locator("#banners")).to_contain_text("switched to another account")
    assert page.evaluate("fetch('/api/me').then((answer) => answer.status)") == 401
