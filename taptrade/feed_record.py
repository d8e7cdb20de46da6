"""`taptrade feed record FILE`: connect to the exchanges that the settings name and keep what they say."""

from __future__ import annotations

import argparse
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.text import Text

from jobs.feed.feed import until_interval_ends_ms
from jobs.feed.opening import open_venues
from jobs.feed.recorder import ENDING, FLUSH_EVERY_MS, Recorder
from runtime.background import Background
from runtime.clock import Clock, SystemClock
from runtime.messaging.redis_values import FeedSources, SourceSeen
from runtime.metrics.table import Metrics
from runtime.setting_forms import LIVE_FEEDS
from runtime.settings import Settings, SettingsError, load
from runtime.stopping import Stop, stop_on_signals
from taptrade.board import dollars
from taptrade.output import add_output, print_json, say_failed

STOP_S_MAX = 5.0
SHOW_EVERY_MS = 500
SAY_EVERY_MS = 60_000
EPILOG = f"""
The exchanges are those of TAPTRADE_FEED; a house need not run. The series is the price that they agree on, as the feed
makes it, in the form that TAPTRADE_REPLAY_FILE takes: rows `ts_ms,price`, packed by zstandard. The day (UTC) goes into
the name, so days/btc{ENDING} is written as days/btc_2026-01-06{ENDING}, and each day begins a file of its own. Of each
tenth of a second three rows are kept at most, which make the same tick as all of them: lowest, highest and last.

Every {FLUSH_EVERY_MS // 1000} s a frame of its own is written, whole, so a file can be read at any time, and a process
that is killed loses no more than that. Started again, it goes on with the file of the day, and cuts off a frame that a
crash of the machine left half written. Ctrl-C ends it, with a summary.
"""


def declare(commands: Any) -> None:
    """Add the command to those of `taptrade feed`."""
    parser = commands.add_parser(
        "record",
        help="record what the exchanges say, a file a day",
        description=main.__doc__,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "file", type=_file, metavar="FILE", help=f"where to; a name that ends in {ENDING}, or in nothing"
    )
    parser.add_argument(
        "--sources", action="store_true", help="keep each exchange's own prices too, in files beside it"
    )
    add_output(parser, "print JSON lines: how it goes, and in the end what was written")
    parser.set_defaults(run=main)


def main(given: argparse.Namespace) -> int:
    """Record the prices of the exchanges until Ctrl-C."""
    settings = load()
    if not settings.feed_is_live:
        raise SettingsError(
            f"TAPTRADE_FEED={settings.feed_kind} is no exchange: name some, as in TAPTRADE_FEED={','.join(LIVE_FEEDS)}"
        )
    # The sources tell of themselves on the line that shows how they do.
    logging.getLogger().addHandler(logging.NullHandler())
    stopping = Stop()
    stop_on_signals(stopping)
    recorder = Recorder(given.file, settings.feed if given.sources else ())
    try:
        seen = record(settings, recorder, SystemClock(), stopping, as_json=given.json)
    finally:
        recorder.close()
        _tell_of_files(recorder, as_json=given.json)
    if not recorder.agreed.written:
        why = ", ".join(f"{source.name}: {source.last_error or source.state}" for source in seen.sources)
        nothing = f"nothing was recorded: no price was agreed on; {why}"
        if given.json:
            say_failed(nothing, json=True)
        else:
            print(nothing)
        return 1
    return 0


def _tell_of_files(recorder: Recorder, *, as_json: bool) -> None:
    files = [(file.path, file.rows, file.path.stat().st_size) for series in recorder.all for file in series.written]
    if as_json:
        written = [{"file": path, "rows": rows, "bytes": size} for path, rows, size in files]
        print_json({"event": "ended", "files": written})
        return
    for path, rows, size in files:
        print(f"{path}: {rows:,} rows, now {size:,} bytes")


def record(
    settings: Settings, recorder: Recorder, clock: Clock, stopping: Stop, *, as_json: bool = False
) -> FeedSources:
    """Record until `stopping` is set, and show how that goes; return how each source did at the end."""
    venues = open_venues(settings, clock, stopping, recorder.hear)
    background = Background(stopping, clock, Metrics("record"))
    console = Console()
    with Live(console=console, auto_refresh=False, transient=True) as live:
        tell = _teller(live, console, clock, as_json=as_json)
        venues.start(background)
        due_ms = clock.monotonic_ms()
        try:
            while not stopping.wait(until_interval_ends_ms(clock.now_ms()) / 1000):
                now_ms = clock.now_ms()
                quotes = venues.poll(now_ms)
                recorder.take(quotes, now_ms)
                if clock.monotonic_ms() >= due_ms:
                    due_ms = clock.monotonic_ms() + SHOW_EVERY_MS
                    tell(venues.report(now_ms), recorder)
            return venues.report(clock.now_ms())
        finally:
            stopping.set()
            venues.stop()
            background.join(STOP_S_MAX)


def progress(seen: FeedSources, recorder: Recorder) -> str:
    """Say how far it is, and how each source does."""
    file = recorder.agreed.written[-1].path if recorder.agreed.written else "no file yet"
    sources = ", ".join(map(_told, seen.sources))
    return f"{recorder.agreed.rows:,} rows, {seen.counted} of {len(seen.sources)} agree: {sources}; {file}"


def _told(source: SourceSeen) -> str:
    price = "" if source.last_price_cents is None else f" {dollars(source.last_price_cents)}"
    error = f" ({source.last_error})" if source.last_error and source.state != "live" else ""
    return f"{source.name} {source.state}{price}{error}"


class _Lines:
    """Tells of progress where there is no terminal: a line a minute, and one for each source that fails at first."""

    def __init__(self, clock: Clock, *, as_json: bool) -> None:
        self._clock = clock
        self._as_json = as_json
        self._due_ms = clock.monotonic_ms() + SAY_EVERY_MS
        self._failed: set[str] = set()

    def tell(self, seen: FeedSources, recorder: Recorder) -> None:
        """Print what is due."""
        if not recorder.agreed.written:
            for source in seen.sources:
                if source.last_error and source.name not in self._failed:
                    self._failed.add(source.name)
                    self._print(f"{source.name}: {source.last_error}", "failed", seen, recorder)
        if self._clock.monotonic_ms() >= self._due_ms:
            self._due_ms = self._clock.monotonic_ms() + SAY_EVERY_MS
            self._print(progress(seen, recorder), "goes on", seen, recorder)

    def _print(self, line: str, event: str, seen: FeedSources, recorder: Recorder) -> None:
        if self._as_json:
            print_json({"event": event, "rows": recorder.agreed.rows, "feed": seen})
        else:
            print(line, flush=True)


def _teller(live: Live, console: Console, clock: Clock, *, as_json: bool) -> Callable[[FeedSources, Recorder], None]:
    """Return how to tell of progress: on a line that changes, or else on new ones."""
    if console.is_terminal and not as_json:
        return lambda seen, recorder: live.update(Text(progress(seen, recorder)), refresh=True)
    return _Lines(clock, as_json=as_json).tell


def _file(text: str) -> Path:
    path = Path(text)
    stem = path.name.removesuffix(ENDING)
    if not stem or "." in stem or not text.isprintable():
        raise argparse.ArgumentTypeError(f"{text!r}: the name must end in {ENDING}, or have no ending")
    return path
