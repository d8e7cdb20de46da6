"""`taptrade functions`: every function, what starts it, its limits, and how it has done since its process began."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from runtime.clock import SystemClock, rfc3339
from runtime.function_files import functions_folder
from runtime.function_settings import FunctionSettings
from runtime.function_versions import OWN, in_service, take_up
from runtime.messaging.connection import RedisError, connect
from runtime.messaging.metrics_exchange import collect
from runtime.metrics.quantiles import quantile, together
from runtime.metrics.table import HISTOGRAMS, SEPARATOR, CounterName, HistogramName, Snapshot
from runtime.settings import Settings, SettingsError, load
from runtime.triggers.declaration import Trigger
from runtime.triggers.discovery import triggers_in
from runtime.web.declaration import Function
from runtime.web.discovery import discover
from taptrade import embedded_redis
from taptrade.output import add_output
from taptrade.tables import show_table

COLUMNS = ("function", "started by", "auth", "limits", "p50 ms", "p99 ms", "runs", "errors", "under way", "last run")
RIGHT = ("p50 ms", "p99 ms", "runs", "errors", "under way")
SERVER_ERRORS = 500


class Done(msgspec.Struct, frozen=True):
    """What a function has done since its processes began; nothing of it is known where the house does not run."""

    runs: int
    errors: int
    """Answers of the 500s; of what no request starts, attempts that failed or took too long."""
    p50_ms: float | None
    p99_ms: float | None
    under_way: int
    last_run_at: str | None


class FunctionView(msgspec.Struct, frozen=True):
    """A function, and how it has done."""

    name: str
    started_by: str
    auth: str
    limits: list[str]
    """Rate limits and guards of an endpoint, attempts of others."""
    timeout_s: int
    in_flight: int
    retries: int
    summary: str
    file: str
    version: int
    """The version of the functions that it is of: the one in service."""
    settings: list[str]
    """The names of those that are its own."""
    done: Done | None


def main(argv: Sequence[str]) -> int:
    """List every function: route or trigger, who may call it, its limits, and its times, errors and last run.

    Times and counts are those since its processes began, from Redis; where no house runs here, they stay empty.
    """
    parser = argparse.ArgumentParser(prog="taptrade functions", description=main.__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="only these")
    add_output(parser)
    given = parser.parse_args(argv)
    settings = load()
    version = in_service(settings.data)
    take_up(settings.data, version)
    views = [one for one in views_of(_seen(settings), version) if not given.names or one.name in given.names]
    if given.json:
        print(msgspec.json.encode(views).decode())
        return 0
    show_table(COLUMNS, [_cells(one) for one in views], right=RIGHT)
    return 0 if views else 1


def views_of(seen: Sequence[Snapshot] | None, version: int = OWN) -> list[FunctionView]:
    """Return all functions by name, with what the processes measured of them (None: it is not known)."""
    folder = functions_folder()
    endpoints = [_endpoint(one, version, seen) for one in discover(folder)]
    others = [_triggered(one, version, seen) for one in triggers_in(folder)]
    return sorted([*endpoints, *others], key=lambda one: one.name)


def _seen(settings: Settings) -> list[Snapshot] | None:
    try:
        client = connect(embedded_redis.redis_url(settings))
    except SettingsError:
        return None
    try:
        return collect(client, SystemClock().now_ms())
    except RedisError:
        return None
    finally:
        client.close()


def _names_of(form: type[FunctionSettings] | None) -> list[str]:
    return [] if form is None else list(form.__struct_fields__)


def _endpoint(one: Function, version: int, seen: Sequence[Snapshot] | None) -> FunctionView:
    return FunctionView(
        name=one.name,
        started_by=f"{one.method} {one.route}",
        auth=one.auth,
        limits=[*one.buckets, *(f"guard: {guard}" for guard in one.guards)],
        timeout_s=one.timeout_s,
        in_flight=one.in_flight,
        retries=0,
        summary=one.summary,
        file=f"functions/{Path(one.file).name}",
        version=version,
        settings=_names_of(one.settings),
        done=None if seen is None else _done(one.name, seen, "taptrade_requests_total", "taptrade_request_seconds"),
    )


def _triggered(one: Trigger, version: int, seen: Sequence[Snapshot] | None) -> FunctionView:
    names: tuple[CounterName, HistogramName] = ("taptrade_function_runs_total", "taptrade_function_seconds")
    return FunctionView(
        name=one.name,
        started_by=one.when,
        auth="",
        limits=[f"tries: {one.retries + 1}"],
        timeout_s=one.timeout_s,
        in_flight=one.in_flight,
        retries=one.retries,
        summary=one.summary,
        file=f"functions/{Path(one.file).name}",
        version=version,
        settings=_names_of(one.settings),
        done=None if seen is None else _done(one.name, seen, *names),
    )


def _done(name: str, seen: Sequence[Snapshot], counted: CounterName, timed: HistogramName) -> Done:
    results = [
        (labels[1], int(count))
        for one in seen
        for joined, count in one.counters.get(counted, {}).items()
        if (labels := joined.split(SEPARATOR))[0] == name
    ]
    series = together(one.histograms[timed][name] for one in seen if name in one.histograms.get(timed, {}))
    bounds = HISTOGRAMS[timed].bounds
    last_s = max(_gauges(seen, "taptrade_function_last_run_seconds", name), default=0)
    return Done(
        runs=sum(series.buckets),
        errors=sum(count for result, count in results if _is_error(result)),
        p50_ms=_ms(quantile(series, bounds, 0.5)),
        p99_ms=_ms(quantile(series, bounds, 0.99)),
        under_way=round(sum(_gauges(seen, "taptrade_function_in_flight", name))),
        last_run_at=rfc3339(round(last_s * 1000)) if last_s else None,
    )


def _gauges(seen: Sequence[Snapshot], gauge: str, name: str) -> Iterable[float]:
    return (one.gauges[gauge][name] for one in seen if name in one.gauges.get(gauge, {}))


def _is_error(result: str) -> bool:
    return int(result) >= SERVER_ERRORS if result.isdigit() else result in ("failed", "timed_out")


def _ms(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds * 1000, 1)


def _cells(one: FunctionView) -> tuple[object, ...]:
    own = [f"settings: {' '.join(one.settings)}"] if one.settings else []
    limits = ", ".join([f"{one.timeout_s} s", f"{one.in_flight} at once", *one.limits, *own])
    lead = (one.name, one.started_by, "" if one.auth == "none" else one.auth, limits)
    if one.done is None:
        return (*lead, *("",) * len(RIGHT), "")
    done = one.done
    return (*lead, done.p50_ms, done.p99_ms, done.runs, done.errors, done.under_way, done.last_run_at)
