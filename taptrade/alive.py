"""`taptrade alive NAME`: does this process do its work? For health checks of containers; says nothing when well."""

from __future__ import annotations

import argparse
import http.client
import sys
from collections.abc import Callable, Sequence

from runtime.clock import Clock, SystemClock
from runtime.messaging.connection import Redis, RedisError, connect
from runtime.messaging.metrics_exchange import FRESH_MS, collect, works_down
from runtime.messaging.redis_keys import FEED_ALIVE, SETTLER_ALIVE, WRITER_ALIVE
from runtime.settings import Settings, load
from taptrade import embedded_redis, running
from taptrade.listening import reachable
from taptrade.output import add_output, print_json
from taptrade.running import Run

TIMEOUT_S = 4
Probe = Callable[[Settings, Clock], str]
"""probe(settings, clock): what is wrong, in a few words; empty when all is well."""


def main(argv: Sequence[str]) -> int:
    """Exit with 0 when the process does its work, with 1 and a reason when it does not."""
    parser = argparse.ArgumentParser(prog="taptrade alive", description=main.__doc__)
    parser.add_argument("name", choices=tuple(PROBES), metavar="NAME", help=", ".join(PROBES))
    add_output(parser)
    given = parser.parse_args(argv)
    trouble = PROBES[given.name](load(), SystemClock())
    if given.json:
        print_json({"ok": not trouble, "name": given.name, "detail": trouble})
    elif trouble:
        print(f"{given.name}: {trouble}", file=sys.stderr)
    return 1 if trouble else 0


def _answers(setting: str, address: Callable[[Settings | Run], tuple[str, int]], path: str) -> Probe:
    """Ask a process of this machine or container over HTTP: at the port that was set, else at that of the run here."""

    def probe(settings: Settings, _clock: Clock) -> str:
        host, port = address(running.find_unless_told(settings, setting) or settings)
        connection = http.client.HTTPConnection(reachable(host), port, timeout=TIMEOUT_S)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return "" if answer.status == 200 else f"{path} answers {answer.status}: {answer.read(500).decode()}"
        except (OSError, http.client.HTTPException) as ex:
            return f"{path} does not answer: {ex}"
        finally:
            connection.close()

    return probe


def _works(process: str, key: str = "") -> Probe:
    """Look for what the process measures of itself every 2 s: a worker may be at one job for many minutes.

    `key` is one that it renews with each iteration of its loop, and that ends 5 s after the last.
    """

    def seen(client: Redis, clock: Clock) -> str:
        if key and not client.exists(key):
            return f"{key} was not renewed for 5 s"
        own = [snapshot for snapshot in collect(client, clock.now_ms()) if snapshot.process == process]
        if not own:
            return f"nothing was heard of it for {FRESH_MS // 1000} s"
        down = works_down(own)
        return f"down in the background: {', '.join(down)}" if down else ""

    def probe(settings: Settings, clock: Clock) -> str:
        client = connect(embedded_redis.redis_url(settings))
        try:
            return seen(client, clock)
        except RedisError as ex:
            return f"Redis does not answer: {ex}"
        finally:
            client.close()

    return probe


def _both(first: Probe, second: Probe) -> Probe:
    return lambda settings, clock: first(settings, clock) or second(settings, clock)


WORKS: dict[str, Probe] = {
    "replica": _works("replica"),
    "writer": _works("writer", WRITER_ALIVE),
    "settler": _works("settler", SETTLER_ALIVE),
    "feed": _works("feed", FEED_ALIVE),
    "jobs": _works("jobs"),
    "scheduler": _works("scheduler"),
    "functions": _works("functions"),
    "api": _works("api"),
}
"""What each process says of itself in Redis; so it can be asked for from any container."""
PROBES: dict[str, Probe] = {
    **WORKS,
    # One of its processes answers, and only for itself; what all of them measure tells of the others.
    "api": _both(_answers("PORT", lambda run: (run.host, run.port), "/readyz"), WORKS["api"]),
    "dashboard": _answers("DASHBOARD_PORT", lambda run: (run.dashboard_host, run.dashboard_port), "/_alive"),
}
