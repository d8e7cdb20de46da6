"""History as players read it: page by page, filtered, and saved as one sheet."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, Route, expect

from tests.acceptance.system import System
from tests.page.visitor import bet, open_panel, play_as_guest

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(180)]


@pytest.fixture
def house(slow_house: System) -> System:
    """The whole system, with columns whose bets stay open as long as a test."""
    return slow_house


@pytest.fixture
def page(context: BrowserContext, house: System) -> Page:
    """The game, open before a guest who has just come."""
    return play_as_guest(context, house.url)


def saved_text(path: Path) -> list[str]:
    """Return the lines of a file that a browser saved."""
    return path.read_bytes().decode().split("\r\n")


def test_history_is_paged_and_saved_as_one_sheet(page: Page, context: BrowserContext, tmp_path: Path) -> None:
    """Pages are made small here: the file has all of them, with one head."""
    for _ in range(5):
        bet(page)
    asked: list[str] = []

    def in_small_pages(route: Route) -> None:
        asked.append(route.request.url)
        route.continue_(url=re.sub(r"limit=\d+", "limit=2", route.request.url))

    context.route(re.compile(r"/api/(bets|ledger)\?"), in_small_pages)
    panel = open_panel(page, "History")
    panel.get_by_label("Which bets").select_option("Open")
    rows = panel.locator(".entries:visible > li")
    expect(rows).to_have_count(2)
    for count in (4, 5):
        panel.get_by_role("button", name="Show more").click()
        expect(rows).to_have_count(count)
    expect(panel.get_by_role("button", name="Show more")).not_to_be_visible()
    panel.get_by_label("Which bets").select_option("Void")
    expect(panel.get_by_text("There are no such bets.")).to_be_visible()
    panel.get_by_role("button", name="Statement").click()
    with page.expect_download() as saving:
        panel.locator("section:visible").get_by_role("button", name="As a spreadsheet").click()
    path = tmp_path / "statement.csv"
    saving.value.save_as(path)
    head, *lines, end = saved_text(path)
    assert head == "id,created_at,ref_type,ref_id,amount_cents,balance_after_cents"
    assert [line.split(",")[2] for line in lines] == ["BET"] * 5 + ["DEPOSIT"]
    assert end == ""
    assert len({line.split(",")[0] for line in lines}) == 6
    expect(panel.get_by_text(re.compile(r"6 lines saved as taptrade-statement-.*\.csv"))).to_be_visible()
    assert any("cursor=" in url for url in asked)


def test_a_filter_looks_on_over_pages_without_a_row(page: Page) -> None:
    """What a filter leaves may be far back: empty pages are passed over, ten of them at once."""
    bet(page)
    asked: list[str] = []
    shown: list[dict[str, object]] = []
    empty = 12

    def far_back(route: Route) -> None:
        asked.append(route.request.url)
        rows = shown if len(asked) > empty else []
        route.fulfill(json={"bets": rows, "next_cursor": None if rows else str(1_000 - len(asked))})

    panel = open_panel(page, "History")
    with page.expect_response(re.compile(r"/api/bets\?status=open")) as answered:
        panel.get_by_label("Which bets").select_option("Open")
    shown += answered.value.json()["bets"]
    page.route(re.compile(r"/api/bets\?status=won"), far_back)
    panel.get_by_label("Which bets").select_option("Won")
    expect(panel.get_by_text("None among the newest. Show more looks further back.")).to_be_visible()
    assert len(asked) == 10
    panel.get_by_role("button", name="Show more").click()
    expect(panel.locator(".entries:visible > li")).to_have_count(1)
    assert [url.partition("cursor=")[2] for url in asked] == ["", *(str(1_000 - n) for n in range(1, empty + 1))]
    expect(panel.get_by_role("button", name="Show more")).not_to_be_visible()
