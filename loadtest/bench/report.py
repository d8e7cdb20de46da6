"""The figures as Markdown tables: printed, and put between the markers of docs/performance.md."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from jobs.writer.inbox import BETS_SLICE
from loadtest.bench.results import P99_MS_MAX, Bench, OneColumn, Rate

WHOLE_PATH = "bench: whole path"
YARDSTICKS = "bench: yardsticks"
YARDSTICK_NAMES = {
    "empty_function": "an empty function (`GET /api/time`) on the same server, through the same nginx",
    "gunicorn_gevent_function": "the same function on gunicorn's own gevent worker, through nginx",
    "plain_rq_job": "one plain RQ job a bet: SimpleWorker, Peewee, one transaction each",
    "transaction_per_bet": "one SQLite transaction a bet, nothing around it",
    "bare_sql": "a bare loop of the writer's SQL: four statements a bet, 100 bets a transaction",
    "bare_sql_full": f"the same with {BETS_SLICE} bets a transaction, which the writer takes when that many wait",
}
PROCESSES_SHOWN_LEAST_US = 1.0


class NoMarkers(Exception):
    """The document lacks the markers that a table goes between."""


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Write a Markdown table, figures to the right, with columns as wide as they need to be."""
    widths = [max(len(row[column]) for row in [head, *rows]) for column in range(len(head))]

    def line(cells: Sequence[str]) -> str:
        first = cells[0].ljust(widths[0])
        rest = [cell.rjust(width) for cell, width in zip(cells[1:], widths[1:], strict=True)]
        return f"| {' | '.join([first, *rest])} |"

    rule = f"| {'-' * widths[0]} | {' | '.join('-' * (width - 1) + ':' for width in widths[1:])} |"
    return "\n".join([line(head), rule, *(line(row) for row in rows)])


def rates_table(rates: Sequence[Rate]) -> str:
    """Write what players see at each rate."""
    head = ["bets/s", "committed/s", "p50 ms", "p95 ms", "p99 ms", "max ms", "settled/s", "errors"]
    return table(head, [_rate_row(rate) for rate in rates])


def _rate_row(rate: Rate) -> list[str]:
    errors = ", ".join(f"{count:,} {code}" for code, count in rate.errors.items()) or "0"
    latencies = [f"{ms:,.1f}" for ms in (rate.p50_ms, rate.p95_ms, rate.p99_ms, rate.max_ms)]
    return [f"{rate.rate:,}", f"{rate.committed_per_s:,.0f}", *latencies, f"{rate.settled_per_s:,.0f}", errors]


def cost_table(rates: Sequence[Rate]) -> str:
    """Write what each rate costs inside: CPU of a bet by process, commits, memory."""
    names = [name for name in _processes(rates) if _most(rates, name) >= PROCESSES_SHOWN_LEAST_US]
    head = ["bets/s", *names, "CPUs busy", "commits/s", "bets/commit", "Redis MB", "WAL MB"]
    rows = []
    for rate in rates:
        spent = [f"{rate.cpu_us_per_bet.get(name, 0.0):,.0f}" for name in names]
        stores = [f"{rate.commits_per_s:,.0f}", f"{rate.bets_per_commit:,.0f}", f"{rate.redis_mb:,.0f}"]
        rows.append([f"{rate.rate:,}", *spent, f"{rate.machine_busy:.0%}", *stores, f"{rate.wal_mb:,.0f}"])
    return table(head, rows)


def _processes(rates: Sequence[Rate]) -> list[str]:
    names = {name for rate in rates for name in rate.cpu_us_per_bet}
    return sorted(names, key=lambda name: -_most(rates, name))


def _most(rates: Sequence[Rate], name: str) -> float:
    return max(rate.cpu_us_per_bet.get(name, 0.0) for rate in rates)


def yardsticks_table(bench: Bench) -> str:
    """Write what simpler things do, and the ratio of the highest rate to each."""
    rows = [
        [YARDSTICK_NAMES[name], f"{found.per_s:,.0f}", f"{bench.ratios[name]:.2f}"]
        for name, found in bench.yardsticks.items()
        if name in bench.ratios
    ]
    block = table(["yardstick", "per second", "ratio"], rows)
    if bench.writer_alone is None:
        return block
    column = f"\n\n{_column_sentence(bench.one_column)}" if bench.one_column else ""
    return (
        f"{block}\n\nThe real writer alone, with full jobs waiting and nothing else running, commits "
        f"{bench.writer_alone.per_s:,.0f} bets a second, up to {BETS_SLICE} in a commit: "
        f"{bench.writer_of_bare_sql['bare_sql']:.0%} of the bare SQL with 100 bets a transaction, "
        f"{bench.writer_of_bare_sql['bare_sql_full']:.0%} of that with {BETS_SLICE}."
        f"{column}"
    )


def _column_sentence(runs: Sequence[OneColumn]) -> str:
    """Say how a great column ends; the median of its runs counts, and of the waits the longest of all."""
    middle = runs[len(runs) // 2]
    return (
        f"A column of {middle.bets:,} bets is settled {middle.settled_ms:,} ms after its settlement began (median of "
        f"{len(runs)}), while {middle.placed_per_s:,} bets a second are placed, of which none waits longer than "
        f"{max(run.waited_ms_max for run in runs):,.0f} ms from its enqueue to its answer."
    )


def highest_line(bench: Bench) -> str:
    """Say the highest rates in a sentence."""
    how = f"median of {len(bench.highest)}" if bench.highest else "of those measured"
    line = f"Highest rate of signed bets with p99 below {P99_MS_MAX:.0f} ms and no error ({how}): "
    line += f"**{bench.highest_rate:,} a second**" if bench.highest_rate else "**none**"
    if bench.highest_rate_unsigned is None:
        return line + "."
    return line + f"; with `TAPTRADE_BET_SIGNATURES=off`: **{bench.highest_rate_unsigned:,}**."


def machine_line(bench: Bench) -> str:
    """Say what machine the figures are from."""
    return machine_sentence(bench.machine)


def machine_sentence(about: Mapping[str, object]) -> str:
    """Say what machine figures are from, as `machine.describe` has it."""
    front = f"nginx {about['nginx']}" if about["through_nginx"] else "WITHOUT nginx, which is not installed here"
    return (
        f"Measured on {about['cpus']} CPUs ({about['cpu']}), {about['memory_gb']} GB, Linux {about['kernel']}, Python "
        f"{about['python']}, SQLite {about['sqlite']}, {about['redis']}, {front}; the load generator runs on the "
        f"same CPUs. Load before the start: {about['load_before']}."
    )


def whole_path(bench: Bench) -> str:
    """Write the block of the whole path."""
    parts = [machine_line(bench), highest_line(bench), rates_table(bench.rates)]
    parts += ["CPU microseconds for each committed bet, by process, and what the stores did:", cost_table(bench.rates)]
    if bench.highest:
        parts += ["The search for it, repeats included, and what the repeats cost:", rates_table(bench.searched)]
        parts += [cost_table(bench.highest)]
    if bench.unsigned:
        parts += ["The search without signatures:", rates_table(bench.unsigned)]
    parts += [f"{audit.summary}." for audit in bench.audits]
    return "\n\n".join(parts + bench.remarks)


def put_between(document: str, name: str, block: str) -> str:
    """Return the document with `block` between the markers of `name`."""
    begin, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
    before, found, rest = document.partition(begin)
    _, found_end, after = rest.partition(end)
    if not found or not found_end:
        raise NoMarkers(name)
    return f"{before}{begin}\n\n{block}\n\n{end}{after}"
