"""`taptrade feed status`: how each source of prices of the run here does, live on a terminal."""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass
from typing import Any

import msgspec
from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from runtime.clock import SystemClock
from runtime.health.status import SystemStatus, read_status
from runtime.messaging.connection import connect
from runtime.messaging.redis_values import SourceSeen
from runtime.operating.feed import counts
from runtime.settings import Settings, load
from taptrade import embedded_redis, running
from taptrade.asking import NotAsked
from taptrade.board import dollars
from taptrade.output import add_output
from taptrade.tables import show_table

REFRESH_S = 0.5
COLUMNS = ("source", "state", "counts", "price", "age s", "offset bp", "prices", "left out", "reconnects", "last error")
NUMBERS = frozenset({"price", "age s", "offset bp", "prices", "reconnects"})
STYLES = {"live": "green", "silent": "yellow", "waiting": "red", "connecting": "cyan"}


@dataclass(frozen=True, slots=True)
class Seen:
    """What was seen at a moment."""

    status: SystemStatus
    now_ms: int

    def rows(self) -> list[tuple[str, ...]]:
        """Return a row of COLUMNS for each source."""
        return [_row(source, self.now_ms) for source in self.status.sources.sources] if self.status.sources else []

    def sentence(self) -> str:
        """Say what follows for bets."""
        sources, age_ms = self.status.sources, self.status.tick_age_ms
        if sources is None:
            return "the feed gives no sign of life"
        tick = "no tick yet" if age_ms is None else f"newest tick {age_ms / 1000:.1f} s old"
        agree = f"{sources.counted} of {len(sources.sources)} count, {sources.needed} must"
        return f"{agree}; {tick}; breaker {self.status.breaker.state}, override {self.status.breaker.override}"

    def json(self) -> bytes:
        """Write it for programs."""
        found: dict[str, Any] = {
            "at_ms": self.now_ms,
            "tick_age_ms": self.status.tick_age_ms,
            "breaker": self.status.breaker.state,
            "override": self.status.breaker.override,
            "feed": self.status.sources,
        }
        return msgspec.json.encode(found)


def declare(commands: Any) -> None:
    """Add the command to those of `taptrade feed`."""
    parser = commands.add_parser("status", help="show how each source does", description=main.__doc__)
    parser.add_argument("--once", action="store_true", help="show it once, also on a terminal")
    add_output(parser, "print it once, as JSON")
    parser.set_defaults(run=main)


def main(given: argparse.Namespace) -> int:
    """Show how each source of prices does: on a terminal until Ctrl-C. Exit with 1 if the feed says nothing."""
    settings = load()
    client = connect(embedded_redis.redis_url(settings))
    clock = SystemClock()

    def look() -> Seen:
        now_ms = clock.now_ms()
        status = read_status(client, now_ms)
        if status is None:
            raise NotAsked(_why_no_answer(settings))
        return Seen(status, now_ms)

    try:
        seen = look()
        console = Console()
        if given.json:
            print(seen.json().decode())
        elif given.once or not console.is_terminal:
            show_table(COLUMNS, seen.rows(), right=tuple(NUMBERS))
            print(seen.sentence())
        else:
            with Live(table(seen), console=console, auto_refresh=False) as live:
                while True:
                    live.update(table(look()), refresh=True)
                    time.sleep(REFRESH_S)
    except KeyboardInterrupt:
        return 0
    finally:
        client.close()
    return 0 if seen.status.sources else 1


def _why_no_answer(settings: Settings) -> str:
    if settings.redis_url or running.find(settings.data):
        return "Redis does not answer"
    return f"nothing runs in {settings.data}; start it with `taptrade up`"


def table(seen: Seen) -> Table:
    """Return it as a table for a terminal."""
    made = Table(caption=seen.sentence(), caption_justify="left", box=None, header_style="bold")
    for column in COLUMNS:
        made.add_column(column, justify="right" if column in NUMBERS else "left", overflow="fold")
    for name, state, *rest in seen.rows():
        made.add_row(name, Text(state, STYLES.get(state, "")), *map(Text, rest))
    return made


def _row(source: SourceSeen, now_ms: int) -> tuple[str, ...]:
    age_ms = source.age_ms(now_ms)
    left_out = " ".join(f"{reason} {count:,}" for reason, count in source.dropped.items())
    word = counts(source)
    return (
        source.name,
        source.state,
        word if word == "yes" else f"no: {word}",
        "" if source.last_price_cents is None else dollars(source.last_price_cents),
        "" if age_ms is None else f"{age_ms / 1000:.1f}",
        "" if source.offset_ppm is None else f"{source.offset_ppm / 100:+.2f}",
        f"{source.prices:,}",
        left_out,
        f"{source.reconnects:,}",
        source.last_error,
    )
