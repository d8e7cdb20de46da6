"""A second machine with the same PostgreSQL and Redis: its API serves, and bets are paid when the first is lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.acceptance.system import STEADY, System
from tests.acceptance.test_play import check_game, play
from tests.postgres import Postgres

pytestmark = pytest.mark.timeout(240)


def epoch(system: System) -> int:
    with system.database() as ledger:
        ((number,),) = ledger.execute("SELECT epoch FROM shards")
    return int(number)


def test_bets_go_on_and_are_settled_when_the_machine_at_work_is_lost(
    postgres: Postgres, redis_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shared = {"database_url": postgres.house(), "redis_url": redis_url, **STEADY}
    first, second = System(tmp_path / "a", **shared), System(tmp_path / "b", **shared)
    try:
        first.start()
        second.start()
        check_game(play(second), capsys)
        assert epoch(second) == 1
        waiting = {name: second.pid_of(name) for name in ("writer", "feed", "settler", "functions")}
        first.end()
        check_game(play(second), capsys)
        assert epoch(second) == 2
        # Whoever stood by went on as it was.
        assert {name: second.pid_of(name) for name in waiting} == waiting
        report = second.audit()
        assert not report.findings
    finally:
        for system in (first, second):
            system.end()
