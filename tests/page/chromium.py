"""The machine's own Chromium: where it is, how it is started, and what is said where there is none."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser, BrowserContext, sync_playwright

FLAGS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
# Playwright leaves it out, but people go back to the game by it.
LEFT_ON = ("--disable-back-forward-cache",)
NAMES = ("chromium", "chromium-browser", "google-chrome")
PATH = next((path for path in map(shutil.which, NAMES) if path), None)
MISSING = "NOTHING OF THE PAGE WAS TRIED IN A BROWSER: there is no Chromium here (apt-get install chromium)"


@contextmanager
def running() -> Iterator[Browser]:
    """Run a browser within the block; nothing is downloaded for it."""
    if PATH is None:
        raise FileNotFoundError(MISSING)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=PATH, args=list(FLAGS), ignore_default_args=list(LEFT_ON))
        try:
            yield browser
        finally:
            browser.close()


def calm(browser: Browser, **given: Any) -> BrowserContext:
    """Open a browser without a past, a desktop's if nothing else is given, that likes its pages calm.

    Drawn without a graphics card, sixty frames a second would take the machine from the house.
    """
    return browser.new_context(**{"viewport": {"width": 1280, "height": 800}, "reduced_motion": "reduce"} | given)
