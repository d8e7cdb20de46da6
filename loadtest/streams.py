"""`make bench-streams`: thousands of readers of the stream on one machine while bets are placed."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from random import Random
from typing import Annotated

from jobs.feed.recording import HEADER
from jobs.feed.sim import START_CENTS, VOLATILITY_CENTS
from loadtest import machine
from loadtest.machine import MB, Usage
from loadtest.measurement import Found, Measurement, Trial
from loadtest.processes import piped
from loadtest.readers import OPEN_S_MAX, Tally, serve
from loadtest.schedule import Plan
from loadtest.spike import phase
from loadtest.stage import Stage, stage
from runtime.messaging.bus import public_between
from runtime.stream import sse

WARM_UP_S = 5.0
GRACE_S = 60.0
FILTERS = {"price": "events=price", "": "", "page": "grid=changes&price=brief"}
"""The crowds and what each asks for: prices, everything, and what the page does: everything in its shortest form."""
_TCP_PAGES = re.compile(r"^TCP:.* mem (\d+)$", re.MULTILINE)
COLUMNS = "SELECT begun_commit, begun_place FROM columns WHERE begun_at >= ? AND begun_at < ?"
PRICE_EVERY_MS = 40
"""More than two prices fall into each interval of 100 ms, however late one of them is."""
PRICES_S = 1_800
FIRST_PRICE_MS = 1_790_000_000_000
P99_MS_MAX = 250.0
NEVER_SKIPPED = ("touched", "status", "column")
"""What must reach everyone; of the others a reader that is behind gets the newest."""


def complaints(found: Found) -> Iterator[str]:
    """Every reader must stay, and get everything in time and without a loss."""
    for crowd in found["crowds"]:
        name = crowd["events"] or "everything"
        if crowd["price_p99_ms"] >= P99_MS_MAX:
            yield f"Readers of {name} got prices {crowd['price_p99_ms']:,.0f} ms old (p99)."
        if crowd["lost"] or crowd["dropped"]:
            yield f"Of {name}, {crowd['lost']:,} events were lost and {crowd['dropped']:,} readers dropped."


def measured(
    trial: Trial,
    clients: Annotated[int, "readers of each crowd"] = 5_000,
    rate: Annotated[int, "signed bets a second meanwhile"] = 500,
    seconds: Annotated[float, "how long is measured"] = 30.0,
    crowd: Annotated[str, "one crowd alone: price, everything or page; empty: all three"] = "",
) -> Found:
    """Let thousands read the stream while bets are placed: one crowd after the other."""
    recording = trial.folder / "prices.csv"
    write_prices(recording)
    overrides = {"TAPTRADE_FEED": "replay", "TAPTRADE_REPLAY_FILE": str(recording)}
    crowds = []
    for events in FILTERS if not crowd else [crowd.replace("everything", "")]:
        name = events or "everything"
        # A system of its own: memory that a crowd has left would hide what the next one takes.
        with stage(trial, name, overrides=overrides) as on:
            with trial.display.step(f"{clients:,} readers of {name}", WARM_UP_S + seconds + clients / 200):
                crowds.append(_crowd(on, clients, events, Plan(rate, WARM_UP_S, seconds)))
            trial.display.say(f"price p99 {crowds[-1]['price_p99_ms']:,.0f} ms, lost {crowds[-1]['lost']:,}")
            on.count_money()
    return {"p99_ms_max": P99_MS_MAX, "never_skipped": NEVER_SKIPPED, "crowds": crowds}


def _crowd(on: Stage, clients: int, events: str, plan: Plan) -> Found:
    # What the first bets after a pause take in memory is not the streams'.
    on.generator.follow(Plan(plan.rate, 0.0, WARM_UP_S))
    before, before_kb = on.usage(), _kernel_kb()
    with piped("the readers", serve, on.port, on.running.settings.domain, clients, FILTERS[events]) as readers:
        readers.await_message(OPEN_S_MAX)
        kernel_kb = _kernel_kb() - before_kb
        memory = kb_per_stream(before, on.usage(), kernel_kb, clients)
        on.generator.start(plan)
        from_ms = time.time_ns() // 1_000_000 + round(plan.warm_up_s * 1000)
        window = from_ms, from_ms + round(plan.measure_s * 1000)
        readers.send(window)
        used, at_s = [], []
        for moment_ms in window:
            time.sleep(max(moment_ms / 1000 - time.time(), 0.0))
            used.append(machine.usage({**on.roots, "readers": readers.pid}))
            at_s.append(time.monotonic())
        tally: Tally = readers.await_message(GRACE_S)
        bets = phase("bets", on.generator.figures())
    reach = _reach(on, tally, clients, events)
    return {
        "events": events,
        "clients": clients,
        "dropped": tally.dropped,
        "lost": lost(reach),
        **{f"price_{name}": ms for name, ms in tally.ages[b"price"].ms(50, 99, 100).items()},
        "grid_p99_ms": tally.ages[b"grid"].ms(99)["p99_ms"],
        "reach": reach,
        "mb_per_s": round(tally.octets / MB / plan.measure_s, 2),
        # Own memory of each process that the streams added, divided by their number; `kernel` is TCP's buffers.
        "kb_per_stream": memory,
        "cpu_percent": machine.cpu_percent(used[0], used[1], at_s[1] - at_s[0]),
        "bets": bets,
    }


def _reach(on: Stage, tally: Tally, clients: int, events: str) -> dict[str, Found]:
    published: dict[str, set[bytes]] = {"price": set(), "grid": set(), "touched": set(), "status": set()}
    first, last = (f"{at_ms - 1}-999999999" for at_ms in (tally.from_ms, tally.upto_ms))
    for event in public_between(on.running.redis, first, last):
        published[event.type].add(event.id.encode())
    rows = on.running.database.execute(COLUMNS, (tally.from_ms, tally.upto_ms))
    published["column"] = {f"{commit}.{position}".encode() for commit, position in rows}
    return reach_of(tally, published, clients, sse.wanted(events if events in sse.EVERYTHING else ""))


def _kernel_kb() -> float:
    """Return the memory of the machine's TCP buffers."""
    found = _TCP_PAGES.search(Path("/proc/net/sockstat").read_text())
    return int(found[1]) * os.sysconf("SC_PAGE_SIZE") / 1024 if found else 0.0


