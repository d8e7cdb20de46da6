"""The runbooks' commands as they stand: look around, explain a bet, correct a balance, back up and restore."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from runtime.storage.database import open_reader
from tests.acceptance.system import System
from tests.docs.shell import blocks, run, section
from tests.docs.tables import ROOT
from tests.jobs.upkeep.shelf import Shelf
from tests.jobs.writer_desk import Desk
from tests.waiting import wait_until

pytestmark = pytest.mark.timeout(180)

PLAY = ".venv/bin/taptrade player --bets 1 --quiet"


def runbook(name: str) -> str:
    return (ROOT / "docs" / "runbooks" / f"{name}.md").read_text(encoding="utf-8")


FIRST = blocks(runbook("README"))[0]


@dataclass(frozen=True, slots=True)
class Played:
    """A bet that was played to its end."""

    id: str
    wallet: str
    column_start_s: int


@pytest.fixture(scope="session")
def bet(house: System, tmp_path_factory: pytest.TempPathFactory) -> Played:
    """Let the player place one bet and wait for its result."""
    run([PLAY], tmp_path_factory.mktemp("player"), house.environment)
    reader = open_reader(house.data / "taptrade.db")
    rows = reader.execute(
        "SELECT bets.id, wallet_address, column_start_s FROM bets JOIN users ON users.id = user_id"
        " WHERE resolved_commit IS NOT NULL ORDER BY seq DESC LIMIT 1"
    )
    reader.close()
    return Played(*rows[0])


def test_looking_around_shows_health_processes_and_breaker(house: System, tmp_path: Path) -> None:
    _, looked = run(blocks(runbook("README")), tmp_path, house.environment)
    assert '"checks"' in looked
    assert len(re.findall(r"^(?:support:)?\w+ +RUNNING", looked, re.MULTILINE)) == 9
    assert "override auto" in looked


def test_dispute_explains_a_bet_and_an_account_and_a_correction_is_entered_once(
    house: System, bet: Played, tmp_path: Path
) -> None:
    text = runbook("dispute")
    _, explain, evidence = blocks(section(text, "One bet"))
    _, dispute = blocks(section(text, "One account"))
    (adjust,) = blocks(section(text, "The house was wrong"))
    _, explained, column, shown, once, again = run(
        [
            f"{FIRST}\nUSER=operator BET={bet.id} ACCOUNT={bet.wallet}",
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
    given, deposit, listing, *_ = blocks(runbook("payments"))
    given = re.sub("0x[0-9a-f]{40}", bet.wallet, given)
    deposited, listed = run([f"USER=operator\n{given}\n{deposit}", listing], tmp_path, house.environment)
    assert "deposited $10.50" in deposited
    assert listed.split() == ["id", "requested", "to", "amount", "status", "reference", "who", "why"]


def test_breaker_is_forced_and_handed_back(house: System, tmp_path: Path) -> None:
    shown, opened, closed, handed_back, history = run(
        blocks(runbook("breaker")), tmp_path, house.environment | {"API": house.url}
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
    refused = f"USER=operator; ! {opening.strip()} 2>&1"
    shown, said = run([looking, refused], tmp_path, house.environment)
    assert shown.startswith("bucket\tbets\tstaked\treturn\te-value\tstanding")
    assert re.search(r"^[\d.]+-[\d.]+x/all\t\d+\t\$", shown, re.MULTILINE)
    assert said.startswith(("refused, BUCKET_OPEN", "refused, NOT_FOUND"))


def test_backup_is_made_checked_and_restored(house: System, bet: Played, tmp_path: Path) -> None:
    text = runbook("backup-and-restore")
    making, checking = blocks(section(text, "Make one now")), blocks(section(text, "Check one"))
    _, made, checked = run([FIRST, *making, *checking], tmp_path, house.environment)
    assert re.search(r"taptrade-\w+\.\w+\.db: commit \d+ at .* checked$", made, re.MULTILINE)
    assert checked.endswith("OK")

    damaged = tmp_path / "damaged"
    shutil.copytree(house.data / "backups", damaged / "backups")
    (damaged / "redis").mkdir()
    (damaged / "taptrade.db").write_bytes(b"not a database")
    (damaged / "taptrade.db-wal").write_bytes(b"nor this")
    environment = house.environment | {"TAPTRADE_DATA": str(damaged)}
    (restored,) = run([f"{FIRST}\n{blocks(section(text, 'Restore'))[0]}"], tmp_path, environment)
    head = re.search(r"every cent is where it belongs.* head (\w+)", restored)
    assert head
    assert f'"commit_hash":"{head[1]}' in restored
    (aside,) = damaged.glob("aside-*")
    assert sorted(path.name for path in aside.iterdir()) == ["redis", "taptrade.db", "taptrade.db-wal"]


def test_the_replica_is_looked_at_restored_and_compared(house: System, bet: Played, tmp_path: Path) -> None:
    (looking,) = blocks(section(runbook("replica"), "Is it well?"))
    restoring, comparing, *_ = blocks(section(runbook("replica"), "Restore after the loss of the machine"))
    copied = f"{FIRST}\nOLD=$DATA DATA={tmp_path}/data; cp -a $OLD $DATA"
    _, _, seen, restored, compared = run([FIRST, copied, looking, restoring, comparing], tmp_path, house.environment)
    ages = re.findall(r'^taptrade_replica_age_seconds{database="(\w+\.db)"} ([\d.]+)$', seen, re.MULTILINE)
    assert sorted(name for name, _ in ages) == ["taptrade.db", "ticks.db"]
    assert max(float(age) for _, age in ages) < 30
    assert re.search(r"^ledger: up to commit [1-9]\d* of 20", restored, re.MULTILINE)
    assert "audit: every cent is where it belongs" in restored
    assert "entries of the old ledger came after that:" in compared


def test_redis_is_looked_into_and_old_backups_go(house: System, tmp_path: Path) -> None:
    looking = next(block for block in blocks(runbook("redis-loss")) if "memory_usage" in block)
    workers = blocks(runbook("lost-worker"))[0]
    _, sizes, seen = run([FIRST, looking, workers], tmp_path, house.environment)
    assert "bytes  bus" in sizes
    assert all(re.search(rf"^{name}-\d+", seen, re.MULTILINE) for name in ("writer", "settle", "jobs")), seen

    backups = tmp_path / "full" / "backups"
    backups.mkdir(parents=True)
    for hour in range(5):
        for ending in ("", ".sha256", ".json"):
            (backups / f"taptrade-2026010{hour}T000000.000Z.db{ending}").touch()
    room = next(block for block in blocks(runbook("disk")) if "rm --" in block)
    run([f"{FIRST}\n{room}"], tmp_path, house.environment | {"TAPTRADE_DATA": str(tmp_path / "full")})
    assert sorted(path.name[:17] for path in backups.glob("*.db")) == [f"taptrade-2026010{hour}" for hour in (2, 3, 4)]
    assert len(list(backups.iterdir())) == 9


def test_background_work_is_shown_by_process(house: System, tmp_path: Path) -> None:
    (looking,) = blocks(section(runbook("lost-worker"), "A part of a process"))

    def shown() -> str:
        return run([FIRST, looking], tmp_path, house.environment)[1]

    # A process tells of itself every 2 s, and each begins when it has started.
    everybody = ("api", "replica", "writer", "settler", "jobs", "scheduler", "feed")
    wait_until(lambda: all(f'process="{name}"' in shown() for name in everybody), 20, what="all processes")
    seen = shown()
    up = re.findall(r'^taptrade_background_up{pid="\d+",process="(\w+)",work="([\w-]+)"} 1.0', seen, re.MULTILINE)
    assert {process for process, _ in up} == set(everybody)
    assert {work for process, work in up if process == "feed"} == {"publisher", "checkpoints", "metrics"}
    assert len(re.findall(r"^taptrade_background_restarts_total{.*} 0.0", seen, re.MULTILINE)) == len(up)


def test_the_length_of_both_write_ahead_logs_is_shown(house: System, tmp_path: Path) -> None:
    looking, _ = blocks(section(runbook("disk"), "A write-ahead log beyond 64 MB"))
    _, seen = run([FIRST, looking], tmp_path, house.environment)
    for database in ("taptrade.db", "ticks.db"):
        assert re.search(rf'^taptrade_wal_bytes{{.*database="{database}".*}} \d', seen, re.MULTILINE), seen
        assert f'taptrade_wal_held_seconds{{database="{database}",holder=""' in seen


def test_an_archive_is_looked_at_and_verified_and_a_week_comes_back(desk: Desk, house: System, tmp_path: Path) -> None:
    shelf = Shelf(desk, tmp_path)
    week = shelf.play_week()
    shelf.on_sunday()
    shelf.archive()
    (tmp_path / "weeks" / week.file).unlink()
    environment = house.environment | {"TAPTRADE_DATA": str(tmp_path), "TAPTRADE_REDIS_URL": desk.redis_url}
    looking, doing, verifying, restoring = blocks(runbook("archive"))
    listed, verified, restored = run([looking, verifying, restoring], tmp_path, environment)
    assert listed.splitlines()[1].startswith(f"{week.name}\t")
    assert verified == f"{week.name}: holds, down to the hash chain"
    assert restored.startswith(f"{week.name} is here again")
    (done,) = run([doing], tmp_path, house.environment)
    assert done == "nothing is due"
