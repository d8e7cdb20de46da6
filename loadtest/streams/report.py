"""The streams' tables."""

from __future__ import annotations

from loadtest.bench.report import machine_sentence, table
from loadtest.streams.results import NEWEST_ONLY, P99_MS_MAX, Crowd, StreamsRun


def section(run: StreamsRun) -> str:
    """Write the section of docs/performance.md."""
    bets = [crowd.bets for crowd in run.crowds]
    parts = [
        f"    make bench-streams CLIENTS={run.clients}",
        machine_sentence(run.machine),
        (
            f"{run.clients:,} readers in one process of one thread, ten prices and four grids a second, "
            f"{run.bets_per_s:,} bets a second meanwhile; {run.seconds:.0f} s measured. An age counts from the "
            "millisecond in which Redis took the event in until the reader's process has it, so that waiting for a "
            f"busy reader is part of it. The aim is p99 below {P99_MS_MAX:.0f} ms."
        ),
        table(
            ["readers of", "price p50 ms", "price p99 ms", "price max ms", "grid p99 ms", "MB/s", "dropped", "lost"],
            [_age_row(crowd) for crowd in run.crowds],
        ),
        (
            "Of prices and grids a reader gets the newest when it is its turn, so some are overtaken; anything else "
            "must reach every reader (`lost` above counts what did not):"
        ),
        table(
            ["readers of", "event", "published", "received", "of all", "missing because of"],
            [row for crowd in run.crowds for row in _reach_rows(crowd)],
        ),
        "What a stream costs in memory, and the CPUs of the measured time in percent of one:",
        table(
            ["readers of", "api KB", "nginx KB", "kernel KB", "api", "nginx", "writer", "readers", "generator"],
            [_cost_row(crowd) for crowd in run.crowds],
        ),
        "The bets meanwhile:",
        table(
            ["readers of", "committed", "p50 ms", "p99 ms", "errors"],
            [
                [
                    _name(crowd),
                    f"{one.committed:,}",
                    f"{one.p50_ms:,.1f}",
                    f"{one.p99_ms:,.1f}",
                    ", ".join(f"{count:,} {code}" for code, count in one.errors.items()) or "0",
                ]
                for crowd, one in zip(run.crowds, bets, strict=True)
            ],
        ),
    ]
    return "\n\n".join([*parts, *(f"{audit.summary}." for audit in run.audits)])


def _name(crowd: Crowd) -> str:
    return f"`{crowd.events}`" if crowd.events else "everything"


def _age_row(crowd: Crowd) -> list[str]:
    grid = f"{crowd.grid_p99_ms:,.0f}" if "grid" in crowd.reach else "-"
    ages = [f"{ms:,.0f}" for ms in (crowd.price_p50_ms, crowd.price_p99_ms, crowd.price_max_ms)]
    return [_name(crowd), *ages, grid, f"{crowd.mb_per_s:,.1f}", f"{crowd.dropped:,}", f"{crowd.lost:,}"]


def _reach_rows(crowd: Crowd) -> list[list[str]]:
    rows = []
    for kind, found in crowd.reach.items():
        share = found.received / max(found.published * crowd.clients, 1)
        why = "overtaken" if kind in NEWEST_ONLY else "lost"
        counts = [f"{found.published:,}", f"{found.received:,}", f"{share:.1%}"]
        rows.append([_name(crowd), kind, *counts, f"{found.missing:,} {why}" if found.missing else "-"])
    return rows


def _cost_row(crowd: Crowd) -> list[str]:
    memory = [f"{crowd.kb_per_stream.get(name, 0.0):,.1f}" for name in ("api", "nginx", "kernel")]
    names = ("api", "nginx", "writer", "readers", "generator")
    return [_name(crowd), *memory, *(f"{crowd.cpu_percent.get(name, 0.0):.0f}%" for name in names)]
