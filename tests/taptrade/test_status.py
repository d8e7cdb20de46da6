"""`taptrade status`: the house on one screen, and what is away is told of."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from rich.console import Console

from runtime.clock import rfc3339
from runtime.game.breaker import Breaker, State
from runtime.messaging.metrics_exchange import push
from runtime.messaging.queues import BETS, FAILED_PREFIX, JOB_PREFIX, QUEUE_PREFIX, QUEUES_KEY, queue_of
from runtime.messaging.redis_keys import AUDIT_LAST, BREAKER, FEED_ALIVE, JOBS_SEEN, REPLICA_SHIPPED, SETTLER_ALIVE
from runtime.messaging.redis_values import AuditResult, JobSeen, ReplicaShipped, encode_breaker
from runtime.metrics.table import Metrics
from taptrade.alive import WORKS
from taptrade.house_status import HouseStatus
from taptrade.latencies import Latencies
from taptrade.status import ago, rows
from taptrade.tables import findings_grid
from tests.backgrounds import idle
from tests.conftest import START_MS
from tests.taptrade.office import Office


@pytest.fixture
def well(office: Office, monkeypatch: pytest.MonkeyPatch) -> Office:
    """Return the command line of a house in containers, of which every process says that it is well."""
    desk = office.desk
    monkeypatch.setattr("taptrade.status.SystemClock", lambda: desk.clock)
    monkeypatch.setenv("TAPTRADE_PORT", "1")
    for key in (FEED_ALIVE, SETTLER_ALIVE):
        desk.client.set(key, desk.clock.now_ms())
    desk.client.set(BREAKER, encode_breaker(Breaker(state=State.HEALTHY), None))
    for name in WORKS.keys() - {"replica"}:
        metrics = Metrics(name)
        metrics.set("taptrade_process_start_seconds", desk.clock.now_ms() / 1000 - 90)
        if name in ("api", "functions", "scheduler"):
            metrics.set("taptrade_functions_version", 4 if name == "api" else 3)
        if name == "api":
            metrics.observe("taptrade_request_seconds", 0.004, "place_bet")
        push(desk.client, metrics, desk.clock, idle())
    return office


def test_all_is_well(well: Office) -> None:
    user = well.desk.player(cents=1_000)
    assert well.desk.place(well.desk.bet(user))[0].code is None
    said = well.run("status", "--json")
    seen = msgspec.json.decode(said.out, type=HouseStatus)
    assert (said.code, seen.troubles, seen.ok, seen.up_s) == (0, [], True, 90)
    assert {one.name for one in seen.processes} == WORKS.keys() - {"replica"}
    assert seen.owed is not None
    assert (seen.owed.balances_cents, seen.owed.open_bets, seen.owed.open_payout_cents > 100) == (900, 1, True)
    assert (seen.bets and seen.bets.last_minute, seen.settlement_lag_ms, seen.queue_ages_ms) == (1, 0, {})
    assert (seen.latencies["bet"].count, seen.latencies["bet"].p50_ms) == (1, 3.5)
    assert (seen.latencies["commit"].count, seen.latencies["commit"].p50_ms) == (0, None)
    assert seen.mode == "demo", "in a container without an API, the setting that all of them have"
    told = well.run("status")
    assert told.code == 0
    assert told.out.startswith("house ")
    assert " up 1 min, at 2026-" in told.out
    assert "version 3 by functions, scheduler; version 4 by api" in " ".join(told.out.split())


def test_queues_of_functions_are_shown_with_their_first_and_what_failed(well: Office) -> None:
    client, now_ms = well.desk.client, well.desk.clock.now_ms()
    for number, queue in enumerate((queue_of("greet"), "mails")):
        client.sadd(QUEUES_KEY, QUEUE_PREFIX + queue)
        client.rpush(QUEUE_PREFIX + queue, f"job-{number}")
        client.hset(JOB_PREFIX + f"job-{number}", "enqueued_at", rfc3339(now_ms - 90_000 * (number + 1)))
    client.zadd(FAILED_PREFIX + "mails", {"job-9": now_ms / 1000})
    shown = " ".join(well.run("status").out.split())
    assert "functions' queues greet 1 (first for 1 min); mails 1 (first for 3 min), 1 failed" in shown
    seen = msgspec.json.decode(well.run("status", "--json").out, type=HouseStatus)
    assert seen.queue_ages_ms == {queue_of("greet"): 90_000, "mails": 180_000}
    assert [(one.name, one.failed) for one in seen.queues or ()][-2:] == [(queue_of("greet"), 0), ("mails", 1)]


def test_what_is_late_or_silent_is_told(well: Office) -> None:
    desk, user = well.desk, well.desk.player()
    bet = desk.bet(user)
    assert desk.place(bet)[0].code is None
    desk.clock.advance(60_000)
    desk.queue(desk.bet(user), name=BETS)
    desk.clock.advance(4 * 3_600_000)
    for name, overdue_s in (("backup-hourly", 7_200), ("audit-daily", 100_000)):
        desk.client.hset(JOBS_SEEN, name, JobSeen(START_MS, overdue_s).encode())
    desk.client.delete(FEED_ALIVE)
    desk.client.set(AUDIT_LAST, AuditResult(desk.clock.now_ms(), 2, "2 wrong").encode())
    push(desk.client, Metrics("writer"), desk.clock, idle())
    well.writer_works = False
    said = well.run("status", "--json")
    seen = msgspec.json.decode(said.out, type=HouseStatus)
    assert said.code == 1
    assert seen.queue_ages_ms == {"bets": 4 * 3_600_000}
    ended_ms = (int(bet.cell_id.partition("_")[0]) + 5) * 1000
    assert seen.settlement_lag_ms == desk.clock.now_ms() - ended_ms
    assert {"settler", "feed", "jobs", "scheduler", "api"} <= seen.down.keys()
    assert "audit: 2 wrong" in seen.troubles
    assert "job backup-hourly: has not gone well since 2026-09-21T14:13:20.000Z" in seen.troubles
    assert "queues             bets 1 (first for 4 h 0 min); commands 0; settle 0; jobs 0\n" in well.run("status").out


def test_a_replica_is_asked_for_where_there_is_one(
    well: Office, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    well.desk.player()
    at_ms = well.desk.clock.now_ms()
    well.desk.client.set(REPLICA_SHIPPED, ReplicaShipped({"taptrade.db": at_ms - 700}).encode())
    without = msgspec.json.decode(well.run("status", "--json").out, type=HouseStatus)
    assert (without.ok, without.replica_ages_ms) == (True, {})
    monkeypatch.setenv("TAPTRADE_REPLICA_URL", str(tmp_path / "replica"))
    seen = msgspec.json.decode(well.run("status", "--json").out, type=HouseStatus)
    assert (list(seen.down), seen.replica_ages_ms) == (["replica"], {"taptrade.db": 700})
    monkeypatch.delenv("TAPTRADE_REPLICA_URL")
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "supervisord.conf").write_text("[program:replica]\n", encoding="utf-8")
    told = well.run("status")
    assert (told.code, "\nreplica            taptrade.db 0.7 s behind\n" in told.out) == (1, True)


def test_without_redis_the_rest_is_shown(well: Office, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    well.desk.player(cents=1_000)
    monkeypatch.setenv("TAPTRADE_REDIS_URL", f"unix://{tmp_path}/nobody.sock")
    said = well.run("status", "--json")
    seen = msgspec.json.decode(said.out, type=HouseStatus)
    assert (said.code, seen.checks["redis"].ok, seen.checks["database"].ok) == (1, False, True)
    assert (seen.queues, seen.feed, seen.owed and seen.owed.balances_cents) == (None, None, 1_000)
    console = Console(width=120, file=(tmp_path / "screen").open("w", encoding="utf-8"))
    console.print(findings_grid(rows(seen)))
    console.file.close()
    assert "$10.00 in accounts" in (tmp_path / "screen").read_text(encoding="utf-8")


def test_where_nothing_has_run_it_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from taptrade.cli import main

    monkeypatch.delenv("TAPTRADE_REDIS_URL", raising=False)
    monkeypatch.setenv("TAPTRADE_DATA", str(tmp_path))
    assert main(["status"]) == 2
    assert "start it with `taptrade up`" in capsys.readouterr().err


def test_latencies_are_of_the_last_minute_once_it_has_passed() -> None:
    metrics, latencies = Metrics("api"), Latencies()
    metrics.observe("taptrade_request_seconds", 0.004, "place_bet")
    first = latencies.of([metrics.snapshot(1, 0)], 0)["bet"]
    assert (first.count, first.of_last_minute) == (1, False)
    for _ in range(3):
        metrics.observe("taptrade_request_seconds", 0.2, "place_bet")
    later = latencies.of([metrics.snapshot(1, 0)], 60_000)["bet"]
    assert (later.count, later.p50_ms, later.of_last_minute) == (3, 175.0, True)
    # A process that began within the minute counts from its start.
    other = Metrics("api")
    other.observe("taptrade_request_seconds", 0.2, "place_bet")
    assert latencies.of([metrics.snapshot(1, 0), other.snapshot(2, 0)], 61_000)["bet"].count == 4


@pytest.mark.parametrize(
    ("ms", "text"),
    [(0, "0.0 s"), (59_900, "59.9 s"), (60_000, "1 min"), (7_380_000, "2 h 3 min"), (176_400_000, "2 d 1 h")],
)
def test_a_time_is_told_in_its_two_greatest_units(ms: int, text: str) -> None:
    assert ago(ms) == text
