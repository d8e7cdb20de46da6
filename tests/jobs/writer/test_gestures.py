"""Gestures in the writer: bets like others, stored and answered once, whatever dies in between."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from runtime.audit import audit
from runtime.messaging import queues
from runtime.messaging.commands import PlaceBets
from tests.jobs.gestures import bet_ids, gesture_of_bets
from tests.jobs.upkeep.shelf import Shelf
from tests.jobs.writer.deaths import Died, dying
from tests.jobs.writer_desk import Desk

pytestmark = pytest.mark.engines


def told(outcome: Any) -> list[str]:
    """Return what became of each tap: its bet's status or its refusal's code."""
    return [tap["refusal"]["code"] if "refusal" in tap else dict(tap["bet"])["status"] for tap in outcome.data["taps"]]


def test_gestures_and_single_bets_share_a_job_and_its_rules(desk: Desk) -> None:
    one, two = desk.player(1), desk.player(2, cents=150)
    alone, last = desk.bet(one), desk.bet(two, rows=4)
    first = gesture_of_bets([desk.bet(one, rows=1), desk.bet(one), desk.bet(one, rows=1), desk.bet(one, rows=2)])
    second = gesture_of_bets([desk.bet(two), desk.bet(two, rows=1)])
    said = desk.place(alone, first, second, last)
    assert [outcome.id for outcome in said] == [alone.id, first.id, second.id, last.id]
    assert told(said[1]) == ["confirmed", "DUPLICATE_BET", "DUPLICATE_BET", "confirmed"]
    assert told(said[2]) == ["confirmed", "INSUFFICIENT_FUNDS"]
    assert [(outcome.bets, outcome.refused) for outcome in said] == [(1, 0), (4, 2), (2, 1), (1, 0)]
    assert (said[0].code, said[3].code) == (None, "INSUFFICIENT_FUNDS")
    assert (desk.balance(one), desk.balance(two)) == (1_000_000 - 300, 50)
    assert desk.database.execute("SELECT id, seq FROM gestures ORDER BY seq") == [(first.id, 2), (second.id, 6)]
    assert audit(desk.database).faults == []


def test_the_same_gesture_again_gets_the_stored_outcomes(desk: Desk) -> None:
    player = desk.player()
    gesture = gesture_of_bets([desk.bet(player), desk.bet(player, rows=1, amount=7)])
    first, again = desk.place(gesture)[0], desk.place(gesture)[0]
    assert (first.data, told(first)) == (again.data, ["confirmed", "STAKE_NOT_ALLOWED"])
    assert desk.database.execute("SELECT count(*) FROM bets") == [(2,)]
    assert desk.balance(player) == 1_000_000 - 100


@pytest.mark.parametrize("steps", range(1, 6))
def test_a_writer_that_dies_leaves_all_of_a_gesture_or_nothing(desk: Desk, steps: int) -> None:
    player = desk.player()
    gesture = gesture_of_bets([desk.bet(player, rows=row) for row in range(3)])
    desk.queue(gesture, name=queues.BETS)
    with dying(desk, steps), pytest.raises(Died):
        desk.work()
    assert desk.database.execute("SELECT count(*) FROM bets") in ([(0,)], [(3,)])
    desk.hire()
    desk.work()
    assert told(desk.answers()[gesture.id]) == ["confirmed"] * 3
    assert [row[0] for row in desk.database.execute("SELECT id FROM bets ORDER BY seq")] == bet_ids(gesture)
    assert desk.balance(player) == 1_000_000 - 300
    assert audit(desk.database).faults == []


def test_a_line_that_says_something_else_fails_its_job_alone(desk: Desk) -> None:
    player = desk.player()
    gesture = gesture_of_bets([desk.bet(player)])
    crafted: list[dict[str, Any]] = [
        {"taps": "1_2_3 -100 0"},
        {"taps": "1_2_3 0 0"},
        {"taps": gesture.taps + " "},
        {"taps": ""},
        {"taken": [[2, gesture.decided_by_ms]]},
    ]
    for change in crafted:
        fields: dict[str, Any] = msgspec.to_builtins(gesture) | change
        desk.queue(msgspec.convert(fields, PlaceBets), name=queues.BETS)
    desk.work()
    assert desk.database.execute("SELECT count(*) FROM bets") == [(0,)]
    assert told(desk.place(gesture)[0]) == ["confirmed"]


@pytest.mark.sqlite
def test_gestures_go_to_the_archive_with_their_bets(desk: Desk, tmp_path: Any) -> None:
    shelf = Shelf(desk, tmp_path)
    player = desk.player(1)
    gesture = gesture_of_bets([desk.bet(player, rows=row) for row in range(3)])
    desk.place(gesture, *[desk.bet(player, amount=7) for _ in range(20)])
    shelf.settle(desk.bet(player))
    shelf.play_week()
    shelf.on_sunday()
    assert len(shelf.archive()) == 1
    assert desk.database.execute("SELECT count(*) FROM bets WHERE nonce = ''") == [(0,)]
    assert shelf.live("gesture_rows") == []
    assert shelf.faults() == []
    late = gesture_of_bets([desk.bet(player, rows=row) for row in range(2)])
    desk.place(late)
    assert [row[1] for row in shelf.live("gestures")] == [late.id]
    assert shelf.faults() == []
