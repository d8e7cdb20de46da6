"""GET /api/columns/{start}."""

from __future__ import annotations

import pytest

from tests.functions.market_stall import Stall
from tests.jobs.writer_desk import PRICE_CENTS
from tests.runtime.stream.station import a_round


def test_a_settled_column_shows_its_evidence(stall: Stall) -> None:
    desk = stall.station.desk
    start_s = a_round(desk, desk.player())
    shown = stall.get(f"/api/columns/{start_s}").json
    assert (shown["start_s"], shown["end_s"], shown["covered"]) == (start_s, start_s + 5, True)
    assert (shown["low"], shown["high"], shown["tick_count"]) == (PRICE_CENTS, PRICE_CENTS, 5)
    assert shown["ticks_sha256"] == "0" * 64
    assert shown["settled_at"].endswith("Z")


def test_the_stream_tells_the_same(stall: Stall) -> None:
    desk = stall.station.desk
    reader = stall.station.reader()
    start_s = a_round(desk, desk.player())
    stall.station.relay()
    told = next(event.data for event in reader.listen() if event.type == "column")
    del told["event_id"]
    assert stall.get(f"/api/columns/{start_s}").json == told


@pytest.mark.parametrize("start", ["1790000005", "0", "-5", "x", "5.0", "1" * 40, "%D9%A3", "5%20"])
def test_any_other_is_unknown(stall: Stall, start: str) -> None:
    answer = stall.get(f"/api/columns/{start}")
    assert (answer.status_code, answer.json["code"]) == (404, "NOT_FOUND")


def test_the_evidence_is_shown_before_any_result_that_follows_from_it(stall: Stall) -> None:
    desk = stall.station.desk
    user_id = desk.player()
    bets = [desk.bet(user_id, rows=row) for row in range(-1, 2)]
    desk.place(*bets)
    start_s = int(bets[0].cell_id.partition("_")[0])
    reader = stall.station.reader(user_id, events="column,bet")
    stall.station.relay()
    reader.listen()
    desk.clock.advance(start_s * 1000 + 6_500 - desk.clock.now_ms())
    desk.queue(desk.settlement(start_s, PRICE_CENTS - 500, PRICE_CENTS + 500))
    desk.writer.run_once()
    open_bets = desk.database.execute("SELECT count(*) FROM bets WHERE status = 'confirmed'")
    assert open_bets == [(len(bets),)]
    assert stall.get(f"/api/columns/{start_s}").json["ticks_sha256"] == "0" * 64
    stall.station.relay()
    assert [event.type for event in reader.listen()] == ["column"]
    desk.work()
    stall.station.relay()
    told = reader.listen()
    assert [(event.type, event.data["status"]) for event in told] == [("bet", "won"), ("bet", "won"), ("bet", "won")]
