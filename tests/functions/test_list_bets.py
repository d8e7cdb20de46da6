"""One's own bets as they are listed: newest first, paged, filtered, and none of anybody else."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Any

import pytest

from runtime.clock import ManualClock, rfc3339
from runtime.settings import Settings
from tests.attack.arena import Arena
from tests.attack.attacker import Player
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


@pytest.mark.parametrize("path", ["bets", "ledger", "deposits", "withdrawals"])
def test_an_empty_cursor_is_the_first_page(arena: Arena, path: str) -> None:
    player = Player(arena, b"\x11" * 32).log_in()
    player.place(player.bet())
    whole, empty = player.get(f"/api/{path}"), player.get(f"/api/{path}?cursor=")
    assert (empty.status_code, empty.json) == (200, whole.json)


@pytest.mark.parametrize("query", ["cursor=x", "cursor=-1", "status=ended", "limit=0", "limit=501", "from=-1"])
def test_what_is_no_query_is_refused(till: Till, history: History, query: str) -> None:
    headers = till.log_in(history.idle)
    assert till.client.simulate_get("/api/bets", query_string=query, headers=headers).status_code == 400


def sheets(till: Till, user_id: str, limit: int) -> list[dict[str, str]]:
    """Follow X-Next-Cursor to the end; the lines of all pages."""
    headers = {**till.log_in(user_id), "Accept": "text/csv"}
    lines: list[dict[str, str]] = []
    query: dict[str, Any] = {"limit": limit}
    while True:
        answer = till.client.simulate_get("/api/bets", params=query, headers=headers)
        assert answer.headers["content-type"] == "text/csv; charset=utf-8"
        lines += csv.DictReader(io.StringIO(answer.text))
        if not answer.headers["x-next-cursor"]:
            return lines
        query["cursor"] = answer.headers["x-next-cursor"]


@pytest.mark.parametrize("limit", [3, 500])
def test_they_are_written_as_a_spreadsheet(till: Till, history: History, limit: int) -> None:
    for user in history.users:
        bets = history.bets(user)[::-1]
        lines = sheets(till, user, limit)
        assert [line["id"] for line in lines] == [bet.id for bet in bets]
        for bet, line in zip(bets, lines, strict=True):
            taken = bet.refusal_code is None
            assert line == {
                "id": bet.id,
                "placed_at": rfc3339(bet.placed_at),
                "cell_id": bet.cell_id,
                "window_start": rfc3339(bet.column_start_s * 1000),
                "low_cents": str(bet.low_cents),
                "high_cents": str(bet.high_cents),
                "stake_cents": str(bet.amount),
                "rate_bp": str(bet.reward_rate) if taken else "",
                "status": bet.status,
                "payout_cents": "" if bet.payout_amount is None else str(bet.payout_amount),
                "refund_cents": str(bet.amount) if bet.status == "void" else "",
                "resolved_at": "" if bet.resolved_at is None else rfc3339(bet.resolved_at),
                "refusal": bet.refusal_code or "",
            }


def test_what_a_player_named_a_cell_is_no_formula(till: Till, history: History) -> None:
    user = history.idle
    [outcome] = history.desk.place(history.desk.bet(user, cell_id='=HYPERLINK("http://x";"win")'))
    assert outcome.code == "CELL_UNKNOWN"
    [line] = sheets(till, user, 500)
    assert (line["cell_id"], line["window_start"], line["low_cents"]) == ('\'=HYPERLINK("http://x";"win")', "", "")
