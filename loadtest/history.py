"""`make bench-history`: seven days of ticks at the full rate in the feed's store: room, pages, appends and trimming."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Annotated, Any

from loadtest import machine
from loadtest.machine import MB
from loadtest.measurement import Found, Measurement, Trial
from loadtest.schedule import Latencies
from runtime.clock import SystemClock
from runtime.errors import Unavailable
from runtime.game.ticks import Features, Tick
from runtime.storage import price_history, ticks_store
from runtime.storage.database import Database, open_writer
from runtime.storage.price_history import WIDTHS_MS
from runtime.storage.read_pool import READ_MS_MAX, ReadPool

HOURS = 168
INTERVAL_MS = 100
FIRST_MS = 1_790_000_000_000 // 3_600_000 * 3_600_000
SIZES = (60, 250)
"""Bytes of JSON that a tick's features take: three numbers of a plain model, or some twenty."""
SLICE_TICKS = 100_000
FILLED_PER_S = 150_000
PAGES = 300
PAGE_ROWS = 500
SHOWN = ("tick", "1s", "5s", "30s", "1m", "1h")
APPENDS = 300
TRIMS = 300
TRIM_TICKS = 200
FILL = """
WITH RECURSIVE n (i) AS (SELECT ? UNION ALL SELECT i + 1 FROM n WHERE i + 1 < ?)
INSERT INTO ticks (id, exchange_ms, close, low, high, sources, features)
SELECT id, id - 80, close, close - 150, close + 150, 'binance,coinbase,kraken', features
FROM (SELECT ? + 100 * i + i * 7919 % 100 AS id, 9400000 + (i * 7919) % 20011 AS close,
             substr('{"volatility":' || printf('%.15g', 100 + i * 0.7310585786 % 100) || ',"more":"'
                    || hex(zeroblob(200)), 1, ? - 2) || '"}' AS features FROM n)
"""


def kept(trial: Trial, *, hours: Annotated[int, "hours of ticks to keep, ten a second"] = HOURS) -> Found:
    """Fill the feed's store with seven days of ticks, read pages of it anywhere, append and trim."""
    stores = []
    for size in SIZES:
        path = trial.folder / f"ticks-{size}.db"
        stores.append(_store(trial, path, size, hours * 36_000))
        path.unlink()
    return {"hours": hours, "page_rows": PAGE_ROWS, "read_ms_max": READ_MS_MAX, "stores": stores}


def _store(trial: Trial, path: Path, size: int, ticks: int) -> Found:
    ticks_store.prepare(path, SystemClock())
    with trial.display.step(f"filling in {ticks:,} ticks with {size} bytes of features", ticks / FILLED_PER_S) as show:
        filled_s = fill(path, ticks, size, lambda done: show(f"{done:,} of {ticks:,}"))
    database = open_writer(path)
    database.checkpoint("TRUNCATE")
    bytes_ = path.stat().st_size
    with trial.display.step("reading pages", 30):
        pages = [measure_pages(path, resolution, ticks) for resolution in SHOWN]
    with trial.display.step("appending and trimming", 5):
        appended, trimmed = measure_appends(database, ticks), measure_trims(database, ticks)
    trial.machine = machine.describe(None, database.execute("SELECT sqlite_version()")[0][0])
    candles: int = database.execute("SELECT count(*) FROM candles")[0][0]
    database.close()
    return {
        "features_bytes": size,
        "ticks": ticks,
        "candles": candles,
        "mb": bytes_ / MB,
        "bytes_per_tick": bytes_ / ticks,
        "filled_per_s": ticks / filled_s,
        "pages": pages,
        "append": appended,
        "trim": trimmed,
    }


def fill(path: Path, ticks: int, size: int, show: Callable[[int], object] = lambda _: None) -> float:
    """Store so many ticks, ten a second, a slice a transaction; return how long it took."""
    database = open_writer(path)
    start_s = time.monotonic()
    for first in range(0, ticks, SLICE_TICKS):
        last = min(first + SLICE_TICKS, ticks)
        with database.transaction():
            database.execute(FILL, (first, last, FIRST_MS, size))
        show(last)
    database.close()
    return time.monotonic() - start_s


def measure_pages(path: Path, resolution: str, ticks: int) -> Found:
    """Read pages that begin anywhere, then, of candles, the whole span page by page."""
    pool = ReadPool(path, SystemClock())
    random = Random(1)
    end_ms = FIRST_MS + ticks * INTERVAL_MS
    latencies, cut, rows = Latencies(), 0, 0
    for _ in range(PAGES):
        from_ms = random.randrange(FIRST_MS, end_ms)
        start_s = time.perf_counter()
        try:
            rows += len(_page(pool, resolution, from_ms, end_ms)[0])
        except Unavailable:
            cut += 1
        latencies.add(_us_since(start_s))
    found: Found = {"resolution": resolution, "rows": rows / PAGES, "cut_off": cut, **latencies.ms(50, 99, 100)}
    return found | ({} if resolution == "tick" else _walk(pool, resolution, end_ms))


def _page(pool: ReadPool, resolution: str, from_ms: int, to_ms: int) -> tuple[list[dict[str, Any]], int | None]:
    if resolution == "tick":
        return price_history.ticks(pool.rows, from_ms, to_ms, PAGE_ROWS)
    return price_history.candles(pool.rows, from_ms, to_ms, WIDTHS_MS[resolution], PAGE_ROWS)


def _walk(pool: ReadPool, resolution: str, end_ms: int) -> Found:
    pages, candles = 0, 0
    start_s = time.perf_counter()
    at_ms: int | None = FIRST_MS
    while at_ms is not None:
        found, at_ms = _page(pool, resolution, at_ms, end_ms)
        pages, candles = pages + 1, candles + len(found)
    return {"walk_pages": pages, "walk_candles": candles, "walk_s": time.perf_counter() - start_s}


def measure_appends(database: Database, ticks: int) -> Found:
    """Store ticks one by one, each with its own commit, as the feed does."""
    first_ms = FIRST_MS + ticks * INTERVAL_MS
    latencies = Latencies()
    for index in range(APPENDS):
        at_ms = first_ms + index * INTERVAL_MS
        tick = Tick(at_ms, at_ms, 9_400_000, 9_400_000, 9_400_000, "sim", Features(100.5, 100, 600_000))
        start_s = time.perf_counter()
        ticks_store.append(database, tick)
        latencies.add(_us_since(start_s))
    return latencies.ms(50, 99, 100)


def measure_trims(database: Database, ticks: int) -> Found:
    """Delete the oldest ticks in the feed's steps."""
    latencies, deleted = Latencies(), 0
    start_s = time.perf_counter()
    for _ in range(TRIMS):
        step_s = time.perf_counter()
        deleted += ticks_store.trim(database, FIRST_MS + ticks * INTERVAL_MS // 2, TRIM_TICKS)
        latencies.add(_us_since(step_s))
    return {"per_s": deleted / (time.perf_counter() - start_s), **latencies.ms(50, 99, 100)}


def _us_since(start_s: float) -> int:
    return round((time.perf_counter() - start_s) * 1_000_000)


def complaints(found: Found) -> Iterator[str]:
    """No page may take longer than a read may."""
    for store in found["stores"]:
        for page in store["pages"]:
            if page["cut_off"]:
                yield f"{page['cut_off']} pages of {page['resolution']} took more than {READ_MS_MAX} ms."


MEASUREMENT = Measurement(
    "history", kept, complaints, renews=lambda found: bool(found["hours"] >= HOURS), nginx="unused", keeps_data=False
)
