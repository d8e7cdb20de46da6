"""The runbooks' commands as they stand: look around, explain a bet, correct a balance, back up and restore."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from runtime.db import open_reader
from tests.docs.conftest import House
from tests.docs.shell import blocks, run, section
from tests.docs.tables import ROOT

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(180)]

PLAY = ".venv/bin/taptrade player --bets 1 --quiet"


def runbook(name: str) -> str:
    return (ROOT / "docs" / "runbooks" / f"{name}.md").read_text(encoding="utf-8")


FIRST = blocks(runbook("README"))[0]


def test_looking_around_shows_health_processes_and_breaker(house: House, tmp_path: Path) -> None:
    _, looked = run(blocks(runbook("README")), tmp_path, house.environment)
    assert '"checks"' in looked
    assert len(re.findall(r"^(?:support:)?\w+ +RUNNING", looked, re.MULTILINE)) == 8
    assert "override auto" in looked


def test_dispute_computes_a_bet_again_and_a_correction_is_entered_once(house: House, tmp_path: Path) -> None:
    run([PLAY], tmp_path, house.environment)
    reader = open_reader(house.data / "taptrade.db")
    bet_id, user_id, status, start_s = reader.execute(
        "SELECT id, user_id, status, column_start_s FROM bets WHERE refusal_code IS NULL ORDER BY seq DESC LIMIT 1"
    )[0]
    evidence, _, computing = blocks(section("## All\n" + runbook("dispute"), "All"))
    _, column, computed = run(
        [FIRST, evidence.replace("1767677435", str(start_s)), f"BET={bet_id}\n{computing}"], tmp_path, house.environment
    )
    assert json.loads(column)["start_s"] == start_s
    rates = re.search(r"rate stored (\d+), again (\d+)", computed)
    assert rates
    assert rates[1] == rates[2]
    if status != "void":
        assert "same evidence: True" in computed
        assert f"result: {status}" in computed

    given, correcting = blocks(section(runbook("dispute"), "Correct a balance"))
    given = given.replace("01ARZ3NDEKTSV4RRFFQ69G5FAV", user_id)
    once, again = run([f"USER=operator\n{given}\n{correcting}", correcting], tmp_path, house.environment)
    assert "'amount': 150" in once
    assert "'repeat': True" in again
    entries = reader.execute("SELECT amount FROM transaction_ledger WHERE ref_type = 'ADJUSTMENT'")
    reader.close()
    assert entries == [(150,)]


def test_breaker_is_forced_and_handed_back(house: House, tmp_path: Path) -> None:
    shown, opened, closed, handed_back = run(blocks(runbook("breaker")), tmp_path, house.environment | _urls(house))
    assert "override auto" in shown
    assert "override open: bets are refused" in opened
    assert "override closed: bets are taken" in closed
    assert "override auto" in handed_back


def test_backup_is_made_checked_and_restored(house: House, tmp_path: Path) -> None:
    text = runbook("backup-and-restore")
    run([PLAY], tmp_path, house.environment)
    making, checking = blocks(section(text, "Make one now")), blocks(section(text, "Check one"))
    _, made, checked = run([FIRST, *making, *checking], tmp_path, house.environment)
    assert "'commit_hash'" in made
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


def test_redis_is_looked_into_and_old_backups_go(house: House, tmp_path: Path) -> None:
    looking = next(block for block in blocks(runbook("redis-loss")) if "memory_usage" in block)
    workers = blocks(runbook("lost-worker"))[0]
    _, sizes, seen = run([FIRST, looking, workers], tmp_path, house.environment)
    assert "bytes  bus" in sizes
    assert "writer-" in seen

    backups = tmp_path / "full" / "backups"
    backups.mkdir(parents=True)
    for hour in range(5):
        for ending in ("", ".sha256", ".json"):
            (backups / f"taptrade-2026010{hour}T000000.000Z.db{ending}").touch()
    room = next(block for block in blocks(runbook("disk")) if "rm --" in block)
    run([f"{FIRST}\n{room}"], tmp_path, house.environment | {"TAPTRADE_DATA": str(tmp_path / "full")})
    assert sorted(path.name[:17] for path in backups.glob("*.db")) == [f"taptrade-2026010{hour}" for hour in (2, 3, 4)]
    assert len(list(backups.iterdir())) == 9


def _urls(house: House) -> dict[str, str]:
    return {"API": f"http://127.0.0.1:{house.environment['TAPTRADE_PORT']}"}
