"""The interface as a page, in a browser: signs in by a throw-away key, tries calls, bets, listens, and fits a phone."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from collections.abc import Iterator
from typing import Any, Literal
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.sync_api import Browser, Locator, Page, Route, expect

from functions.page import POLICY
from runtime.clock import SystemClock
from taptrade.client import TapClient
from taptrade.wallet import new_wallet, sign_login
from tests.acceptance.system import System
from tests.page import chromium
from tests.page.visitor import violations
from tests.page.watch import Watch

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(180)]
SIGN_IN = "Sign in with a throw-away key"
PHONE_PX = 360
BETS_MAX = 5
SCHEMES: tuple[Literal["dark", "light"], ...] = ("dark", "light")


@pytest.fixture(scope="module")
def visit(slow_house: System, browser: Browser) -> Iterator[Page]:
    """The page on a phone, signed in by a throw-away key: one tab for all tests, whose every complaint fails."""
    with chromium.calm(browser, viewport={"width": PHONE_PX, "height": 740}) as context:
        watch = Watch(context, urlsplit(slow_house.url).netloc)
        page = context.new_page()
        answer = page.goto(f"{slow_house.url}/docs")
        assert answer is not None
        assert answer.headers["content-security-policy"] == POLICY
        page.get_by_role("button", name=SIGN_IN).click()
        expect(page.locator("#caller")).to_contain_text("Signed in as guest")
        yield page
        assert context.cookies() == [], "who plays in this browser stays who it is"
    assert watch.faults == []


def unfold(fold: Locator) -> None:
    """Open a fold, by the keyboard."""
    if fold.get_attribute("open") is None:
        fold.locator("> summary").press("Enter")


def opened(page: Page, operation: str) -> Locator:
    """Open an endpoint and its form."""
    card = page.locator(f"#{operation}")
    unfold(card)
    unfold(card.locator(".trial"))
    expect(card.locator("form")).to_be_visible()
    return card


def answered(card: Locator) -> Any:
    """Send, and read the answer."""
    card.locator(".answer").evaluate("(place) => place.replaceChildren()")
    card.get_by_role("button", name="Send").press("Enter")
    body = card.get_by_label("Body of the answer")
    expect(body).to_be_visible()
    return json.loads(body.inner_text())


def placed(card: Locator) -> Any:
    """Bet on a cell that the grid offers; a rate may move while a bet is on its way."""
    found = None
    for _ in range(BETS_MAX):
        card.get_by_role("button", name="Fill in from the grid").click()
        expect(card.locator("textarea")).to_have_value(re.compile('"nonce": ""'))
        found = answered(card)
        if "code" not in found:
            return found
    raise AssertionError(found)


def test_every_endpoint_is_shown_with_its_fields_its_refusals_and_its_events(visit: Page, slow_house: System) -> None:
    paths = httpx.get(f"{slow_house.url}/openapi.json", trust_env=False).json()["paths"]
    expect(visit.locator(".operation")).to_have_count(sum(map(len, paths.values())))
    bet = opened(visit, "place_bet")
    amount = bet.locator(".fields > div", has=visit.locator("dt", has_text=re.compile("^amount$"))).first
    for told in ("integer, cents, required", "stake in cents", "100"):
        expect(amount).to_contain_text(told)
    expect(bet.locator(".codes")).to_contain_text(["402 INSUFFICIENT_FUNDSThe balance does not cover the amount."])
    event = opened(visit, "stream").locator(".content > details:has(> summary > code:text-is('balance'))")
    unfold(event)
    expect(event.locator(".fields > div", has_text="What the account holds.")).to_have_count(1)
    visit.get_by_label("Show what has").fill("insufficient_funds")
    expect(visit.locator("#found")).to_have_text("2 endpoints")
    visit.get_by_label("Show what has").fill("")


def test_a_call_carries_the_session_of_the_throw_away_key_and_so_does_its_line_for_a_shell(visit: Page) -> None:
    me = opened(visit, "me")
    found = answered(me)
    assert found["user"]["kind"] == "guest"
    expect(me.get_by_role("status")).to_have_text(re.compile(r"^200 OK, \d+ ms, \d+ characters$"))
    expect(me.locator(".answer dt", has_text="x-request-id")).to_have_count(1)
    line = shlex.split(me.get_by_label("The same with curl").inner_text())
    again = subprocess.run(line, capture_output=True, check=True, timeout=20)
    assert json.loads(again.stdout)["user"] == found["user"]


def test_a_bet_is_signed_and_confirmed_and_the_stream_tells_of_it(visit: Page) -> None:
    stream = opened(visit, "stream")
    stream.get_by_label("events", exact=True).fill("bet,balance")
    stream.get_by_role("button", name="Start").press("Enter")
    expect(stream.get_by_role("status")).to_have_text("The stream is open.")
    bet = placed(opened(visit, "place_bet"))["bet"]
    assert (bet["status"], bet["amount"]) == ("confirmed", 100)
    event = stream.locator(".events > li[data-type=bet]").last
    event.locator("summary").press("Enter")
    expect(event.locator("pre")).to_contain_text(bet["id"])
    stream.get_by_role("button", name="Stop").press("Enter")
    expect(stream.get_by_role("status")).to_have_text("The stream is closed.")
    expect(stream.get_by_role("button", name="Start")).to_be_focused()
    one = opened(visit, "get_bet")
    one.get_by_label("bet_id", exact=True).focus()
    assert answered(one)["bet"]["id"] == bet["id"]


def test_a_refusal_and_a_body_that_is_no_json_are_shown_as_such(visit: Page) -> None:
    limits = opened(visit, "limits_put_limits")
    limits.locator("textarea").fill("{")
    limits.get_by_role("button", name="Send").press("Enter")
    expect(limits.get_by_role("status")).to_contain_text("The body is no JSON")
    limits.locator("textarea").fill('{"nothing": 1}')
    assert answered(limits)["code"] == "INVALID_REQUEST"
    expect(limits.get_by_role("status")).to_have_text(re.compile("^400 Bad Request"))


def test_unfolded_it_fits_a_phone_and_everybody_can_use_it(visit: Page) -> None:
    for operation in ("place_bet", "stream", "operate_overview"):
        opened(visit, operation)
    for _ in range(3):  # what is inside a type unfolds in turn
        visit.evaluate("for (const one of document.querySelectorAll('.operation[open] details')) one.open = true")
    expect(visit.locator("#operate_overview dt", has_text=re.compile("^last_seen_at$"))).to_be_visible()
    assert visit.evaluate("document.documentElement.scrollWidth") == PHONE_PX
    visit.evaluate("for (const one of document.querySelectorAll('details')) one.open = false")
    opened(visit, "place_bet")
    opened(visit, "stream")
    for scheme in SCHEMES:
        visit.emulate_media(color_scheme=scheme)
        assert violations(visit) == []


def test_a_live_house_offers_no_throw_away_key_and_takes_a_token_that_it_never_shows(
    visit: Page, slow_house: System
) -> None:
    def live(route: Route) -> None:
        rules = route.fetch().json()
        route.fulfill(json=rules | {"mode": "live", "guests": False})

    page = visit.context.new_page()
    page.route("**/api/rules", live)
    page.goto(f"{slow_house.url}/docs#me")
    expect(page.get_by_text("This house plays for real money")).to_be_visible()
    expect(page.get_by_role("button", name=SIGN_IN)).to_have_count(0)
    with TapClient(slow_house.url) as client:
        client.login(sign_login(new_wallet(), None, slow_house.audience, SystemClock().now_ms()))
        page.get_by_label("Or a token of yours").fill(client.token)
        page.get_by_role("button", name="Use it").press("Enter")
        expect(page.locator("#caller")).to_contain_text("All calls carry your token")
        me = opened(page, "me")
        assert answered(me)["user"]["kind"] == "wallet"
        expect(me.get_by_label("The same with curl")).to_contain_text("Bearer YOUR_TOKEN")
        assert client.token not in page.content()
    page.close()
