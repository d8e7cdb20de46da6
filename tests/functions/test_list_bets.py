"""One's own bets as they are listed: newest first, paged, filtered, and none of anybody else."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from runtime.clock import ManualClock
from runtime.settings import Settings
from tests.functions.till import Till, open_till
from tests.jobs.writer_desk import Desk
from tests.runtime.records.bet_histories import History


@pytest.fixture
def history(settings: Settings, redis_url: str, clock: ManualClock) -> Iterator[History]:
    desk = Desk(settings.database, redis_url, clock)
    yield History(desk, 5)
    desk.close()


@pytest.fixture
def till(history: History, settings: Settings) -> Iterator[Till]:
    with open_till(history.desk, settings) as till:
        yield till


def listed(till: Till, user_id: str, **query: Any) -> list[dict[str, Any]]:
    """Follow the cursor to the end."""
    headers = till.log_in(user_id)
    found: list[dict[str, Any]] = []
    while True:
        answer = till.client.simulate_get("/api/bets", params=query, headers=headers)
        assert answer.status_code == 200, answer.text
        page = answer.json["bets"]
        assert len(page) <= query.get("limit", 50)
        found += page
        if answer.json["next_cursor"] is None:
            return found
        assert len(page) == query.get("limit", 50)
        query["cursor"] = answer.json["next_cursor"]


@pytest.mark.parametrize("limit", [1, 3, 500])
def test_pages_hold_every_bet_of_the_player_once_newest_first(till: Till, history: History, limit: int) -> None:
    for user in [*history.users, history.idle]:
        assert [bet["id"] for bet in listed(till, user, limit=limit)] == [bet.id for bet in history.bets(user)[::-1]]


def test_filters_choose_among_them(till: Till, history: History) -> None:
    user = history.users[0]
    bets = history.bets(user)[::-1]
    middle = bets[len(bets) // 2]
    for query, expected in (
        ({"status": "open"}, [bet for bet in bets if bet.status == "confirmed"]),
        ({"status": "refused"}, [bet for bet in bets if bet.status == "refused"]),
        ({"status": "lost", "limit": 2}, [bet for bet in bets if bet.status == "lost"]),
        ({"cell_id": middle.cell_id}, [bet for bet in bets if bet.cell_id == middle.cell_id]),
        ({"from": middle.placed_at, "limit": 4}, [bet for bet in bets if bet.placed_at >= middle.placed_at]),
        ({"to": middle.placed_at, "limit": 4}, [bet for bet in bets if bet.placed_at < middle.placed_at]),
    ):
        assert expected, query
        assert [bet["id"] for bet in listed(till, user, **query)] == [bet.id for bet in expected]


@pytest.mark.parametrize("query", ["cursor=x", "cursor=-1", "status=ended", "limit=0", "limit=501", "from=-1"])
def test_what_is_no_query_is_refused(till: Till, history: History, query: str) -> None:
    headers = till.log_in(history.idle)
    assert till.client.simulate_get("/api/bets", query_string=query, headers=headers).status_code == 400
