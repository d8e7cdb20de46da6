"""`taptrade alive NAME`: does this process do its work? For health checks; says nothing of one at work."""

from __future__ import annotations

import argparse
import http.client
import sys
from collections.abc import Callable, Sequence

from runtime.clock import Clock, SystemClock
from runtime.machine import machine_of
from runtime.messaging.connection import Redis, RedisError, connect
from runtime.messaging.metrics_exchange import FRESH_MS, collect, works_down
from runtime.messaging.redis_keys import FEED_ALIVE, SETTLER_ALIVE, WRITER_ALIVE, of_shard
from runtime.metrics.table import Snapshot
from runtime.settings import Settings, load
from taptrade import embedded_redis, running
from taptrade.listening import reachable
from taptrade.output import add_output, print_json
from taptrade.processes import WRITER, Names, read_name
from taptrade.running import Run

TIMEOUT_S = 4
Probe = Callable[[Settings, Clock], str]
"""probe(settings, clock): what is wrong, in a few words; empty when all is well."""


def main(argv: Sequence[str]) -> int:
    """Exit with 0 when the process does its work, with 1 and a reason when it does not."""
    parser = argparse.ArgumentParser(prog="taptrade alive", description=main.__doc__)
    parser.add_argument("name", choices=Names(PROBES), metavar="NAME", help=f"{', '.join(PROBES)}, writer-2 and so on")
    add_output(parser)
    given = parser.parse_args(argv)
    name, shard = read_name(given.name)
    probe = PROBES[name] if shard == 1 else _works(name, of_shard(WRITER_ALIVE, shard), here=True, shard=shard)
    settings, clock = load(), SystemClock()
    trouble = probe(settings, clock)
    waits = not trouble and bool(machine_of(settings)) and stands_by(name, settings, clock, shard)
    if given.json:
        print_json({"ok": not trouble, "name": given.name, "detail": trouble or ("stands by" if waits else "")})
    elif waits:
        print(f"{given.name}: stands by")
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


def _works(process: str, key: str = "", *, here: bool = False, shard: int = 1) -> Probe:
    """Look for what the process measures of itself every 2 s: a worker may be at one job for many minutes.

    `key` is one that it renews with each iteration of its loop, and that ends 5 s after the last. With `here` it is the
    process of this machine, which may stand by for another one's; else any machine's.
    """

    def seen(client: Redis, clock: Clock, machine: str) -> str:
        machine = machine if here else ""
        own = _told(client, clock, process, machine, shard)
        if machine and _all_wait(own):
            return ""
        if key and not client.exists(key):
            return f"{key} was not renewed for 5 s"
        if not own:
            return f"nothing was heard of it for {FRESH_MS // 1000} s"
        down = works_down(own)
        return f"down in the background: {', '.join(down)}" if down else ""

    def probe(settings: Settings, clock: Clock) -> str:
        client = connect(embedded_redis.redis_url(settings))
        try:
            return seen(client, clock, machine_of(settings))
        except RedisError as ex:
            return f"Redis does not answer: {ex}"
        finally:
            client.close()

    return probe


def stands_by(process: str, settings: Settings, clock: Clock, shard: int = 1) -> bool:
    """Tell whether the process of this machine waits to be at work, as far as Redis knows."""
    client = connect(embedded_redis.redis_url(settings))
    try:
        return _all_wait(_told(client, clock, process, machine_of(settings), shard))
    except RedisError:
        return False
    finally:
        client.close()


def _told(client: Redis, clock: Clock, process: str, machine: str, shard: int = 1) -> list[Snapshot]:
    """Return what the processes of that name say of themselves; without a machine, those of all.

    Of writers it is those of the shard, whose slot it is.
    """
    return [
        one
        for one in collect(client, clock.now_ms())
        if one.process == process
        and (not machine or one.machine == machine)
        and (process != WRITER or one.slot == shard - 1)
    ]


def _all_wait(own: Sequence[Snapshot]) -> bool:
    return bool(own) and all(one.standing_by for one in own)


def _both(first: Probe, second: Probe) -> Probe:
    return lambda settings, clock: first(settings, clock) or second(settings, clock)


KEYS = {
    "replica": "",
    "writer": WRITER_ALIVE,
    "settler": SETTLER_ALIVE,
    "feed": FEED_ALIVE,
    "jobs": "",
    "scheduler": "",
    "functions": "",
    "api": "",
}
"""What each process renews in Redis while it does its work, beside what it measures of itself."""
WORKS: dict[str, Probe] = {name: _works(name, key) for name, key in KEYS.items()}
"""What each process says of itself in Redis, whatever machine it is on; so it can be asked for from any container."""
ANSWERS: dict[str, Probe] = {
    "api": _answers("PORT", lambda run: (run.host, run.port), "/readyz"),
    "dashboard": _answers("DASHBOARD_PORT", lambda run: (run.dashboard_host, run.dashboard_port), "/_alive"),
}
"""Those of this machine, or of this container."""
PROBES: dict[str, Probe] = {
    **{name: _works(name, key, here=True) for name, key in KEYS.items()},
    **ANSWERS,
    # One of its processes answers, and only for itself; what all of them measure tells of the others.
    "api": _both(ANSWERS["api"], _works("api", here=True)),
}
