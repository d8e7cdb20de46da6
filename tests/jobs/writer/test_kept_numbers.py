"""What the writer keeps of players and logins from one commit to the next is what is stored, also after a roll-back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from runtime.audit import audit
from runtime.clock import ManualClock
from tests.jobs.signed_play import SignedPlay
from tests.jobs.writer_desk import Desk

pytestmark = pytest.mark.engines


class Died(Exception):
    """What a block raises to be rolled back."""


@pytest.fixture
def play(desk: Desk, tmp_path: Path, clock: ManualClock) -> Iterator[SignedPlay]:
    """Return a player whose bets are signed with a session key."""
    play = SignedPlay(desk, tmp_path, clock)
    yield play
    play.court.close()


def tap(play: SignedPlay, rows: int) -> None:
    assert play.desk.place(play.bet(rows=rows))[0].code is None


def test_an_entry_that_was_rolled_back_is_nobodys_newest(play: SignedPlay) -> None:
    book = play.desk.writer.book
    tap(play, 0)

    def die_after_an_entry() -> None:
        with book.commit(lambda _commit: None) as commit:
            assert commit.balance_change(play.user_id, -100, "BET", play.desk.new_id()) is not None
            raise Died

    with pytest.raises(Died):
        die_after_an_entry()
    tap(play, 1)
    assert audit(play.desk.database).faults == []


def test_bets_of_a_login_are_stored_alike_by_who_knows_it_and_who_does_not(play: SignedPlay) -> None:
    tap(play, 0)
    tap(play, 1)
    play.desk.hire()
    tap(play, 2)
    rows = play.desk.database.execute("SELECT signer, delegation FROM bet_rows ORDER BY seq")
    ((login,),) = play.desk.database.execute("SELECT seq FROM delegations")
    assert rows == [(None, login)] * 3
    signers = play.desk.database.execute("SELECT DISTINCT signer, delegation_id FROM bets")
    assert signers == play.desk.database.execute("SELECT session_key, id FROM delegations")
    assert audit(play.desk.database).faults == []
