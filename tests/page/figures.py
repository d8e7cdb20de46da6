"""How fast the page is, and how heavy: `python -m tests.page.figures [--url URL]`, medians of three into build/page.

Nothing of it is asserted but the bytes: times belong to the machine that they were measured on.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
from playwright.sync_api import Browser
from rich.console import Console
from rich.table import Table

from tests.acceptance.system import STEADY, System
from tests.page import chromium
from tests.page.meter import Meter
from tests.sources import ROOT

FILE = ROOT / "build" / "page" / "figures.json"
TIMES = 3
FRAMES_S = 10
VIEW = {"width": 1280, "height": 800}
MARKS = """() => new Promise((resolve) => {
  const first = (name) => performance.getEntriesByName(name)[0]?.startTime;
  const look = () => {
    const [paint, price] = [first("first-contentful-paint"), first("first-price")];
    if (paint === undefined || price === undefined) setTimeout(look, 20);
    else resolve([paint, price]);
  };
  look();
})"""
FRAMES = """(seconds) => new Promise((resolve) => {
  window.taptradeFrames.length = 0;
  const all = [];
  const gather = () => all.push(...window.taptradeFrames.splice(0));
  const timer = setInterval(gather, 200);
  setTimeout(() => { clearInterval(timer); gather(); resolve(all); }, seconds * 1000);
})"""


class Figures(msgspec.Struct, frozen=True):
    """What one opening of the page took."""

    first_paint_ms: float
    first_price_ms: float
    before_stream_bytes: int
    frame_p50_ms: float
    frame_p95_ms: float
    frames: int


def measure(browser: Browser, port: int, frames_s: float = FRAMES_S) -> Figures:
    """Open the game of a house once, in a browser without a past."""
    view: Any = VIEW
    with Meter(port) as meter, browser.new_context(viewport=view) as context:
        page = context.new_page()
        page.goto(meter.url)
        paint_ms, price_ms = page.evaluate(MARKS)
        frames_ms = sorted(page.evaluate(FRAMES, frames_s))
        return Figures(
            first_paint_ms=round(paint_ms, 1),
            first_price_ms=round(price_ms, 1),
            before_stream_bytes=meter.bytes,
            frame_p50_ms=round(frames_ms[len(frames_ms) // 2], 2),
            frame_p95_ms=round(frames_ms[len(frames_ms) * 95 // 100], 2),
            frames=len(frames_ms),
        )


def medians(measured: list[Figures]) -> dict[str, float]:
    """Return the median of each figure."""
    return {name: statistics.median(getattr(one, name) for one in measured) for name in Figures.__struct_fields__}


def keep(measured: list[Figures]) -> None:
    """Write the medians and what they are of."""
    FILE.parent.mkdir(parents=True, exist_ok=True)
    content = {"medians": medians(measured), "measured": measured}
    FILE.write_bytes(msgspec.json.format(msgspec.json.encode(content), indent=2) + b"\n")


def show(measured: list[Figures]) -> None:
    """Print them."""
    table = Table("figure", *(str(number) for number in range(1, len(measured) + 1)), "median")
    for name, median in medians(measured).items():
        table.add_row(name, *(f"{getattr(one, name):,}" for one in measured), f"{median:,}")
    Console().print(table)


def main() -> None:
    """Measure a house that runs, or one that is started for it."""
    parser = argparse.ArgumentParser(prog="python -m tests.page.figures", description=__doc__)
    parser.add_argument("--url", help="of a house that runs on this machine; none: one is started")
    given = parser.parse_args()
    if given.url:
        measured = _measure_all(urlsplit(given.url).port or 80)
    else:
        with tempfile.TemporaryDirectory(prefix="tap-") as folder, System(Path(folder) / "data", **STEADY) as house:
            measured = _measure_all(house.settings.port)
    keep(measured)
    show(measured)
    Console().print(f"figures in {FILE.relative_to(ROOT)}")


def _measure_all(port: int) -> list[Figures]:
    with chromium.running() as browser:
        return [measure(browser, port) for _ in range(TIMES)]


if __name__ == "__main__":
    main()
