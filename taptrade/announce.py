"""Tell the person at the terminal when a run is ready, where everything is and how to play."""

from __future__ import annotations

import http.client
import json
import re
import signal
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from runtime.clock import rfc3339
from runtime.function_files import functions_folder
from runtime.function_versions import OWN, in_service
from runtime.game.rewards import BrownianTouch
from runtime.postgresql import choice
from runtime.settings import Settings, load
from taptrade import embedded_redis
from taptrade.dashboard import url_of_dashboard
from taptrade.failed_starts import FailedStarts
from taptrade.function_sets import version_of
from taptrade.lifeline import die_with
from taptrade.listening import reachable, url_of
from taptrade.output import print_json
from taptrade.pricing import reward_model
from taptrade.processes import RELOAD
from taptrade.running import Run

READY_WITHIN_S = 90.0
POLL_EVERY_S = 0.2
WORD_EVERY_S = 5.0
WATCHED_S = 30.0
FAILED_START, UNHEALTHY = "failed start", "unhealthy"
ILL = (FAILED_START, UNHEALTHY)


def facts(settings: Settings, redis_url: str, functions: str) -> tuple[tuple[str, str], ...]:
    """Return what there is to know about a run: (name, where or what it is)."""
    base = url_of(settings.host, settings.port)
    prices = {
        "replay": "a replay of recorded BTC/USD ticks, not today's prices",
        "sim": "a simulated random walk, not real prices",
    }
    return (
        ("game", f"{base}/"),
        ("API", f"{base}/api/grid"),
        ("API docs", f"{base}/docs"),
        ("stream", f"{base}/api/stream"),
        ("health", f"{base}/healthz"),
        ("queues", f"{url_of_dashboard(settings)} (`taptrade dashboard` prints the key)"),
        ("functions", functions),
        ("database", choice.name_of(settings)),
        ("logs", str(settings.data / "logs")),
        ("Redis", hide_password(redis_url)),
        ("prices", prices.get(settings.feed_kind, f"live, on which exchanges agree: {', '.join(settings.feed)}")),
        ("rates", rates(settings)),
        ("money", "play money" if settings.mode == "demo" else "real"),
    )


def banner(settings: Settings, redis_url: str, functions: str) -> str:
    """Return what a person needs to know about a run."""
    base, rows = url_of(settings.host, settings.port), facts(settings, redis_url, functions)
    width = max(len(name) for name, _ in rows) + 2
    return "\n".join(
        [
            f"taptrade is up (mode: {settings.mode})",
            "",
            *(f"  {name:<{width}}{value}" for name, value in rows),
            "",
            f"  Open {base}/ in a browser and tap, or let a player do it:",
            "    .venv/bin/taptrade player --bets 20",
            "",
            "  Ctrl-C stops everything.",
        ]
    )


def functions_served(data: Path) -> str:
    """Say which functions are in service."""
    version = in_service(data)
    if version == OWN:
        return f"version 0, {functions_folder()} as this start found it"
    made = version_of(data, version)
    return f"version {version} of {rfc3339(made.made_ms)}{f', {made.note}' if made.note else ''}"


def rates(settings: Settings) -> str:
    """Say which model makes the rates, and where it is the plain one, that it is not fair on real prices."""
    model = reward_model(settings)
    if model.id == BrownianTouch.id and settings.feed_kind != "sim":
        return f"{model.id} {model.version}: not fair on real prices, see docs/fairness.md"
    return f"{model.id} {model.version}"


def hide_password(url: str) -> str:
    """Return a URL without the password in it."""
    scheme, separator, rest = url.partition("://")
    credentials, at, host = rest.rpartition("@")
    host = re.sub(r"\b(sentinel_password=)[^&]*", r"\1***", host)
    return f"{scheme}{separator}{'***' if credentials else ''}{at}{host}"


def ask(settings: Settings | Run, path: str) -> tuple[int, str]:
    """GET a path of the API; status 0 where nothing answers."""
    connection = http.client.HTTPConnection(reachable(settings.host), settings.port, timeout=5)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read().decode(errors="replace")
    except (OSError, http.client.HTTPException) as ex:
        return 0, str(ex)
    finally:
        connection.close()


def what_is_ill(answer: str) -> str:
    """Return the parts that /healthz calls ill, each with what was seen of it."""
    try:
        checks = json.loads(answer)["checks"]
    except (ValueError, KeyError, TypeError):
        return answer[:200]
    ill = (f"{part} ({check['detail']})" for part, check in checks.items() if not check["ok"])
    return ", ".join(ill)


def wait_healthy(settings: Settings, tell: Callable[[], None], say: Callable[[str, str], None]) -> str:
    """Wait until the whole system is healthy; return an empty text, or what is still wrong after READY_WITHIN_S.

    `tell` is called all the while: nobody should wait for a process that does not start.
    """
    monotonic, pause = time.monotonic, time.sleep
    deadline_s, next_word_s = monotonic() + READY_WITHIN_S, monotonic() + WORD_EVERY_S
    while True:
        ready, answer = ask(settings, "/readyz")
        if ready == 200:
            healthy, answer = ask(settings, "/healthz")
            if healthy == 200:
                return ""
            if monotonic() >= next_word_s:
                say("waiting", f"waiting for {what_is_ill(answer)}")
                next_word_s = monotonic() + WORD_EVERY_S
        tell()
        if monotonic() >= deadline_s:
            return answer
        pause(POLL_EVERY_S)


def _say(event: str, sentence: str) -> None:
    print(f"taptrade: {sentence}", file=sys.stderr if event in ILL else sys.stdout, flush=True)


def _say_as_json(event: str, sentence: str) -> None:
    print_json({"event": event, "detail": sentence})


def main(argv: Sequence[str]) -> int:
    """Wait for the run of a supervisor to be healthy and print the banner; name the processes that do not start."""
    supervisor, *options = argv
    say = _say_as_json if "--json" in options else _say
    die_with(int(supervisor), signal.SIGKILL)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGINT])
    settings = load()
    logs = settings.data / "logs"
    starts = FailedStarts(logs, embedded_redis.how_to_begin_anew(settings.data))

    def tell() -> None:
        for failed in starts.failures():
            say(FAILED_START, failed)

    trouble = wait_healthy(settings, tell, say)
    redis_url = embedded_redis.redis_url(settings)
    if trouble:
        say(UNHEALTHY, f"not healthy after {READY_WITHIN_S:.0f} s: {trouble[:500]}\nlook into {logs}")
        return 1
    changing = f"{functions_folder()}, as they change"
    functions = changing if RELOAD in options else functions_served(settings.data)
    if say is _say_as_json:
        print_json(
            {"event": "ready", "mode": settings.mode, "url": url_of(settings.host, settings.port)}
            | {name.lower().replace(" ", "_"): what for name, what in facts(settings, redis_url, functions)}
        )
    else:
        print(banner(settings, redis_url, functions), flush=True)
    # The health of the game does not hang on every process, and one that does not start takes some seconds to show it.
    deadline_s = time.monotonic() + WATCHED_S
    while time.monotonic() < deadline_s:
        tell()
        time.sleep(POLL_EVERY_S)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
