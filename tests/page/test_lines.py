"""The page over lines that break: frozen tabs, the way back, sleep, silence, no network, an answer that is lost."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from runtime.auth.credentials import COOKIE
from runtime.game.money import dollars
from taptrade.client import TapClient
from taptrade.views import SETTLED, BetView
from tests.acceptance.system import System
from tests.page import chromium
from tests.page.line import Line
from tests.page.seat import TAKEN, Seat
from tests.page.watch import Watch
from tests.waiting import wait_until

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(120)]
AT_ONCE_MS = 3_000
TAKEN_BETS = "#bets > li:not([data-state=refused])"
SLEEP_MS = 600_000
EVENTS_READ = 5
HIDE = """() => {
  Object.defineProperty(document, "hidden", { value: true, configurable: true });
  for (const name of ["visibilitychange", "freeze"]) document.dispatchEvent(new Event(name));
}"""
SHOW = """() => {
  delete document.hidden;
  for (const name of ["resume", "visibilitychange"]) document.dispatchEvent(new Event(name));
}"""


@pytest.fixture
def line(house: System) -> Iterator[Line]:
    """What lies between the browser of a test and the house."""
    with Line(house.settings.port) as line:
        yield line


@pytest.fixture
def context(browser: Browser, house: System, line: Line) -> Iterator[BrowserContext]:
    """A browser that reaches the house by the line alone."""
    with chromium.calm(browser, proxy={"server": line.url}) as fresh:
        watch = Watch(fresh, urlsplit(house.url).netloc)
        yield fresh
    assert watch.faults == []


@pytest.fixture
def seat(seat: Seat, line: Line) -> Seat:
    """A guest before the board, whose own stream has begun: the first one was read before the sign-in."""
    line.wait_for_stream(1)
    return seat


def tab_that_reads_itself(seat: Seat, context: BrowserContext, line: Line) -> Seat:
    """Open the game once more, as where there are no shared workers."""
    tab = Seat(context.new_page(), seat.url)
    tab.page.add_init_script("delete window.SharedWorker;")
    before = len(line.resumed_at)
    tab.open()
    expect(tab.page.locator("#balance")).to_have_text("$10,000.00")
    line.wait_for_stream(before)
    return tab


@contextmanager
def frozen(tab: Seat, context: BrowserContext) -> Iterator[None]:
    """Let nothing of a tab run within the block, and tell it before and after what browsers tell.

    Playwright keeps all tabs visible, and such a tab passes over `Page.setWebLifecycleState`; so the debugger holds it.
    """
    tab.page.evaluate(HIDE)
    debugger = context.new_cdp_session(tab.page)
    debugger.send("Debugger.enable")
    debugger.send("Debugger.pause")
    yield
    debugger.send("Debugger.resume")
    debugger.detach()
    tab.page.evaluate(SHOW)


@contextmanager
def by_the_side(context: BrowserContext, url: str) -> Iterator[TapClient]:
    """Ask the house for the same player, whatever becomes of the browser and its line."""
    [token] = [cookie["value"] for cookie in context.cookies() if cookie["name"] == COOKIE]
    with TapClient(url, token=token) as client:
        yield client


def bets_of(client: TapClient) -> list[BetView]:
    """Return what the house took; a refused tap is no bet."""
    return [bet for bet in client.all_bets() if bet.refusal_code is None]


def expect_as_the_house_has_it(tab: Seat, context: BrowserContext) -> None:
    """Expect, at once, the player's bets with their ends and the balance."""
    with by_the_side(context, tab.url) as client:
        for bet in bets_of(client):
            states = ("confirmed", "touched") if bet.status == "confirmed" else (bet.status,)
            wanted = ", ".join(f"#bets > li[data-state={state}]:has(a[href='/bets/{bet.id}'])" for state in states)
            expect(tab.page.locator(wanted)).to_be_visible(timeout=AT_ONCE_MS)
        taken = tab.page.locator(TAKEN_BETS)
        expect(taken).to_have_count(len(bets_of(client)))
        expect(tab.page.locator("#balance")).to_have_text(dollars(client.me().user.balance), timeout=AT_ONCE_MS)


def test_a_frozen_tab_catches_up_from_where_it_stopped(seat: Seat, context: BrowserContext, line: Line) -> None:
    own = tab_that_reads_itself(seat, context, line)
    seat.bet_soon()
    expect(own.page.locator(TAKEN_BETS)).to_have_count(1)
    with frozen(seat, context), frozen(own, context):
        before = len(line.resumed_at)
        line.cut()
        assert line.wait_for_stream(before) in line.brought  # the worker, which is not frozen
        with by_the_side(context, seat.url) as client:
            wait_until(lambda: all(bet.status in SETTLED for bet in bets_of(client)), 30, every_s=0.1, what="results")
        before = len(line.resumed_at)
    assert line.wait_for_stream(before) in line.brought
    for tab in (seat, own):
        expect_as_the_house_has_it(tab, context)


