"""One bet through the HTTP interface: with its evidence, its proof, and only to its owner."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from runtime.clock import ManualClock
from runtime.game.ledger import SQL
from runtime.game.player_entries import Execute
from runtime.settings import Settings
from tests.functions.till import Till, open_till
from tests.jobs.signed_play import SignedPlay
from tests.jobs.writer_desk import PRICE_CENTS, Desk

PARTS = ("signed", "rate", "window", "decision", "money", "chain")


@pytest.fixture
def play(settings: Settings, redis_url: str, clock: ManualClock) -> Iterator[SignedPlay]:
    desk = Desk(settings.database, redis_url, clock)
    play = SignedPlay(desk, settings.data, clock)
    yield play
    play.court.close()
    desk.close()


@pytest.fixture
def till(play: SignedPlay, settings: Settings) -> Iterator[Till]:
    with open_till(play.desk, settings) as till:
        yield till


def get(till: Till, bet_id: str, user_id: str, query: str = "") -> Any:
    return till.client.simulate_get(f"/api/bets/{bet_id}", query_string=query, headers=till.log_in(user_id))


def holds(answer: Any) -> dict[str, bool | None]:
    return {name: answer["proof"][name]["ok"] for name in PARTS}


def test_a_settled_bet_comes_with_evidence_and_proof(play: SignedPlay, till: Till) -> None:
    bet_id = play.place()
    play.end(PRICE_CENTS)
    answer = get(till, bet_id, play.user_id).json
    assert (answer["bet"]["status"], answer["evidence"]["low"]) == ("won", PRICE_CENTS)
    assert answer["explanation"].startswith("Won ")
    assert answer["proof"]["ok"] is True
    assert holds(answer) == dict.fromkeys(PARTS, True) | {"window": None, "chain": None}
    assert answer["proof"]["money"]["entries"][1]["ref_type"] == "PAYOUT"
    verified = get(till, bet_id, play.user_id, "verify=true").json
    assert holds(verified) == dict.fromkeys(PARTS, True)
    assert verified["proof"]["window"]["from_ticks"]["tick_count"] == answer["evidence"]["tick_count"]


def test_a_bet_that_is_settled_while_it_is_asked_for_is_shown_as_one(play: SignedPlay, till: Till) -> None:
    bet_id = play.place()
    open_ = get(till, bet_id, play.user_id).json
    assert (open_["bet"]["status"], open_["evidence"], open_["proof"]["ok"]) == ("confirmed", None, True)
    together = till.parts.pool.together

    def late(work: Any) -> Any:
        play.end(PRICE_CENTS)
        return together(work)

    till.parts.pool.together = late  # type: ignore[method-assign]
    settled = get(till, bet_id, play.user_id).json
    assert (settled["bet"]["status"], settled["proof"]["ok"]) == ("won", True)


def test_nobody_else_sees_it(play: SignedPlay, till: Till) -> None:
    bet_id = play.place()
    other = play.desk.player(99)
    assert get(till, bet_id, other).status_code == 404
    assert till.client.simulate_get(f"/api/bets/{bet_id}").status_code == 401


def test_a_bet_on_its_way_is_pending_and_one_that_never_came_says_so(play: SignedPlay, till: Till) -> None:
    bet_id = play.desk.new_id()
    play.desk.client.set(f"pending:{bet_id}", f"{play.user_id}:{play.desk.clock.now_ms() + 5_000}")
    pending = get(till, bet_id, play.user_id)
    assert (pending.status_code, pending.json["bet"]["status"], pending.json["proof"]) == (202, "pending", None)
    play.desk.clock.advance(5_001)
    newest: int = play.desk.database.execute(SQL["newest_commit"])[0][0]
    said = b'{"clock_ms": %d, "commit": %d}'
    # A superseded primary lacks what the writer has committed elsewhere: the bet may be there.
    play.desk.client.set("writer:alive", said % (play.desk.clock.now_ms(), newest + 1))
    assert get(till, bet_id, play.user_id).status_code == 202
    play.desk.client.set("writer:alive", said % (play.desk.clock.now_ms(), newest))
    lost = get(till, bet_id, play.user_id)
    assert (lost.status_code, lost.json["code"]) == (404, "BET_NEVER_PLACED")


@pytest.mark.parametrize(
    "query",
    [
        "",
        "limit=500",
        "from=1790000000000&to=1790000100000",
        "ref_type=PAYOUT",
        "ref_type=BET&ref_id=x",
        "cursor=7ZZZZZZZZZZZZZZZZZZZZZZZZZ",
    ],
)
def test_a_statement_is_one_indexed_read(play: SignedPlay, till: Till, query: str) -> None:
    play.place()
    asked: list[tuple[str, Any]] = []
    together = till.parts.pool.together

    def watched(work: Callable[[Execute], Any]) -> Any:
        def watching(execute: Execute) -> Any:
            def asks(sql: str, params: Any) -> Any:
                asked.append((sql, params))
                return execute(sql, params)

            return work(asks)

        return together(watching)

    till.parts.pool.together = watched  # type: ignore[method-assign]
    answer = till.client.simulate_get("/api/ledger", query_string=query, headers=till.log_in(play.user_id))
    assert answer.status_code == 200, answer.text
    cut, *ends, (sql, params) = asked
    assert cut == (SQL["cut"], ())
    # What is picked out is looked for as far as a milestone, which is found in their index.
    seek = "SEARCH entry_rows USING INDEX ledger_milestones (user=? AND id<?)"
    for end in ends:
        assert seek in [row[3] for row in play.desk.database.execute(f"EXPLAIN QUERY PLAN {end[0]}", end[1])]
    assert len(ends) == ("ref_type" in query)
    steps = [row[3] for row in play.desk.database.execute(f"EXPLAIN QUERY PLAN {sql}", params)]
    assert "SEARCH older USING PRIMARY KEY (id=?)" in steps
    assert [step for step in steps if step.startswith("SCAN")] == ["SCAN walk", "SCAN walk"], steps
    assert not [step for step in steps if "TEMP B-TREE" in step], steps