def reach_of(
    tally: Tally, published: Mapping[str, set[bytes]], clients: int, wanted: frozenset[str]
) -> dict[str, Found]:
    """Compare what was published with what the readers received, by type."""
    received = {kind: tally.deliveries(kind, ids) for kind, ids in published.items() if kind in wanted and ids}
    return {
        kind: {"published": (sent := len(published[kind])), "received": got, "missing": sent * clients - got}
        for kind, got in received.items()
    }


def lost(reach: Mapping[str, Found]) -> int:
    """Return how many events did not reach a reader that they must reach."""
    return sum(one["missing"] for kind, one in reach.items() if kind in NEVER_SKIPPED)


def kb_per_stream(
    before: Mapping[str, Usage], after: Mapping[str, Usage], kernel_kb: float, clients: int
) -> dict[str, float]:
    """Divide the memory that opening the streams took."""
    added = {name: after[name].own_mb - before[name].own_mb for name in ("api", "nginx") if name in before}
    per_stream = {name: round(mb * 1024 / clients, 1) for name, mb in added.items()}
    return {**per_stream, "kernel": round(kernel_kb / clients, 1)}


def write_prices(path: Path, *, length_s: int = PRICES_S) -> None:
    """Write a recording without a gap: a random walk as volatile as the sim feed's."""
    rng = Random(1)
    move_cents = VOLATILITY_CENTS * (PRICE_EVERY_MS / 1000) ** 0.5
    cents = START_CENTS
    with path.open("w", encoding="utf-8") as file:
        file.write(f"{HEADER}\n")
        for offset_ms in range(0, length_s * 1000, PRICE_EVERY_MS):
            cents += round(rng.gauss(0.0, move_cents))
            file.write(f"{FIRST_PRICE_MS + offset_ms},{cents // 100}.{cents % 100:02d}\n")


MEASUREMENT = Measurement("streams", measured, complaints, renews=lambda found: len(found["crowds"]) == len(FILTERS))
