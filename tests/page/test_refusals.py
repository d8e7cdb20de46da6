"""What a refused tap says: every code that a bet can be answered with, and the house's own refusals."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect

from runtime.clock import SystemClock
from runtime.error_codes import CODES
from runtime.game.breaker import Override
from runtime.market.breaker import set_override
from runtime.web.discovery import discover
from runtime.web.openapi import error_codes
from taptrade.client import TapClient
from taptrade.wallet import new_wallet, sign_login, sign_withdrawal
from tests.acceptance.system import System
from tests.page import chromium
from tests.page.seat import TAKEN, Seat
from tests.page.visitor import lend_wallet, open_page
from tests.sources import ROOT

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(120)]
BETS = "**/api/bets"
[BET] = [one for one in discover(ROOT / "functions") if (one.method, one.route) == ("POST", "/api/bets")]
ENDS_SESSION = "UNAUTHENTICATED"
# The page cannot know yet whether the bet was taken: it asks again.
OPEN_ENDED = {"INTERNAL_ERROR", "REPLAYED_NONCE"}
REFUSED = [code for code in error_codes(BET) if code not in OPEN_ENDED | {ENDS_SESSION}]
DETAIL = "words of the server"
FIELDS: dict[str, Any] = {
    "detail": DETAIL,
    "max_stake_cents": 100,
    "limit": "stake_max_cents",
    "until_ms": None,
}
SENTENCE = """([code, fields]) => import("/page/texts.js").then(({ texts }) =>
  texts.refusals[code]?.({ ...fields, untilText: "", maxStakeCents: fields.max_stake_cents }))"""
TAPS_MAX = 5
NEVER_PLACED = {"code": "REPLAYED_NONCE", "status": 409, "bet": None, "outcome": "never_placed"}
CLOCK = SystemClock()


@pytest.fixture(scope="module")
def table(house: System, browser: Browser) -> Iterator[Seat]:
    """One guest for all refusals."""
    with chromium.calm(browser) as context:
        seat = Seat(context.new_page(), house.url)
        seat.open()
        seat.play_as_guest()
        yield seat


@pytest.fixture
def player(table: Seat) -> Iterator[Seat]:
    """The guest, whose next taps are answered by the house again once the test is over."""
    yield table
    table.page.unroute(BETS)


def answer(seat: Seat, *problems: dict[str, Any]) -> None:
    """Let the taps be answered by these, the last one again and again."""
    waiting = list(problems)

    def refuse(route: Route) -> None:
        problem = waiting.pop(0) if len(waiting) > 1 else waiting[0]
        route.fulfill(status=problem["status"], json=problem, content_type="application/problem+json")

    seat.page.route(BETS, refuse)


def tap(seat: Seat) -> None:
    """Tap a cell that is offered."""
    for down in (0.48, 0.54, 0.42):
        seat.page.mouse.move(*seat.point(0.85, down))
        if seat.page.locator("#board.can-tap").count():
            return seat.tap(0.85, down)
    raise AssertionError("no cell can be tapped")


def sentence_of(seat: Seat, code: str) -> str | None:
    """Return what the page has to say of a code, None if nothing of its own."""
    found: str | None = seat.page.evaluate(SENTENCE, [code, FIELDS])
    return found


def expect_newest(seat: Seat, state: str, sentence: str | re.Pattern[str]) -> None:
    """Expect the newest tap in a state, with a sentence."""
    newest = seat.page.locator(f"#bets > li:first-child[data-state={state}] .sentence")
    expect(newest).to_have_text(sentence)


@pytest.mark.parametrize("code", REFUSED)
def test_every_code_has_a_sentence_of_its_own(player: Seat, code: str) -> None:
    sentence = sentence_of(player, code)
    assert sentence, f"page/texts.js says nothing of {code}"
    assert DETAIL not in sentence
    assert sentence not in {sentence_of(player, other) for other in REFUSED if other != code}
    answer(player, FIELDS | {"code": code, "status": CODES[code].status})
    tap(player)
    expect_newest(player, "refused", sentence)
    expect(player.page.locator("#live")).to_have_text(sentence)


@pytest.mark.parametrize(
    ("problem", "sentence"),
    [
        ({"code": "RATE_MOVED", "status": 409, "rate_bp": 15_000}, "to 1.50x"),
        ({"code": "INSUFFICIENT_FUNDS", "status": 402}, "does not cover"),
        ({"code": "LIMIT_REACHED", "status": 403, "limit": "loss_day_max_cents"}, "limit of losses"),
        ({"code": "PRICE_FEED_STALE", "status": 503}, "no fresh price"),
        ({"code": "SOMETHING_NEW", "status": 422, "detail": "So it is."}, "So it is."),
    ],
)
def test_a_refusal_says_why(player: Seat, problem: dict[str, Any], sentence: str) -> None:
    answer(player, problem)
    with player.page.expect_response(BETS):
        tap(player)
    expect_newest(player, "refused", re.compile(re.escape(sentence)))


@pytest.mark.parametrize("code", sorted(OPEN_ENDED))
def test_where_the_outcome_is_not_known_the_page_says_so_and_finds_out(player: Seat, code: str) -> None:
    problem = {"code": code, "status": CODES[code].status, "bet": None, "outcome": "unknown"}
    answer(player, problem, problem, problem, NEVER_PLACED)
    tap(player)
    expect_newest(player, "unknown", "No answer came. The page asks again; the bet counts once or not at all.")
    expect_newest(player, "refused", "The bet was lost on its way. No money was taken.")


@pytest.mark.parametrize(
    ("code", "field", "sent"),
    [
        ("STAKE_NOT_ALLOWED", "amount", 7),
        ("STAKE_NOT_ALLOWED", "amount", 1_000_000_000),
        ("CELL_UNKNOWN", "cell_id", "1_2_3"),
        ("SIGNATURE_EXPIRED", "timestamp", 1),
        ("INVALID_SIGNATURE", "min_rate_bp", 10_001),
        ("INVALID_REQUEST", "nonce", "?"),
    ],
)
def test_what_the_house_itself_refuses_is_said(player: Seat, code: str, field: str, sent: Any) -> None:
    def alter(route: Route) -> None:
        body: Any = route.request.post_data_json
        route.continue_(post_data=body | {field: sent})

    player.page.route(BETS, alter)
    tap(player)
    sentence = sentence_of(player, code)
    assert sentence
    expect_newest(player, "refused", sentence)


def test_a_session_that_has_ended_is_said_and_the_way_in_is_shown(seat: Seat, context: BrowserContext) -> None:
    context.clear_cookies()
    tap(seat)
    expect(seat.page.locator("#banners")).to_contain_text("Your session has ended.")
    expect(seat.page.locator("#welcome")).to_be_visible()
    seat.play_as_guest()
    expect(seat.page.locator("#welcome")).to_be_hidden()
    seat.bet()


def test_a_balance_that_is_too_low_is_said(house: System, context: BrowserContext) -> None:
    wallet = new_wallet()
    with TapClient(house.url) as client:
        client.login(sign_login(wallet, None, house.audience, CLOCK.now_ms()))
        left_cents = 300
        cents = client.me().user.balance - left_cents
        client.withdraw(sign_withdrawal(wallet, cents, house.settings.chain_id, CLOCK.now_ms()), "all-but-a-little")
    lend_wallet(context, wallet)
    seat = Seat(open_page(context, house.url), house.url)
    seat.page.click("#connect")
    seat.page.get_by_role("button", name="Browser wallet").click()
    expect(seat.page.locator("#balance")).to_have_text("$3.00")
    for _ in range(TAPS_MAX):
        with seat.page.expect_response(BETS) as answered:
            tap(seat)
        # The rate is judged first, and may have fallen under way.
        if answered.value.json()["code"] != "RATE_MOVED":
            break
    expect_newest(seat, "refused", "Your balance does not cover this stake.")


def test_a_tripped_breaker_is_on_a_banner_and_refuses_until_it_is_reset(
    house: System, seat: Seat, shoot: Callable[[Page, str], None]
) -> None:
    stopped = seat.page.locator("#banners").get_by_text("Bets are stopped by the operator.")
    redis = house.redis()
    try:
        set_override(redis, Override.OPEN, "tests", "to see the banner", CLOCK)
        expect(stopped).to_be_visible()
        tap(seat)
        expect_newest(seat, "refused", "Not taken: bets are stopped, or there is no fresh price.")
        expect(seat.page.locator("#hint")).to_contain_text("Bets are stopped just now")
        shoot(seat.page, "breaker")
    finally:
        set_override(redis, Override.AUTO, "tests", "it was seen", CLOCK)
        redis.close()
    expect(stopped).to_be_hidden()
    seat.bet()
    seat.expect_state(*TAKEN)
