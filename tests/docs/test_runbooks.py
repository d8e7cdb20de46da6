"""The runbooks' commands as they stand: look around, explain a bet, correct a balance, back up and restore."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path

import pytest

from jobs.rq.schedule import schedules
from taptrade import redis_server
from taptrade.processes import PROCESSES
from tests.acceptance.system import System
from tests.docs.conftest import Played
from tests.docs.runbooks import FIRST, IN_CONTAINERS, LOOK, both, runbook
from tests.docs.shell import blocks, run, section
from tests.jobs.upkeep.shelf import Shelf
from tests.jobs.writer_desk import Desk
from tests.waiting import wait_until

pytestmark = pytest.mark.timeout(180)

SET = b"*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\nb\r\n"


def test_looking_around_shows_health_processes_and_breaker(house: System, tmp_path: Path) -> None:
    _, looked = run([FIRST, LOOK], tmp_path, house.environment)
    assert '"checks"' in looked
    assert len(re.findall(r"^(?:support:)?\w+ +RUNNING", looked, re.MULTILINE)) == len(PROCESSES)
    assert "override auto" in looked


def test_looking_around_in_containers_asks_docker(place: dict[str, str], tmp_path: Path) -> None:
    _, looked = run([IN_CONTAINERS, LOOK], tmp_path, place)
    assert '"checks"' in looked
    assert "docker compose ps" in looked
    assert "override auto" in looked


def test_every_process_is_a_service_under_the_words_of_the_runbooks(place: dict[str, str], tmp_path: Path) -> None:
    named = [f"support:{one.name}" if one.priority == 30 else one.name for one in PROCESSES]
    asked = [f"ctl restart {name}; ctl tail {name}; ctl signal KILL {name}; ctl stop {name}" for name in named]
    _, *done, down, said = run([IN_CONTAINERS, *asked, "ctl shutdown", "logs writer; logs"], tmp_path, place)
    for name, told in zip(named, done, strict=True):
        service = name.removeprefix("support:").replace("dashboard", "rq-dashboard")
        asked_for = [line.removeprefix("docker compose ") for line in told.splitlines()]
        assert asked_for == [
            f"restart {service}",
            f"logs --tail {service}",
            f"kill -s {service}",
            f"start {service}",
            f"stop {service}",
        ]
    assert down == "docker compose down"
    assert said.splitlines() == ["docker compose logs --no-log-prefix writer", "docker compose logs --no-log-prefix"]


def test_dispute_explains_a_bet_and_an_account_and_a_correction_is_entered_once(
    house: System, bet: Played, tmp_path: Path
) -> None:
    text = runbook("dispute")
    _, explain, evidence = blocks(section(text, "One bet"))
    _, dispute = blocks(section(text, "One account"))
    (adjust,) = blocks(section(text, "The house was wrong"))
    _, explained, column, shown, once, again = run(
        [
            f"{FIRST}\nBET={bet.id} ACCOUNT={bet.wallet}",
            explain,
            evidence.replace("1767677435", str(bet.column_start_s)),
            dispute,
            adjust,
            adjust,
        ],
        tmp_path,
        house.environment,
    )
    assert re.findall(r"^\w+ +(holds|open|WRONG)", explained, re.MULTILINE) == ["holds"] * 6
    assert json.loads(column)["start_s"] == bet.column_start_s
    assert shown.endswith("adds up")
    assert "adjusted by $1.50" in once
    assert "nothing moved now" in again


def test_payments_are_entered_and_withdrawals_listed(house: System, bet: Played, tmp_path: Path) -> None:
    given, deposit, listing, *_, reconcile = blocks(runbook("payments"))
    given = re.sub("0x[0-9a-f]{40}", bet.wallet, given)
    deposit = f"{FIRST}\n{given}\n{deposit}"
    payments = f"printf 'reference,amount,account,time\\nbank-4711,1050,%s,%s' {bet.wallet} $(date +%s) >payments.csv"
    deposited, listed, _, held = run([deposit, listing, payments, reconcile], tmp_path, house.environment)
    assert "deposited $10.50" in deposited
    assert held.endswith("file and ledger agree")
    assert listed.split() == ["id", "requested", "to", "amount", "status", "reference", "who", "why"]


def test_breaker_is_forced_and_handed_back(house: System, tmp_path: Path) -> None:
    _, shown, opened, closed, handed_back, history = run(
        [FIRST, *blocks(runbook("breaker"))], tmp_path, house.environment
    )
    assert "override auto" in shown
    assert "override open: bets are refused" in opened
    assert re.search(r"override closed until \S+Z: bets are taken", closed)
    assert "override auto" in handed_back
    assert "prices look wrong" in history


def test_the_sources_of_prices_are_shown(house: System, tmp_path: Path) -> None:
    (looking,) = blocks(runbook("feed"))
    _, seen = run([FIRST, looking], tmp_path, house.environment)
    assert " of 1 count, 1 must; newest tick" in seen
    assert '"sources"' in seen
    assert re.search(r"^taptrade_source_fresh{source=\"\w+\"} [01].0$", seen, re.MULTILINE)


@pytest.mark.parametrize("reason", ["outlier", "alone", "unproven", "late", "zero", "garbage"])
def test_each_reason_that_a_price_is_left_out_for_is_explained(reason: str) -> None:
    rows = [line for line in runbook("feed").splitlines() if line.startswith("| `left out` grows: ")]
    assert sum(f"`{reason}`" in row for row in rows) == 1


def test_the_market_is_shown_and_an_open_bucket_is_not_opened(house: System, bet: Played, tmp_path: Path) -> None:
    looking, opening = blocks(runbook("market"))
    refused = f"! {opening.strip()} 2>&1"
    _, shown, said = run([FIRST, looking, refused], tmp_path, house.environment)
    assert shown.startswith("bucket\tbets\tstaked\treturn\te-value\tstanding")
    assert re.search(r"^[\d.]+-[\d.]+x/all\t\d+\t\$", shown, re.MULTILINE)
    assert said.startswith(("refused, BUCKET_OPEN", "refused, NOT_FOUND"))


@both
def test_backup_is_made_checked_kept_elsewhere_and_restored(
    first: str, place: dict[str, str], bet: Played, tmp_path: Path
) -> None:
    text = runbook("backup-and-restore")
    making, checking = blocks(section(text, "Make one now")), blocks(section(text, "Check one"))
    looking, (taking, bringing) = blocks(section(text, "What is there")), blocks(section(text, "Keep it elsewhere"))
    _, made, listed, checked, _ = run([first, *making, *looking, *checking, taking], tmp_path, place)
    assert re.search(r"taptrade-\w+\.\w+\.db: commit \d+ at .* checked$", made, re.MULTILINE)
    assert ".db.sha256" in listed
    assert checked.endswith("OK")

    damaged = tmp_path / "damaged"
    (damaged / "redis" / "appendonlydir").mkdir(parents=True)
    (damaged / "run").mkdir()
    (damaged / "taptrade.db").write_bytes(b"not a database")
    (damaged / "taptrade.db-wal").write_bytes(b"nor this")
    environment = place | {"TAPTRADE_DATA": str(damaged)}
    _, copying, redis, counting = blocks(section(text, "Restore"))
    _, _, copied, _, counted = run(
        [f"{first}\nCOPIES=copies", bringing, copying, redis, counting], tmp_path, environment
    )
    head = re.search(r"every cent is where it belongs.* head (\w+)", counted)
    assert head
    assert f'"commit_hash":"{head[1]}' in copied
    (aside,) = damaged.glob("aside-*")
    assert sorted(path.name for path in aside.iterdir()) == ["taptrade.db", "taptrade.db-wal"]
    assert [path.name for path in damaged.glob("redis/aside-*/*")] == ["appendonlydir"]
    private = (damaged / "taptrade.db", *(damaged / "backups").iterdir())
    assert {path.stat().st_mode & 0o077 for path in private} == {0}


@both
def test_the_replica_is_looked_at_restored_and_compared(
    first: str, place: dict[str, str], bet: Played, tmp_path: Path
) -> None:
    (looking,) = blocks(section(runbook("replica"), "Is it well?"))
    restoring, comparing, *_ = blocks(section(runbook("replica"), "Restore after the loss of the machine"))
    _, seen = run([first, looking], tmp_path, place)
    ages = re.findall(r'^taptrade_replica_age_seconds{database="(\w+\.db)"} ([\d.]+)$', seen, re.MULTILINE)
    assert sorted(name for name, _ in ages) == ["functions.db", "taptrade.db", "ticks.db"]
    assert max(float(age) for _, age in ages) < 30
    _, restored = run([first, restoring], tmp_path, place | {"TAPTRADE_DATA": str(tmp_path / "new")})
    assert re.search(r"^ledger: up to commit [1-9]\d* of 20", restored, re.MULTILINE)
    assert "audit: every cent is where it belongs" in restored
    if first == FIRST:
        old = f"{first}\nOLD={place['TAPTRADE_DATA']}"
        _, compared = run([old, comparing], tmp_path, place | {"TAPTRADE_DATA": str(tmp_path / "newer")})
        assert "entries of the old ledger came after that:" in compared


def test_what_is_damaged_of_redis_is_put_aside_in_containers(place: dict[str, str], tmp_path: Path) -> None:
    aside, mending = [block for block in blocks(runbook("redis-loss")) if "ctl stop redis" in block]
    data = tmp_path / "lost"
    (data / "redis" / "appendonlydir").mkdir(parents=True)
    (data / "redis" / "dump.rdb").touch()
    environment = place | {"TAPTRADE_DATA": str(data)}
    run([IN_CONTAINERS, aside], tmp_path, environment)
    assert sorted(path.name for path in data.glob("redis/damaged-*/*")) == ["appendonlydir", "dump.rdb"]
    assert [path.name for path in (data / "redis").iterdir() if not path.name.startswith("damaged-")] == []
    (data / "run").mkdir()
    (data / "run" / "redis-check-aof").symlink_to(redis_server.choose())
    (data / "redis" / "appendonlydir").mkdir()
    (data / "redis" / "appendonlydir" / "appendonly.aof.1.incr.aof").write_bytes(SET + b"\0" * 100)
    run([IN_CONTAINERS, mending], tmp_path, environment)
    assert (data / "redis" / "appendonlydir" / "appendonly.aof.1.incr.aof").read_bytes() == SET


@both
def test_redis_is_looked_into_and_old_backups_go(first: str, place: dict[str, str], tmp_path: Path) -> None:
    looking = next(block for block in blocks(runbook("redis-loss")) if "memory_usage" in block)
    workers = blocks(runbook("lost-worker"))[0]
    using, removing, *_ = blocks(runbook("disk"))
    _, sizes, seen, used = run([first, looking, workers, using], tmp_path, place)
    assert "bytes  bus" in sizes
    assert all(re.search(rf"^{name}-\d+", seen, re.MULTILINE) for name in ("writer", "settle", "jobs")), seen
    assert "taptrade.db" in used

    backups = tmp_path / "full" / "backups"
    backups.mkdir(parents=True)
    for hour in range(5):
        for ending in ("", ".sha256", ".json"):
            (backups / f"taptrade-2026010{hour}T000000.000Z.db{ending}").touch()
    run([f"{first}\n{removing}"], tmp_path, place | {"TAPTRADE_DATA": str(tmp_path / "full")})
    assert sorted(path.name[:17] for path in backups.glob("*.db")) == [f"taptrade-2026010{hour}" for hour in (2, 3, 4)]
    assert len(list(backups.iterdir())) == 9


def test_background_work_is_shown_by_process(house: System, tmp_path: Path) -> None:
    (looking,) = blocks(section(runbook("lost-worker"), "A part of a process"))

    def shown() -> str:
        return run([FIRST, looking], tmp_path, house.environment)[1]

    # A process tells of itself every 2 s, and each begins when it has started.
    everybody = ("api", "replica", "writer", "settler", "jobs", "scheduler", "functions", "feed")
    wait_until(lambda: all(f'process="{name}"' in shown() for name in everybody), 20, what="all processes")
    seen = shown()
    up = re.findall(r'^taptrade_background_up{process="(\w+)",slot="0",work="([\w.-]+)"} 1.0', seen, re.MULTILINE)
    assert {process for process, _ in up} == set(everybody)
    assert {work for process, work in up if process == "feed"} == {"publisher", "checkpoints", "metrics"}
    assert len(re.findall(r"^taptrade_background_restarts_total{.*} 0.0", seen, re.MULTILINE)) == len(up)


def test_the_runs_of_periodic_jobs_are_shown(house: System, tmp_path: Path) -> None:
    (looking,) = blocks(section(runbook("lost-worker"), "Failed jobs"))

    def shown() -> str:
        return run([FIRST, looking], tmp_path, house.environment)[1]

    well = re.compile(r'^taptrade_job_runs_total{job="settle-columns",.*result="succeeded".*} [1-9]', re.MULTILINE)
    wait_until(lambda: well.search(shown()), 20, what="settlement")
    failed = re.compile('^taptrade_job_runs_total{.*result="failed"', re.MULTILINE)
    wait_until(lambda: len(failed.findall(shown())) == len(schedules()), 20, what="all workers")
    seen = shown()
    times = dict(re.findall(r'^taptrade_job_success_time_seconds{job="([\w-]+)"} (\S+)$', seen, re.MULTILINE))
    assert set(times) == {schedule.id for schedule in schedules()}
    assert abs(float(times["settle-columns"]) - time.time()) < 60


def test_the_length_of_both_write_ahead_logs_is_shown(house: System, tmp_path: Path) -> None:
    looking, _ = blocks(section(runbook("disk"), "A write-ahead log beyond 64 MB"))
    _, seen = run([FIRST, looking], tmp_path, house.environment)
    for database in ("taptrade.db", "ticks.db"):
        assert re.search(rf'^taptrade_wal_bytes{{.*database="{database}".*}} \d', seen, re.MULTILINE), seen
        assert f'taptrade_wal_held_seconds{{database="{database}",holder=""' in seen


@both
def test_an_archive_is_looked_at_and_verified_and_a_week_comes_back(
    first: str, desk: Desk, place: dict[str, str], tmp_path: Path
) -> None:
    shelf = Shelf(desk, tmp_path)
    week = shelf.play_week()
    shelf.on_sunday()
    shelf.archive()
    (tmp_path / "weeks" / week.file).unlink()
    environment = place | {"TAPTRADE_DATA": str(tmp_path), "TAPTRADE_REDIS_URL": desk.redis_url}
    looking, doing, verifying, restoring = blocks(runbook("archive"))
    _, listed, verified, restored = run([first, looking, verifying, restoring], tmp_path, environment)
    assert listed.splitlines()[1].startswith(f"{week.name}\t")
    assert verified == f"{week.name}: holds, down to the hash chain"
    assert restored.startswith(f"{week.name} is here again")
    _, done = run([first, doing], tmp_path, place)
    assert done == "nothing is due"
