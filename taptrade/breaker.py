"""`taptrade breaker`: show the circuit breaker, or take it over and hand it back, with who and why."""

from __future__ import annotations

import argparse
import getpass
from collections.abc import Sequence

from jobs.settlement.breaker import read_breaker, set_override
from runtime.clock import SystemClock
from runtime.game.breaker import Override, refuses_bets
from runtime.messaging.connection import Redis, connect
from runtime.settings import load
from taptrade import embedded_redis


def main(argv: Sequence[str]) -> int:
    """Show the breaker, or let the operator decide whether bets are taken; settlement goes by the ticks always."""
    parser = argparse.ArgumentParser(prog="taptrade breaker", description=main.__doc__)
    parser.add_argument(
        "override",
        nargs="?",
        choices=[each.value for each in Override],
        help="open: refuse all bets; closed: take bets whatever the ticks' age; auto: decide by the ticks again",
    )
    parser.add_argument("--who", default=getpass.getuser(), help="who decides this (default: your login)")
    parser.add_argument("--why", help="why; needed with an override")
    given = parser.parse_args(argv)
    settings = load()
    client = connect(embedded_redis.redis_url(settings))
    if given.override:
        if not (given.who.strip() and given.why and given.why.strip()):
            parser.error("say who and why: both are logged")
        set_override(client, Override(given.override), given.who, given.why, SystemClock())
    print(describe(client))
    client.close()
    return 0


def describe(client: Redis) -> str:
    """Return the breaker in a sentence."""
    breaker, note = read_breaker(client)
    bets = "refused" if refuses_bets(breaker) else "taken"
    text = f"{breaker.state}, override {breaker.override}: bets are {bets}"
    if note and breaker.override is not Override.AUTO:
        text += f" (by {note.who}: {note.why})"
    return text
