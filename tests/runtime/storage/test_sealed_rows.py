"""A database of plain rows goes on with sealed ones: both are proven, the audit finds nothing, and nobody is lost."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from runtime.audit import audit
from runtime.auth.siwe import GUEST_URN
from runtime.clock import ManualClock
from runtime.messaging.commands import AdoptGuest, Withdraw
from runtime.storage.database import LEDGER_MIGRATIONS, open_writer
from runtime.storage.migrate import migrate
from tests.jobs.signed_play import SignedPlay
from tests.jobs.writer_desk import PRICE_CENTS, Desk
from tests.runtime.auth.browser import BrowserKey
from tests.runtime.auth.logins import WALLET, message, signed
from tests.runtime.storage.earlier import earlier, write_plainly

SINCE = "0014_sealed_rows.sql"
BEFORE = [file.name for file in sorted(LEDGER_MIGRATIONS.glob("*.sql")) if file.name < SINCE]
PLAYERS: dict[str, dict[str, Any]] = {"wallet": {}, "guest": {"key": BrowserKey(0x22), "guest": True}}


@pytest.fixture(params=list(PLAYERS.values()), ids=list(PLAYERS))
def play(request: pytest.FixtureRequest, desk: Desk, tmp_path: Path, clock: ManualClock) -> Iterator[SignedPlay]:
    """Return a player of plain rows whose writer has begun to seal."""
    play = SignedPlay(write_plainly(desk), tmp_path, clock, **request.param)
    play.place()
    play.end(PRICE_CENTS, PRICE_CENTS + 100)
    path = earlier(tmp_path, BEFORE, desk.path, clock)
    assert migrate(path, LEDGER_MIGRATIONS, clock)[0] == SINCE
    desk.database.close()
    desk.database = open_writer(path)
    desk.hire()
    desk.show(PRICE_CENTS)
    yield play
    play.court.close()


def adopt(play: SignedPlay) -> str | None:
    now_ms = play.desk.clock.now_ms()
    text, signature = signed(message(now_ms, resources=(GUEST_URN + play.user_id,)).to_text())
    times: dict[str, Any] = {"id": play.desk.new_id(), "received_ms": now_ms, "decided_by_ms": now_ms + 10_000}
    command = AdoptGuest(user_id=play.user_id, wallet_address=WALLET, message=text, signature=signature, **times)
    return play.desk.do(command)[0].code


def test_rows_from_before_and_since_are_proven(play: SignedPlay) -> None:
    desk, now_ms = play.desk, play.desk.clock.now_ms()
    assert audit(desk.database).faults == []
    ((old,),) = desk.database.execute("SELECT id FROM bets")
    assert play.prove(old).ok
    bet = play.bet(rows=1)
    assert desk.place(bet)[0].code is None
    assert adopt(play) in (None, "FORBIDDEN")
    times: dict[str, Any] = {"id": desk.new_id(), "received_ms": now_ms, "decided_by_ms": now_ms + 10_000}
    signed_by: dict[str, Any] = {"nonce": "nonce0001", "signed_at_s": 1, "signature": "0x" + "cd" * 65}
    taken = desk.do(Withdraw(user_id=play.user_id, amount=100, **signed_by, **times))[0]
    assert taken.data["withdrawal"]["to_address"] == WALLET
    shown = desk.database.execute("SELECT signature LIKE 'sealed:%', signer LIKE 'sealed:%' FROM bets ORDER BY seq")
    assert shown == [(0, 0), (1, 1)]
    for bet_id in (old, bet.id):
        assert play.parts(bet_id) == play.parts(bet_id) | {"signed": True, "chain": True, "money": True}
    assert audit(desk.database).faults == []
