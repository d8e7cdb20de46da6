"""`taptrade breaker`: show the circuit breaker, take it over or hand it back with who and why, list who did."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

from runtime.clock import SystemClock, rfc3339
from runtime.game.breaker import CLOSED_MS, OVERRIDE_MS_MAX, Override, as_of, refuses_bets
from runtime.market.breaker import read_breaker, set_override
from runtime.messaging.connection import Redis, RedisError, connect
from runtime.operating.overrides import newest_overrides
from runtime.operating.words import WHY_MAX
from runtime.settings import load
from taptrade import embedded_redis
from taptrade.arguments import count, said, span_ms
from taptrade.asking import NotAsked, add_who, require_who
from taptrade.books import open_books
from taptrade.output import add_output, print_json
from taptrade.tables import show_table

HISTORY = "history"
HISTORY_COLUMNS = ("set", "override", "until", "who", "why")
LISTED, LISTED_MAX = 50, 10_000
MINUTE_MS = 60_000


def main(argv: Sequence[str]) -> int:
    """Show the breaker, or let the operator decide whether bets are taken; settlement goes by the ticks always."""
    parser = argparse.ArgumentParser(prog="taptrade breaker", description=main.__doc__)
    parser.add_argument(
        "word",
        nargs="?",
        choices=[*(each.value for each in Override), HISTORY],
        help="open: refuse all bets; closed: take bets whatever the ticks' age; auto: decide by the ticks again;"
        " history: list what was decided, by whom and why",
    )
    lasts = f"it ends by itself then (closed: {CLOSED_MS // MINUTE_MS}m; open: not before it is taken back)"
    parser.add_argument("--for", dest="for_ms", type=span_ms, metavar="TIME", help=f"such as 30m or 2h; {lasts}")
    add_who(parser)
    parser.add_argument("--why", type=said(WHY_MAX), help="why; needed with an override")
    parser.add_argument("--limit", type=count(LISTED_MAX), default=LISTED, help="rows of the history (%(default)s)")
    add_output(parser)
    given = parser.parse_args(argv)
    if given.word == HISTORY:
        return _history(given.limit, as_json=given.json)
    if given.word:
        require_who(parser, given)
    if given.word and not given.why:
        parser.error("say why: it is kept")
    if given.for_ms is not None and (given.word in (None, Override.AUTO.value) or given.for_ms > OVERRIDE_MS_MAX):
        parser.error(f"--for is of `open` and `closed`, {OVERRIDE_MS_MAX // 86_400_000}d at most")
    client = connect(embedded_redis.redis_url(load()))
    clock = SystemClock()
    try:
        if given.word:
            set_override(client, Override(given.word), given.who, given.why, clock, for_ms=given.for_ms)
        shown = as_json(client, clock.now_ms()) if given.json else describe(client, clock.now_ms())
    except RedisError as ex:
        raise NotAsked(f"Redis does not answer: {ex}") from ex
    finally:
        client.close()
    if given.json:
        print_json(shown)
    else:
        print(shown)
    return 0


def as_json(client: Redis, now_ms: int) -> dict[str, Any]:
    """Return the breaker for programs; `note` is who overrode it and why."""
    stored, note = read_breaker(client)
    breaker = as_of(stored, now_ms)
    is_overridden = breaker.override is not Override.AUTO
    return {
        **breaker.to_dict(),
        "bets_refused": refuses_bets(breaker),
        "note": {"who": note.who, "why": note.why} if note and is_overridden else None,
    }


def describe(client: Redis, now_ms: int) -> str:
    """Return the breaker in a sentence."""
    stored, note = read_breaker(client)
    breaker = as_of(stored, now_ms)
    bets = "refused" if refuses_bets(breaker) else "taken"
    until_ms = breaker.override_until_ms
    ends = f" until {rfc3339(until_ms)}" if until_ms else ""
    text = f"{breaker.state}, override {breaker.override}{ends}: bets are {bets}"
    if note and breaker.override is not Override.AUTO:
        text += f" (by {note.who}: {note.why})"
    return text


def _history(limit: int, *, as_json: bool) -> int:
    with open_books(load()) as database:
        kept = newest_overrides(database.execute, limit)
    rows = [(one.set_at, one.override, one.until_at or "", one.who, one.why) for one in kept]
    if as_json:
        listed = [dict(zip(HISTORY_COLUMNS, row, strict=True)) for row in rows]
        print_json({"overrides": listed})
    else:
        show_table(HISTORY_COLUMNS, rows)
    return 0
