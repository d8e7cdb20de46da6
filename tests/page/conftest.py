"""The whole system once for all files, fast and slow; one browser, and for each test one without a past, watched."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.acceptance.system import STEADY, System
from tests.page import chromium
from tests.page.seat import PATIENCE_MS, Seat
from tests.page.visitor import OPERATOR
from tests.page.watch import Watch
from tests.sources import ROOT

HERE = Path(__file__).parent
SHOTS = ROOT / "build" / "page"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave out what needs a browser where there is none, before anything is started for it, and say so."""
    if chromium.PATH is None:
        for item in items:
            if item.path.is_relative_to(HERE):
                item.add_marker(pytest.mark.skip(reason=chromium.MISSING))


@pytest.fixture(scope="package")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """The whole system, with prices several times a second and columns that are soon over."""
    with System(tmp_path_factory.mktemp("page") / "data", column_seconds="2", **STEADY) as system:
        yield system


@pytest.fixture(scope="package")
def slow_house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """The whole system, with columns whose bets stay open as long as a test, and operated by one wallet."""
    settings = {"operators": OPERATOR.address, "column_seconds": "5"}
    with System(tmp_path_factory.mktemp("slow") / "data", **settings, **STEADY) as system:
        yield system


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Run the machine's own Chromium."""
    expect.set_options(timeout=PATIENCE_MS)
    with chromium.running() as started:
        yield started


@pytest.fixture
def context(browser: Browser, house: System) -> Iterator[BrowserContext]:
    """A browser of a desktop that has never seen the page; what it complains of fails the test."""
    with chromium.calm(browser) as fresh:
        watch = Watch(fresh, urlsplit(house.url).netloc)
        yield fresh
    assert watch.faults == []


@pytest.fixture
def page(context: BrowserContext) -> Page:
    """A tab of it."""
    return context.new_page()


@pytest.fixture
def shoot() -> Callable[[Page, str], None]:
    """Return what keeps a picture of a tab in build/page, for people to look at."""
    SHOTS.mkdir(parents=True, exist_ok=True)

    def keep(page: Page, name: str) -> None:
        page.screenshot(path=SHOTS / f"{name}.png", full_page=True)

    return keep


@pytest.fixture
def seat(house: System, page: Page) -> Seat:
    """A guest before the board."""
    seat = Seat(page, house.url)
    seat.open()
    seat.play_as_guest()
    return seat
