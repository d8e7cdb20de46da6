"""The house and the browser of a file's tests; who plays is somebody new in each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext

from tests.acceptance.system import STEADY, System
from tests.page.visitor import chromium


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """The whole system with columns that a hand can meet."""
    with System(tmp_path_factory.mktemp("page") / "data", column_seconds="5", **STEADY) as system:
        yield system


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Start one browser for all tests of a file."""
    with chromium() as started:
        yield started


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """Make a browser's profile without a past."""
    with browser.new_context() as fresh:
        yield fresh
