"""What is picked out of a long history in short looks is all of it, once, newest first."""

from __future__ import annotations

from itertools import product

import pytest

from runtime.game.bets import STATUSES, Status
from runtime.records.player_bets import Wanted, bets_newest_first
from tests.jobs.writer_desk import Desk
from tests.runtime.records.bet_histories import History, fits
from tests.runtime.records.short_looks import look_at_few


@pytest.fixture
def history(desk: Desk) -> History:
    """Return a history of every kind of bet."""
    return History(desk, 1)


@pytest.mark.parametrize("limit", [1, 3, 500])
def test_short_looks_come_to_all_that_is_picked_out(
    history: History, monkeypatch: pytest.MonkeyPatch, limit: int
) -> None:
    look_at_few(monkeypatch)
    execute = history.desk.database.execute
    short = 0
    for user in history.users:
        bets = history.bets(user)
        times = (None, bets[len(bets) // 2].placed_at)
        statuses: tuple[Status | None, ...] = (None, *STATUSES)
        for status, cell, from_ms, to_ms in product(statuses, (None, bets[0].cell_id), times, times):
            wanted = Wanted(status, cell, from_ms, to_ms)
            seqs: list[int] = []
            before: int | None = None
            while True:
                found = bets_newest_first(execute, user, wanted, before, limit)
                seqs += [row[0] for row in found.rows]
                short += len(found.rows) < limit and found.goes_on_below is not None
                below = seqs[-1] if len(found.rows) == limit else found.goes_on_below
                if below is None:
                    break
                assert before is None or below < before
                before = below
            assert seqs == [bet.seq for bet in reversed(bets) if fits(bet, wanted)], (wanted, limit)
    assert short
