"""`taptrade status`: the whole house on one screen."""

from __future__ import annotations

import argparse
import logging
import time
from collections.abc import Sequence
from contextlib import closing, suppress

import msgspec
from rich.console import Console
from rich.filesize import decimal
from rich.live import Live

from runtime.clock import SystemClock
from runtime.game.money import dollars
from runtime.messaging.connection import connect
from runtime.messaging.queues import FUNCTION_PREFIX
from runtime.operating.queues import QueueView, is_of_house
from runtime.settings import load
from taptrade import embedded_redis
from taptrade.arguments import WithExamples
from taptrade.house_status import HouseLook, HouseStatus, ProcessSeen
from taptrade.output import add_output
from taptrade.tables import findings_grid, show_findings

REFRESH_S = 2.0
WELL, ILL = 0, 1
Row = tuple[str, str, str]
EXAMPLES = """\
examples:
  taptrade status               # until Ctrl-C on a terminal
  taptrade status --once
  taptrade status --json | jq .troubles
"""


def main(argv: Sequence[str]) -> int:
    """Show how the house does: health, processes, feed, breaker, queues, bets, settlement, latency, what is owed,
    backup, audit and disk. On a terminal it is renewed until Ctrl-C.

    What does not answer is told of, and the rest is shown. Exit codes: 0 all is well, 1 something is not, 2 nothing
    has run here.
    """
    parser = argparse.ArgumentParser(
        prog="taptrade status", description=main.__doc__, epilog=EXAMPLES, formatter_class=WithExamples
    )
    parser.add_argument("--once", action="store_true", help="show it once, also on a terminal")
    add_output(parser, "print it once, as JSON")
    given = parser.parse_args(argv)
    # What cannot be asked is on the screen.
    logging.getLogger().addHandler(logging.NullHandler())
    settings = load()
    with closing(connect(embedded_redis.redis_url(settings))) as client:
        look = HouseLook(settings, client, SystemClock())
        seen = look.now()
        console = Console()
        if given.json:
            print(msgspec.json.encode(seen).decode())
        elif given.once or not console.is_terminal:
            show_findings(rows(seen))
        else:
            seen = _follow(look, seen, console)
    return WELL if seen.ok else ILL


def _follow(look: HouseLook, seen: HouseStatus, console: Console) -> HouseStatus:
    """Renew the screen until Ctrl-C; return what was seen last."""
    with suppress(KeyboardInterrupt), Live(findings_grid(rows(seen)), console=console, auto_refresh=False) as live:
        while True:
            time.sleep(REFRESH_S)
            seen = look.now()
            live.update(findings_grid(rows(seen)), refresh=True)
    return seen


def rows(seen: HouseStatus) -> list[Row]:
    """Return the screen: (title, state, text)."""
    mode = seen.mode or "mode unknown"
    up = f"up {ago(seen.up_s * 1000)}" if seen.up_s is not None else "not up"
    found: list[Row] = [("house", _state(seen.ok), f"{seen.version}, {mode}, {up}, at {seen.at}")]
    found += [(part, "FAIL", check.detail) for part, check in seen.checks.items() if not check.ok]
    found += [(name, "FAIL", said) for name, said in seen.down.items()]
    well = [f"{part}: {check.detail}" for part, check in seen.checks.items() if check.ok]
    found.append(("well", "ok" if well else "", "; ".join(well)))
    told = [_told(one) for one in seen.processes]
    found.append(("processes", "", ", ".join(told) or "none says anything"))
    found += _functions(seen)
    found += _of_the_game(seen)
    found += _upkeep(seen)
    return found


def _told(one: ProcessSeen) -> str:
    where = f" on {one.machine}" if one.machine else ""
    waits = " stands by" if one.standing_by else ""
    return f"{one.name} (pid {one.pid}){where}{waits} {decimal(one.memory_bytes)} {ago(one.up_s * 1000)}"


def _functions(seen: HouseStatus) -> list[Row]:
    """Return which version of the functions is served: while a deployment moves it, or where it got stuck, by whom."""
    served = [(one.functions_version, one.name) for one in seen.processes if one.functions_version is not None]
    versions = sorted({version for version, _ in served})
    told = [
        f"version {version}"
        + (f" by {', '.join(sorted({name for at, name in served if at == version}))}" if versions[1:] else "")
        for version in versions
    ]
    return [("functions", "", "; ".join(told))] if told else []


