"""Limits from before there were those of deposits, one stake and the reality check: they verify, bind and go on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from runtime.audit import audit
from runtime.game.limits import LIMIT_COLUMNS
from runtime.messaging.commands import Deposit, SetLimits
from runtime.storage.database import LEDGER_MIGRATIONS, open_writer
from runtime.storage.migrate import migrate
from tests.jobs.writer_desk import PRICE_CENTS, Desk
from tests.runtime.storage.earlier import earlier, everything, write_plainly

SINCE = "0011_safer_play.sql"
BEFORE = [file.name for file in sorted(LEDGER_MIGRATIONS.glob("*.sql")) if file.name < SINCE]


def common(desk: Desk) -> dict[str, Any]:
    now_ms = desk.clock.now_ms()
    return {"id": desk.new_id(), "received_ms": now_ms, "decided_by_ms": now_ms + 10_000}


def deposit(desk: Desk, user: str, amount: int) -> str | None:
    times = common(desk)
    command = Deposit(user_id=user, amount=amount, reference=times["id"], who="o", why="w", **times)
    return desk.do(command)[0].code


def test_a_database_of_before_verifies_plays_and_takes_the_new_limits(desk: Desk, tmp_path: Path) -> None:
    user = write_plainly(desk).player()
    desk.do(SetLimits(user_id=user, stake_day_max_cents=1_500, excluded_until_ms=desk.clock.now_ms(), **common(desk)))
    desk.do(SetLimits(user_id=user, stake_day_max_cents=None, **common(desk)))
    assert [deposit(desk, user, 900), desk.place(desk.bet(user, amount=1000))[0].code] == [None, None]
    path = earlier(tmp_path, BEFORE, desk.path, desk.clock)
    kept = everything(path, "SELECT * FROM player_limits")
    assert len(kept) == 3
    assert SINCE in migrate(path, LEDGER_MIGRATIONS, desk.clock)
    old = open_writer(path)
    assert audit(old).faults == []
    assert old.execute("SELECT * FROM player_limits") == [(*row, None, None, None, None) for row in kept]
    desk.database.close()
    desk.database = old
    desk.hire()
    desk.show(PRICE_CENTS)
    assert desk.place(desk.bet(user, rows=1, amount=1000))[0].data["limit"] == "stake_day_max_cents"
    asked: dict[str, Any] = {"stake_max_cents": 100, "deposit_day_max_cents": 1_000, "reality_check_minutes": 15}
    desk.do(SetLimits(user_id=user, **asked, **common(desk)))
    assert [deposit(desk, user, amount) for amount in (101, 100)] == ["LIMIT_REACHED", None]
    assert desk.place(desk.bet(user, rows=1, amount=500))[0].data["limit"] == "stake_max_cents"
    assert desk.place(desk.bet(user, rows=2))[0].code is None
    [newest] = old.dicts(
        "SELECT * FROM player_limits WHERE effective_ms <= ? ORDER BY created_commit DESC LIMIT 1",
        (desk.clock.now_ms(),),
    )
    assert {name: newest[name] for name in LIMIT_COLUMNS if newest[name] is not None} == {
        **asked,
        "stake_day_max_cents": 1_500,
        "excluded_until_ms": newest["excluded_until_ms"],
    }
    assert audit(old).faults == []
