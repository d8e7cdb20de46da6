"""The book that defends itself: buckets are counted with columns' ends, close when refuted, are opened by operators."""

from __future__ import annotations

from typing import Any

import pytest

from runtime.audit import audit
from runtime.game import buckets
from runtime.game.buckets import Bucket
from runtime.messaging.commands import OpenBucket, Outcome
from runtime.metrics.table import Snapshot
from tests.jobs.long_shots import AHEAD, OWN, WHOLE, closed, long_shot, pass_column, settle_all, standing, tap, win
from tests.jobs.writer.dying_slices import settle_and_die
from tests.jobs.writer_desk import Desk

pytestmark = pytest.mark.engines

ENOUGH = 40
CHANGES = "SELECT id, rate_from_bp, distance, standing, who, why FROM bucket_changes ORDER BY changed_commit"


def gauges(desk: Desk) -> Snapshot:
    return desk.writer.metrics.snapshot(1, 0)


def open_again(desk: Desk, bucket: Bucket, **changes: Any) -> Outcome:
    now_ms = desk.clock.now_ms()
    times = {"id": desk.new_id(), "received_ms": now_ms, "decided_by_ms": now_ms + 10_000}
    command = OpenBucket(**{**times, **bucket._asdict(), "who": "ann", "why": "new fit", **changes})
    return desk.do(command)[0]


@pytest.fixture
def milked(desk: Desk) -> tuple[Desk, str]:
    """Return a desk whose long shots have won until they were closed, and the player."""
    user = desk.player()
    win(desk, user, ENOUGH)
    settle_all(desk)
    return desk, user


def test_what_players_win_in_a_bucket_is_counted(desk: Desk) -> None:
    users = [desk.player(number) for number in (1, 2)]
    desk.place(*(long_shot(desk, user, amount=500) for user in users))
    settle_all(desk)
    tap(desk, users[0])
    settle_all(desk, hit=False)
    for bucket in (OWN, WHOLE):
        one = standing(desk, bucket)
        assert one is not None
        assert (one.bets, one.staked_cents, one.is_open) == (3, 1_100, True)
        assert one.paid_cents == sum(row[0] for row in desk.database.execute("SELECT payout_amount FROM bets"))
    assert audit(desk.database).faults == []


def test_the_exposure_is_measured_with_each_commit(desk: Desk) -> None:
    def measured() -> float:
        return gauges(desk).gauges["taptrade_exposure_cents"][""]

    assert measured() == 0
    desk.place(long_shot(desk, desk.player(), amount=500))
    assert measured() == desk.writer.book.exposure.total_cents > 500
    settle_all(desk)
    assert measured() == 0


def test_void_bets_do_not_count(desk: Desk) -> None:
    user = desk.player()
    tap(desk, user)
    for _ in range(AHEAD + 1):
        pass_column(desk, covered=False)
    one = standing(desk)
    assert one is not None
    assert (one.bets, one.staked_cents, one.paid_cents) == (0, 0, 0)
    assert one.copier.usual_cents == 100, "but what is usual is known from all that was staked"
    assert audit(desk.database).faults == []


def test_a_bucket_that_makes_players_rich_closes_by_itself(
    milked: tuple[Desk, str], caplog: pytest.LogCaptureFixture
) -> None:
    desk, user = milked
    assert closed(desk) == [OWN.name]
    refused = tap(desk, user)
    assert (refused.code, refused.detail) == ("CELL_NOT_OFFERED", "The house takes no bets at such rates at present.")
    rate_bp, name = refused.data["rate_bp"], refused.data["bucket"]
    assert name == OWN.name
    assert OWN.rate_from_bp <= rate_bp < 500_000
    assert tap(desk, user, columns=AHEAD, rows=0).code is None, "other rates are taken"
    told = [record.getMessage() for record in caplog.get_records("setup") if record.name == "jobs.writer.standings"]
    assert [line.partition(" made ")[0] for line in told] == [
        f"bucket {OWN.name} is closed, by house: copying its bets"
    ]
    assert [row[1:5] for row in desk.database.execute(CHANGES)] == [(*OWN[2:], "closed", "house")]
    assert audit(desk.database).faults == []


