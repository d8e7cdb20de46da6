"""`make bench-streams`: thousands of readers of the stream on one machine while bets are placed."""

from __future__ import annotations

import argparse
import os
import re
import time
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from loadtest.bench import machine, proc
from loadtest.bench.display import Display
from loadtest.bench.rates import MB
from loadtest.bench.schedule import Plan
from loadtest.bench.stage import Stage, stage
from loadtest.command import leave_json, nginx_or_fail, publish, run, workplace
from loadtest.soak.samples import memory_and_descriptors
from loadtest.spike.results import phase
from loadtest.streams.prices import write_prices
from loadtest.streams.readers import Received, Window, readers
from loadtest.streams.report import section
from loadtest.streams.results import Crowd, Reach, StreamsRun, complaints, kb_per_stream, reach_of
from runtime.messaging.bus import public_between
from runtime.messaging.connection import connect
from runtime.storage.database import open_reader
from runtime.stream import sse

CLIENTS = 5_000
BETS_PER_S = 500
LEAD_S = 5.0
MEASURE_S = 30.0
GRACE_S = 60.0
COUNT_S = 30
FILTERS = ("price", "")
PAGE = os.sysconf("SC_PAGE_SIZE")
_TCP_PAGES = re.compile(r"^TCP:.* mem (\d+)$", re.MULTILINE)
COLUMNS = "SELECT begun_commit, begun_place FROM columns WHERE begun_at >= ? AND begun_at < ?"


def main(arguments: Sequence[str]) -> int:
    """Measure crowds for prices only and for everything; the exit code is 1 if one was not carried or a cent is off."""
    parser = argparse.ArgumentParser(prog="make bench-streams", description=__doc__)
    parser.add_argument("--clients", type=int, default=CLIENTS)
    parser.add_argument("--rate", type=int, default=BETS_PER_S, help="signed bets a second meanwhile")
    parser.add_argument("--seconds", type=float, default=MEASURE_S)
    args = parser.parse_args(arguments)
    display, nginx = Display(Console()), nginx_or_fail()
    with workplace("streams", display) as folder:
        found = measured(folder, nginx, display, args)
        leave_json("streams", found)
        publish("streams", section(found), display)
        wrong = complaints(found)
        for complaint in wrong:
            display.say(f"[bold red]{complaint}[/]")
    return 1 if wrong else 0


def measured(folder: Path, nginx: str, display: Display, args: argparse.Namespace) -> StreamsRun:
    """Start the system, and let one crowd after the other read."""
    clients, rate, seconds = args.clients, args.rate, args.seconds
    recording = folder / "prices.csv"
    write_prices(recording)
    about: dict[str, str | int | float | bool] = {}
    crowds, audits = [], []
    for events in FILTERS:
        name = events or "everything"
        (folder / name).mkdir()
        # A system of its own: memory that a crowd has left would hide what the next one takes.
        overrides = {"TAPTRADE_FEED": "replay", "TAPTRADE_REPLAY_FILE": str(recording)}
        with stage(folder / name, nginx, display, signed=True, overrides=overrides) as on:
            about = about or machine.describe(nginx, on.vitals.sqlite_version())
            with display.step(f"{clients:,} readers of {name}", LEAD_S + seconds + clients / 200):
                crowds.append(_crowd(on, clients, events, Plan(rate, LEAD_S, seconds)))
            display.say(f"price p99 {crowds[-1].price_p99_ms:,.0f} ms, lost {crowds[-1].lost:,}")
            with display.step("settling and counting the money", COUNT_S):
                audits.append(on.count_money())
    return StreamsRun(clients=clients, bets_per_s=rate, seconds=seconds, crowds=crowds, audits=audits, machine=about)


def _crowd(on: Stage, clients: int, events: str, plan: Plan) -> Crowd:
    sender = on.meter.generator
    # What the first bets after a pause take in memory is not the streams'.
    sender.start(Plan(plan.rate, 0.0, LEAD_S))
    sender.figures(lambda _progress: None)
    before, before_kb = memory_and_descriptors(on.meter.roots), _kernel_kb()
    with readers(on.port, on.running.domain, clients, events) as crowd:
        crowd.await_open()
        memory = kb_per_stream(before, memory_and_descriptors(on.meter.roots), _kernel_kb() - before_kb, clients)
        roots = {**on.meter.roots, "readers": crowd.pid}
        sender.start(plan)
        window = _window(plan)
        crowd.measure(window)
        spent = _cpu_percent(roots, window)
        received = crowd.received(GRACE_S)
        bets = phase("bets", sender.figures(lambda _progress: None))
    ages = received.tally.ages
    return Crowd(
        events=events,
        clients=clients,
        dropped=received.dropped,
        price_p50_ms=ages[b"price"].percentile_ms(50),
        price_p99_ms=ages[b"price"].percentile_ms(99),
        price_max_ms=round(ages[b"price"].max_us / 1000, 1),
        grid_p99_ms=ages[b"grid"].percentile_ms(99),
        reach=_reach(on, received, window, clients, events),
        mb_per_s=round(received.tally.octets / MB / plan.measure_s, 2),
        kb_per_stream=memory,
        cpu_percent=spent,
        bets=bets,
    )


def _window(plan: Plan) -> Window:
    from_ms = time.time_ns() // 1_000_000 + round(plan.lead_s * 1000)
    return Window(from_ms, from_ms + round(plan.measure_s * 1000))


def _cpu_percent(roots: dict[str, int], window: Window) -> dict[str, float]:
    """Wait for the window's start and end; return the CPU that each process took meanwhile, in percent of one."""
    _sleep_until(window.from_ms)
    first, first_s = proc.cpu_seconds(roots), time.monotonic()
    _sleep_until(window.upto_ms)
    last, passed_s = proc.cpu_seconds(roots), time.monotonic() - first_s
    return {name: round((cpu_s - first.get(name, 0.0)) / passed_s * 100, 1) for name, cpu_s in last.items()}


def _sleep_until(at_ms: int) -> None:
    time.sleep(max(at_ms / 1000 - time.time(), 0.0))


def _reach(on: Stage, received: Received, window: Window, clients: int, events: str) -> dict[str, Reach]:
    published: dict[str, set[bytes]] = {"price": set(), "grid": set(), "touched": set(), "status": set()}
    client, database = connect(on.running.redis_url), open_reader(on.running.settings.database)
    try:
        last = f"{window.upto_ms - 1}-999999999"
        for event in public_between(client, f"{window.from_ms - 1}-999999999", last):
            published[event.type].add(event.id.encode())
        rows = database.execute(COLUMNS, (window.from_ms, window.upto_ms))
    finally:
        client.close()
        database.close()
    published["column"] = {f"{commit}.{place}".encode() for commit, place in rows}
    return reach_of(received, published, clients, sse.wanted(events))


def _kernel_kb() -> float:
    """Return the memory of the machine's TCP buffers."""
    found = _TCP_PAGES.search(Path("/proc/net/sockstat").read_text())
    return int(found[1]) * PAGE / 1024 if found else 0.0


if __name__ == "__main__":
    run("streams", main)
