"""The page as it loads: nothing goes wrong, nobody else is asked, no script but our own runs, and it is light."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, Page, expect

from functions.page import FOLDER, POLICY
from runtime.web.static_files import TYPES
from tests.acceptance.system import System
from tests.page import chromium, figures
from tests.page.watch import Watch
from tests.waiting import wait_until

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(120)]
BEFORE_STREAM_BYTES_MAX = 150_000
HEAD_BYTES = 300
"""What browsers say of an answer without a body, whatever its head has."""
INJECT = """() => new Promise((resolve) => {
  const found = [];
  document.addEventListener("securitypolicyviolation", (event) => {
    found.push(event.effectiveDirective);
    if (found.length === 4) resolve(found.sort());
  });
  const script = document.createElement("script");
  script.textContent = "window.injected = true";
  const image = document.createElement("img");
  image.src = "http://127.0.0.1:9/stranger.png";
  const handler = document.createElement("p");
  handler.setAttribute("onclick", "window.injected = true");
  document.body.append(script, image, handler);
  handler.click();
  fetch("http://127.0.0.1:9/").catch(() => {});
})"""


def test_the_page_loads_without_a_fault_and_asks_nobody_else(
    house: System, page: Page, shoot: Callable[[Page, str], None]
) -> None:
    answer = page.goto(house.url)
    assert answer is not None
    assert answer.headers["content-security-policy"] == POLICY
    expect(page.locator("#board-wait")).to_be_hidden()
    drawn = "performance.getEntriesByName('first-price').length"
    # With the frame after the one in which the price came; Playwright's own wait would need 'unsafe-eval'.
    assert wait_until(lambda: page.evaluate(drawn), 20, every_s=0.05, what="a price that is drawn") > 0
    shoot(page, "loaded")


def test_every_script_and_style_of_the_folder_is_sent(house: System, page: Page) -> None:
    page.goto(house.url)
    names = [path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("*") if path.suffix in TYPES]
    ask = "(names) => Promise.all(names.map((name) => fetch('/page/' + name).then((one) => one.status)))"
    assert set(page.evaluate(ask, names)) == {200}


def test_what_is_slipped_in_does_not_run(house: System, browser: Browser) -> None:
    with chromium.calm(browser) as context:
        page = context.new_page()
        page.goto(house.url)
        refused = page.evaluate(INJECT)
        assert refused == ["connect-src", "img-src", "script-src-attr", "script-src-elem"]
        assert page.evaluate("window.injected") is None


def test_a_watched_browser_tells_of_every_fault(house: System, browser: Browser) -> None:
    with chromium.calm(browser) as context:
        watch = Watch(context, house.url.removeprefix("http://"))
        page = context.new_page()
        page.goto(house.url)
        page.evaluate("fetch('/api/me')")
        assert watch.faults == []
        page.evaluate("setTimeout(() => { throw new Error('broken'); })")
        page.evaluate("console.error('complaint')")
        page.evaluate("fetch('/page/nothing.js')")
        page.evaluate("fetch('http://127.0.0.1:9/').catch(() => {})")
        told = " ".join(watch.faults)
        for fault in ("uncaught: ", "console: complaint", "404: ", "Content Security Policy"):
            assert fault in told


def test_all_that_comes_before_the_stream_is_light(house: System, browser: Browser) -> None:
    measured = figures.measure(browser, house.settings.port, frames_s=1)
    figures.keep([measured])
    assert 0 < measured.before_stream_bytes <= BEFORE_STREAM_BYTES_MAX


def test_a_page_that_is_opened_again_is_not_sent_again(house: System, page: Page) -> None:
    sizes = """performance.getEntriesByType('resource')
        .filter((one) => one.name.includes('/page/')).map((one) => one.transferSize)"""
    page.goto(house.url)
    expect(page.locator("#board-wait")).to_be_hidden()
    assert sum(page.evaluate(sizes)) > BEFORE_STREAM_BYTES_MAX / 10
    page.reload()
    expect(page.locator("#board-wait")).to_be_hidden()
    assert max(page.evaluate(sizes)) <= HEAD_BYTES
