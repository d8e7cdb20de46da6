"""`taptrade breaker`: show the circuit breaker, or take it over and hand it back, with who and why."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from jobs.settlement.breaker import read_breaker, set_override
from runtime.clock import SystemClock
from runtime.game.breaker import Override, refuses_bets
from runtime.messaging.connection import Redis, RedisError, connect
from runtime.settings import load
from taptrade import embedded_redis
from taptrade.arguments import said
from taptrade.asking import WHO_MAX, WHY_MAX, NotAsked, login


def main(argv: Sequence[str]) -> int:
    """Show the breaker, or let the operator decide whether bets are taken; settlement goes by the ticks always."""
    parser = argparse.ArgumentParser(prog="taptrade breaker", description=main.__doc__)
    parser.add_argument(
        "override",
        nargs="?",
        choices=[each.value for each in Override],
        help="open: refuse all bets; closed: take bets whatever the ticks' age; auto: decide by the ticks again",
    )
    parser.add_argument("--who", type=said(WHO_MAX), default=login(), help="who decides this (default: your login)")
    parser.add_argument("--why", type=said(WHY_MAX), help="why; needed with an override")
    given = parser.parse_args(argv)
    if given.override and not (given.who and given.why):
        parser.error("say who and why: both are logged")
    client = connect(embedded_redis.redis_url(load()))
    try:
        if given.override:
            set_override(client, Override(given.override), given.who, given.why, SystemClock())
        shown = describe(client)
    except RedisError as ex:
        raise NotAsked(f"Redis does not answer: {ex}") from ex
    finally:
        client.close()
    print(shown)
    return 0


def describe(client: Redis) -> str:
    """Return the breaker in a sentence."""
    breaker, note = read_breaker(client)
    bets = "refused" if refuses_bets(breaker) else "taken"
    text = f"{breaker.state}, override {breaker.override}: bets are {bets}"
    if note and breaker.override is not Override.AUTO:
        text += f" (by {note.who}: {note.why})"
    return text