def test_the_way_back_leads_to_the_game_as_it_was_left(seat: Seat, context: BrowserContext, line: Line) -> None:
    other = tab_that_reads_itself(seat, context, line)
    refusals: list[str] = []
    debugger = context.new_cdp_session(seat.page)
    debugger.on(
        "Page.backForwardCacheNotUsed",
        lambda told: refusals.extend(each["reason"] for each in told["notRestoredExplanations"]),
    )
    debugger.send("Page.enable")
    seat.page.evaluate("window.left = true")
    seat.page.goto(f"{seat.url}/operate")
    before = len(line.resumed_at)
    other.bet()
    seat.page.go_back(wait_until="commit")
    # From the browser's cache; older ones, as Chromium 150, keep none whose shared worker has no other tab.
    is_kept = bool(seat.page.evaluate("window.left"))
    assert is_kept or refusals == ["SharedWorkerWithNoActiveClient"]
    assert (line.wait_for_stream(before) in line.brought) == is_kept
    expect_as_the_house_has_it(seat, context)


def test_a_session_that_ends_unseen_is_followed_by_another_that_the_stream_reads(
    seat: Seat, context: BrowserContext, line: Line
) -> None:
    before = len(line.resumed_at)
    context.clear_cookies()
    line.cut()
    line.wait_for_stream(before)  # without a session
    assert line.wait_for_stream(before + 1) == ""
    seat.bet_soon()
    seat.expect_state("won", "lost")
    expect(seat.page.locator("#banners")).not_to_contain_text("has ended")
    expect_as_the_house_has_it(seat, context)


def test_a_computer_that_slept_notices_that_its_line_is_dead(
    house: System, context: BrowserContext, line: Line
) -> None:
    """Its timers jump, and nobody tells it of the end of a connection that brings nothing any more."""
    page = context.new_page()
    page.clock.install()
    page.add_init_script("delete window.SharedWorker;")
    seat = Seat(page, house.url)
    seat.open()
    seat.play_as_guest()
    line.wait_for_stream(1)
    # A stream that falls silent before it was read has no event to go on after.
    known = len(line.brought)
    wait_until(lambda: len(line.brought) >= known + EVENTS_READ, 30, every_s=0.05, what="events of the guest's stream")
    before = len(line.resumed_at)
    line.fall_silent()
    page.clock.fast_forward(SLEEP_MS)
    assert line.wait_for_stream(before) in line.brought
    expect(page.locator("#connection")).to_have_attribute("data-state", "live")
    expect(page.locator("#clock")).to_have_attribute("title", re.compile("own clock is off by (599|600)"))
    seat.bet()


def test_a_stream_that_falls_silent_is_read_anew(seat: Seat, context: BrowserContext, line: Line) -> None:
    other = tab_that_reads_itself(seat, context, line)
    before = len(line.resumed_at)
    line.fall_silent()
    other.tap()
    other.expect_state(*TAKEN, "refused")  # the rates that it knows grow old: a refusal is right too
    assert line.wait_for_stream(before) in line.brought
    assert line.wait_for_stream(before + 1) in line.brought
    for tab in (seat, other):
        expect_as_the_house_has_it(tab, context)


def test_without_a_network_a_tap_is_unknown_and_heals(
    seat: Seat, context: BrowserContext, line: Line, shoot: Callable[[Page, str], None]
) -> None:
    before = len(line.resumed_at)
    context.set_offline(True)
    line.go_down()
    expect(seat.page.locator("#banners")).to_contain_text("No connection.")
    seat.tap_anew()
    seat.expect_state("unknown")
    expect(seat.bets.first.locator(".sentence")).to_contain_text("counts once or not at all")
    expect(seat.page.locator("#balance")).to_have_text("$10,000.00")
    shoot(seat.page, "offline")
    line.come_up()
    context.set_offline(False)
    seat.expect_state(*TAKEN, "refused")
    assert line.wait_for_stream(before) in line.brought
    expect(seat.page.locator("#banners")).not_to_contain_text("No connection.")
    expect_as_the_house_has_it(seat, context)


def test_a_line_that_breaks_in_mid_bet_brings_the_bet_once(seat: Seat, context: BrowserContext, line: Line) -> None:
    line.lose_next_answer()
    seat.tap_anew()
    seat.expect_state("unknown")
    line.come_up()
    seat.expect_state(*TAKEN, "refused")
    expect(seat.bets).to_have_count(1)
    expect_as_the_house_has_it(seat, context)
