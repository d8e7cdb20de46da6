"""A user's bets are found without an index of all bets by user, exactly, and without a walk over a history."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest

from runtime.game.bets import STATUSES, Status, from_row
from runtime.game.ledger import SQL
from runtime.game.player_entries import Execute, Rows, entries_oldest_first, id_after
from runtime.game.statements import fill
from runtime.records.events import events_of_user, last_commit
from runtime.records.player_bets import (
    Wanted,
    bets_newest_first,
    ended_after,
    placed_after,
)
from runtime.records.queries import QUERIES
from runtime.records.views import BetEvent, CommittedEvent
from runtime.storage.database import Row
from runtime.stream.record import CommittedEvents
from tests.jobs.writer_desk import Desk
from tests.runtime.records.bet_histories import History, fits

pytestmark = pytest.mark.engines

SEED = 1
LIMITS = (1, 2, 3, 7, 500)
EVERY_ENTRY = 10_000


@pytest.fixture
def history(desk: Desk) -> History:
    """Return a history of its own."""
    return History(desk, SEED)


def test_histories_hold_every_kind_of_bet(desk: Desk) -> None:
    found = History(desk, SEED)
    assert {bet.status for user in found.users for bet in found.bets(user)} == set(STATUSES)
    assert {bet.status for bet in found.bets(found.users[1])} >= {"insufficient_funds", "refused", "confirmed"}
    # Refused and taken bets share commits and moments.
    mixed = [(bet.placed_commit, bet.refusal_code is None) for user in found.users for bet in found.bets(user)]
    assert {(commit, True) for commit, _ in mixed} & {(commit, True) for commit, taken in mixed if not taken}


def test_pages_are_those_of_a_look_at_the_whole_table(history: History) -> None:
    execute = history.desk.database.execute
    for user, limit in product([*history.users, history.idle], LIMITS):
        whole = [bet.seq for bet in reversed(history.bets(user))]
        found: list[int] = []
        before = None
        while page := [from_row(row).seq for row in bets_newest_first(execute, user, Wanted(), before, limit).rows]:
            assert len(page) == min(limit, len(whole) - len(found))
            found += page
            before = page[-1]
        assert found == whole


def test_a_page_begins_below_any_number(history: History) -> None:
    execute = history.desk.database.execute
    last = execute("SELECT max(seq) FROM bets")[0][0]
    for user, before in product(history.users, [*range(last + 3), 10**18 - 1]):
        expected = [bet for bet in reversed(history.bets(user)) if bet.seq < before][:4]
        assert [from_row(row) for row in bets_newest_first(execute, user, Wanted(), before, 4).rows] == expected


@pytest.mark.parametrize("few", [0, 1, 4])
def test_open_bets_of_a_long_history_are_those_of_a_look_at_the_whole_table(
    history: History, monkeypatch: pytest.MonkeyPatch, few: int
) -> None:
    monkeypatch.setattr("runtime.records.player_bets.OPEN_AMONG_NEWEST", few)
    execute = history.desk.database.execute
    for user in history.users:
        bets = history.bets(user)
        middle = bets[len(bets) // 2]
        times = (None, middle.placed_at)
        for from_ms, to_ms, before, limit in product(times, times, (None, middle.seq, bets[-1].seq), LIMITS):
            wanted = Wanted("confirmed", None, from_ms, to_ms)
            expected = [bet for bet in reversed(bets) if fits(bet, wanted) and bet.seq < (before or 2**62)]
            found = [from_row(row) for row in bets_newest_first(execute, user, wanted, before, limit).rows]
            assert found == expected[:limit], (wanted, before, limit)


def test_filters_are_those_of_a_look_at_the_whole_table(history: History) -> None:
    execute = history.desk.database.execute
    statuses: tuple[Status | None, ...] = (None, *STATUSES)
    for user in history.users:
        bets = history.bets(user)
        middle = bets[len(bets) // 2]
        cells = (None, bets[0].cell_id, middle.cell_id, "0" + middle.cell_id, "x", "", "9" * 30 + "_1_2", "²_1_2")
        times = (None, bets[0].placed_at, middle.placed_at, bets[-1].placed_at + 1)
        for status, cell, from_ms, to_ms in product(statuses, cells, times, times):
            wanted = Wanted(status, cell, from_ms, to_ms)
            for before, limit in ((None, 500), (None, 2), (middle.seq, 3)):
                expected = [bet for bet in reversed(bets) if fits(bet, wanted) and bet.seq < (before or 2**62)]
                found = [from_row(row) for row in bets_newest_first(execute, user, wanted, before, limit).rows]
                assert found == expected[:limit], (wanted, before, limit)


def placed_by_entries(execute: Execute, user: str, after: tuple[int, int], up_to: int, limit: int) -> Rows:
    entries = entries_oldest_first(execute, user, id_after(execute, *after), EVERY_ENTRY)
    entries = [entry for entry in entries if entry.commit_number <= up_to]
    return placed_after(execute, user, entries, after, up_to, limit)


def test_bets_after_any_place_are_those_of_a_look_at_the_whole_table(history: History) -> None:
    execute = history.desk.database.execute
    newest = last_commit(execute)
    for user in [*history.users, history.idle]:
        bets = history.bets(user)
        placed = sorted((bet.placed_commit, bet.placed_place, bet.seq) for bet in bets)
        ended = sorted(
            (bet.resolved_commit, bet.resolved_place or 0, bet.seq) for bet in bets if bet.resolved_commit is not None
        )
        places = list(product(range(newest + 2), (-1, 0, 1, 2, 3, 10**9)))
        for after, up_to, limit in product(places, (newest, newest // 2), (2, 500)):
            for read, rows in ((placed_by_entries, placed), (ended_after, ended)):
                expected = [seq for commit, place, seq in rows if (commit, place) > after and commit <= up_to]
                assert [row[0] for row in read(execute, user, after, up_to, limit)] == expected[:limit]


@pytest.mark.parametrize("page", [1, 2, 7])
def test_pages_of_news_are_the_whole_news(history: History, page: int) -> None:
    execute = history.desk.database.execute
    newest = last_commit(execute)
    for user in [*history.users, history.idle]:
        whole = events_of_user(execute, user, (0, -1), newest, EVERY_ENTRY)
        found: list[tuple[int, CommittedEvent]] = []
        after = (0, -1)
        while events := events_of_user(execute, user, after, newest, page):
            found += events
            commit, last = events[-1]
            after = (commit, last.n)
        assert found == whole
        placed = [one for _, one in whole if isinstance(one.data, BetEvent) and one.data.status == "confirmed"]
        assert len(placed) == len([bet for bet in history.bets(user) if bet.refusal_code is None])


@pytest.mark.parametrize("page", [1, 3, 500])
def test_an_account_shows_the_open_bets_of_the_whole_table(
    history: History, monkeypatch: pytest.MonkeyPatch, page: int
) -> None:
    monkeypatch.setattr("runtime.stream.record.PAGE", page)
    monkeypatch.setattr("runtime.stream.record.PAGES_MAX", 1_000)
    for user in [*history.users, history.idle]:
        account = CommittedEvents(history.desk.database.execute).account(user)
        assert account is not None
        assert account.balance == history.desk.balance(user)
        taken = [bet for bet in history.bets(user) if bet.refusal_code is None]
        # The pages end with the first that holds no open bet.
        pages = [taken[::-1][start : start + page] for start in range(0, len(taken), page)]
        until = next((n for n, bets in enumerate(pages) if all(b.status != "confirmed" for b in bets)), len(pages))
        expected = [bet.id for bets in pages[:until] for bet in bets if bet.status == "confirmed"]
        assert [bet.id for bet in account.open_bets] == expected[::-1]


def plan(desk: Desk, sql: str, params: Any = None) -> list[str]:
    given = (None,) * sql.count("?") if params is None else params
    return [row[3] for row in desk.database.execute(f"EXPLAIN QUERY PLAN {sql}", given)]


@pytest.mark.sqlite
@pytest.mark.parametrize("before", [None, 9])
@pytest.mark.parametrize(
    "wanted",
    [
        Wanted(),
        Wanted(from_ms=5, to_ms=9),
        *(Wanted(status) for status in STATUSES if status != "confirmed"),
        Wanted(cell_id="5_1_2"),
        Wanted("won", "5_1_2", 5, 9),
    ],
)
def test_a_page_is_read_from_its_indexes_and_sorts_no_history(desk: Desk, wanted: Wanted, before: int | None) -> None:
    desk.place(desk.bet(desk.player()))
    asked: list[tuple[str, Any]] = []

    def watched(sql: str, params: Any) -> list[Row]:
        asked.append((sql, params))
        return desk.database.execute(sql, params)

    bets_newest_first(watched, "u", wanted, before, 50)
    if before is not None:
        assert plan(desk, *asked.pop(0)) == ["SEARCH bet_rows USING INTEGER PRIMARY KEY (rowid<?)"]
    assert [step for sql, params in asked for step in unindexed(plan(desk, sql, params))] == []


@pytest.mark.sqlite
@pytest.mark.parametrize("wanted", [Wanted("confirmed"), Wanted("confirmed", None, 5, 10**13)])
@pytest.mark.parametrize("before", [None, 9])
def test_open_bets_are_read_from_their_indexes(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, wanted: Wanted, before: int | None
) -> None:
    monkeypatch.setattr("runtime.records.player_bets.OPEN_AMONG_NEWEST", 0)
    user = desk.player()
    desk.place(desk.bet(user))
    asked: list[tuple[str, Any]] = []

    def watched(sql: str, params: Any) -> list[Row]:
        asked.append((sql, params))
        return desk.database.execute(sql, params)

    assert len(bets_newest_first(watched, user, wanted, before, 50).rows) == 1
    newest, beyond, from_mark = (plan(desk, sql, params) for sql, params in asked[-3:])
    assert unindexed(newest) == []
    assert unindexed(beyond) == []
    assert "SEARCH bet_rows USING INDEX bets_once_per_cell (column_start_s>?)" in from_mark
    assert not [step for step in from_mark if step.startswith("SCAN bet_rows")], from_mark


@pytest.mark.sqlite
@pytest.mark.parametrize(
    "sql",
    [
        QUERIES["refused_after"],
        QUERIES["refused_between"],
        SQL["bets_by_id"],
        fill(SQL["entries_newest_first"], conditions=""),
    ],
)
def test_refused_taken_and_newest_are_read_from_indexes(desk: Desk, sql: str) -> None:
    assert unindexed(plan(desk, sql)) == []


def unindexed(steps: list[str]) -> list[str]:
    """Return the steps of a plan that are no seek in an index; there must be seeks."""
    tables = ("entry", "bet_rows", "commit_rows", "entry_rows", "users", "pricings", "delegations")
    searched = [step for step in steps if step.split()[0] == "SEARCH"]
    indexed = (
        "INDEX ledger_milestones (user=? AND id>?",
        "INDEX ledger_milestones (user=? AND id<?",
        "INDEX bets_refused_of_user (user=?",
        "INDEX bets_once_per_cell (column_start_s=? AND low_cents=? AND high_cents=? AND user=?",
        "INDEX sqlite_autoindex_bet_rows_1 (id=?)",
        "INDEX sqlite_autoindex_users_1 (id=?)",
        "bet_rows USING INTEGER PRIMARY KEY (rowid=?)",
        "users USING INTEGER PRIMARY KEY (rowid=?)",
        "delegations USING INTEGER PRIMARY KEY (rowid=?)",
        "pricings USING INTEGER PRIMARY KEY (rowid=?)",
        "commit_rows USING INTEGER PRIMARY KEY (rowid",
        "entry_rows USING PRIMARY KEY (id",
        "older USING PRIMARY KEY (id=?)",
    )
    assert searched
    return [
        *(step for step in searched if not any(part in step for part in indexed)),
        *(step for step in steps if step.split()[:1] == ["SCAN"] and step.split()[1] in tables),
        # What is sorted or kept aside first is read to its end, however short the page.
        *(step for step in steps if "TEMP B-TREE" in step or step.startswith("MATERIALIZE")),
    ]


@pytest.mark.sqlite
def test_an_account_is_read_from_its_entries(desk: Desk) -> None:
    steps = plan(desk, QUERIES["account"])
    assert "CO-ROUTINE walk" in steps
    assert "SEARCH older USING PRIMARY KEY (id=?)" in steps
    assert "SEARCH bet_rows USING INDEX sqlite_autoindex_bet_rows_1 (id=?)" in steps
    assert not [step for step in steps if step.startswith(("SCAN entry", "SCAN bet_rows"))], steps


@pytest.mark.sqlite
def test_where_a_stretch_of_bets_begins_is_one_seek(desk: Desk) -> None:
    steps = [step for step in plan(desk, QUERIES["first_bet_since"]) if "_rows" in step]
    # The second is the highest row number, which SQLite reads at the end of the table.
    assert steps == ["SEARCH commit_rows USING INTEGER PRIMARY KEY (rowid>?)", "SEARCH bet_rows"]


@pytest.mark.sqlite
def test_ends_of_bets_are_one_seek_a_commit(desk: Desk) -> None:
    steps = plan(desk, QUERIES["ended_after"])
    assert "SEARCH commit_rows USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)" in steps
    assert "SEARCH bet_rows USING INDEX bets_by_resolution (resolved_commit=? AND user=?)" in steps
    assert not [step for step in steps if step.startswith(("SCAN bet_rows", "SCAN commit_rows"))], steps


@pytest.mark.sqlite
def test_news_of_a_user_scan_no_table(desk: Desk) -> None:
    asked: list[tuple[str, Any]] = []

    def watched(sql: str, params: Any) -> list[Row]:
        asked.append((sql, params))
        return desk.database.execute(sql, params)

    events_of_user(watched, "u", (1, 0), 5, 100)
    assert len(asked) == 5
    steps = [step for sql, params in asked for step in plan(desk, sql, params)]
    # Walks over what a branch has found.
    found = ("SCAN (subquery-", "SCAN walk", "SCAN block", "SCAN milestone", "SCAN first")
    assert not [step for step in steps if step.startswith("SCAN") and not step.startswith(found)], steps