def _state(ok: bool) -> str:
    return "ok" if ok else "FAIL"


def _of_the_game(seen: HouseStatus) -> list[Row]:
    found: list[Row] = []
    if seen.feed is not None:
        sources = [
            f"{one.name} {one.state}, counts: {one.counts}" + ("" if one.age_ms is None else f", {ago(one.age_ms)} old")
            for one in seen.feed.sources
        ]
        found.append(("feed", "", "\n".join(sources) or "no source says anything"))
    if seen.queues is not None:
        ages = seen.queue_ages_ms or {}
        told = [(is_of_house(one.name), _queue(one, ages.get(one.name))) for one in seen.queues]
        found.append(("queues", "", "; ".join(text for is_own, text in told if is_own)))
        of_functions = "; ".join(text for is_own, text in told if not is_own)
        found += [("functions' queues", "", of_functions)] if of_functions else []
    if seen.bets is not None:
        found.append(("bets", "", f"{seen.bets.per_second:g}/s in the last minute, {seen.bets.waiting} wait"))
    for what, one in seen.latencies.items():
        span = "in the last minute" if one.of_last_minute else "since the start"
        times = f"p50 {one.p50_ms:g} ms, p99 {one.p99_ms:g} ms" if one.count else "none"
        found.append((f"{what} time", "", f"{times}, of {one.count:,} {span}"))
    if seen.settlement_lag_ms is not None:
        found.append(("settled", "", f"{ago(seen.settlement_lag_ms)} behind"))
    if seen.owed is not None:
        owed, more = seen.owed, "" if seen.owed.complete else "at least "
        accounts = f"{dollars(owed.balances_cents)} in accounts"
        bets = f"{more}{dollars(owed.open_payout_cents)} if all {owed.open_bets:,} open bets win"
        waiting = f"{dollars(owed.withdrawals_pending_cents)} in {owed.withdrawals_pending:,} pending withdrawals"
        found.append(("owed", "", f"{accounts}; {bets}; {waiting}"))
    return found


def _queue(one: QueueView, age_ms: int | None) -> str:
    first = "" if age_ms is None else f" (first for {ago(age_ms)})"
    failed = f", {one.failed} failed" if one.failed else ""
    return f"{one.name.removeprefix(FUNCTION_PREFIX)} {one.waiting}{first}{failed}"


def _upkeep(seen: HouseStatus) -> list[Row]:
    backup, audit, disk = seen.backup, seen.audit, seen.disk
    none = "none yet"
    made = (
        f"{ago(seen.at_ms - backup.made_ms)} ago, commit {backup.commit}, {decimal(backup.bytes)}" if backup else none
    )
    late = (one.removeprefix("job ") for one in seen.troubles if one.startswith("job "))
    found: list[Row] = [("jobs", "FAIL", one) for one in late]
    ages = (seen.replica_ages_ms or {}).items()
    if ages:
        found.append(("replica", "", ", ".join(f"{name} {ago(ms)} behind" for name, ms in ages)))
    found.append(("backup", "", made))
    found.append(("audit", "", f"{ago(seen.at_ms - audit.at_ms)} ago, {audit.findings} findings" if audit else none))
    found.append(("archive", "", f"{ago(seen.at_ms - seen.archived_ms)} ago" if seen.archived_ms else none))
    if disk is not None:
        sizes = f"database {decimal(disk.database_bytes)}, its log {decimal(disk.log_bytes)}"
        free = f"{disk.used_percent} % used, {decimal(disk.free_bytes)} free"
        found.append(("disk", "", f"{free}; {sizes}, ticks {decimal(disk.ticks_bytes)}"))
    return found


def ago(ms: int) -> str:
    """Write how long something lasts, in its two greatest units."""
    if ms < 60_000:
        return f"{ms / 1000:.1f} s"
    minutes = ms // 60_000
    if minutes < 60:
        return f"{minutes} min"
    hours, days = minutes // 60, minutes // 1440
    return f"{hours} h {minutes % 60} min" if hours < 48 else f"{days} d {hours % 24} h"