def test_a_closed_bucket_of_all_columns_closes_every_column(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(buckets, "RATES_LIMIT", 1.5)
    user = desk.player()
    win(desk, user, ENOUGH // 2)
    settle_all(desk)
    assert closed(desk) == [WHOLE.name]
    refused = tap(desk, user)
    assert (refused.code, refused.data["bucket"]) == ("CELL_NOT_OFFERED", WHOLE.name)
    assert open_again(desk, WHOLE).code is None
    assert tap(desk, user).code is None


def test_metrics_tell_of_every_bucket_and_of_none_closed_from_the_start(milked: tuple[Desk, str]) -> None:
    desk, _ = milked
    told = gauges(desk).gauges
    assert told["taptrade_buckets_closed"] == {"": 1}
    assert told["taptrade_bucket_return"][OWN.name] > 20
    assert told["taptrade_bucket_wealth"][OWN.name] > 10_000
    desk.hire()
    assert gauges(desk).gauges["taptrade_buckets_closed"] == {"": 1}


def test_a_new_house_has_no_bucket_closed(desk: Desk) -> None:
    assert gauges(desk).gauges["taptrade_buckets_closed"] == {"": 0}


def test_a_writer_that_starts_anew_knows_what_is_closed(milked: tuple[Desk, str]) -> None:
    desk, user = milked
    desk.hire()
    assert tap(desk, user).code == "CELL_NOT_OFFERED"


def test_an_opened_bucket_begins_with_no_evidence(milked: tuple[Desk, str]) -> None:
    desk, user = milked
    assert open_again(desk, OWN).code is None
    opened = standing(desk)
    assert opened is not None
    assert (opened.is_open, opened.bets, opened.staked_cents) == (True, 0, 0)
    assert opened.copier.wealth == pytest.approx(1.0)
    assert opened.since_s == (desk.clock.now_ms() // 5_000 + AHEAD + 1) * 5
    win(desk, user, 3)
    settle_all(desk)
    counted = standing(desk)
    assert counted is not None
    assert counted.bets == 2, "the first was tapped in the very column of the opening"
    assert desk.database.execute(CHANGES)[-1][3:] == ("open", "ann", "new fit")
    assert audit(desk.database).faults == []


def test_only_a_closed_bucket_is_opened(milked: tuple[Desk, str]) -> None:
    desk, _ = milked
    same = desk.new_id()
    first = open_again(desk, OWN, id=same)
    assert first.code is None
    again = open_again(desk, OWN)
    assert (again.code, again.detail) == ("BUCKET_OPEN", f"The bucket {OWN.name} is open.")
    assert open_again(desk, OWN._replace(distance=11)).code == "NOT_FOUND"
    assert open_again(desk, OWN, id=same).data == first.data, "the same command again is answered as before"


def test_a_writer_that_died_between_slices_counts_every_bet_once(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    users = [desk.player(number) for number in range(1, 9)]
    desk.place(*(long_shot(desk, user) for user in users))
    for _ in range(AHEAD):
        pass_column(desk)
    settle_and_die(desk, monkeypatch, lambda: pass_column(desk))
    one = standing(desk)
    assert one is not None
    assert (one.bets, one.staked_cents, one.copier.usual_cents) == (8, 800, 800)
    assert audit(desk.database).faults == []


def test_a_commit_that_fails_leaves_no_bucket_closed(milked: tuple[Desk, str], monkeypatch: pytest.MonkeyPatch) -> None:
    desk, _ = milked
    standings = desk.writer.settlement.standings
    before = standings.closed

    def fails(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(type(standings), "_changed", fails)
    with pytest.raises(KeyboardInterrupt):
        open_again(desk, OWN)
    monkeypatch.undo()
    desk.writer.settlement.reload()
    assert desk.writer.settlement.standings.closed == before
    assert closed(desk) == [OWN.name]
