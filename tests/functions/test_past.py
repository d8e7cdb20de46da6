"""Own bets and entries over archived weeks: nobody notices, until a week is asked for that is not here."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jobs.writer.archives import Trimmer
from runtime.archive.files import kept_file
from runtime.clock import ManualClock
from runtime.settings import Settings
from tests.functions.till import Till, open_till
from tests.jobs.upkeep.shelf import Shelf
from tests.jobs.writer_desk import Desk
from tests.runtime.records.short_looks import look_at_few

WEEKS = 3
FILTERED: list[tuple[str, dict[str, Any]]] = [
    ("/api/bets", {"status": "won"}),
    ("/api/ledger", {"ref_type": "DEPOSIT"}),
]


@pytest.fixture
def shelf(settings: Settings, redis_url: str, clock: ManualClock) -> Iterator[Shelf]:
    """Return a shelf of three weeks, the last of which is still going on, none of them archived."""
    desk = Desk(settings.database, redis_url, clock)
    shelf = Shelf(desk, settings.data)
    for _ in range(WEEKS):
        shelf.play_week()
    yield shelf
    desk.close()


@pytest.fixture
def till(shelf: Shelf, settings: Settings) -> Iterator[Till]:
    with open_till(shelf.desk, settings) as till:
        yield till


def pages(till: Till, path: str, user_id: str, **query: Any) -> tuple[list[dict[str, Any]], Any]:
    """Follow the cursor to the end; return the rows, and the answer that ended it."""
    headers = till.log_in(user_id)
    found: list[dict[str, Any]] = []
    while True:
        answer = till.client.simulate_get(path, params=query, headers=headers)
        if answer.status_code != 200:
            return found, answer
        found += answer.json.get("bets", answer.json.get("entries"))
        if answer.json["next_cursor"] is None:
            return found, answer
        query["cursor"] = answer.json["next_cursor"]


def everything(till: Till, shelf: Shelf, **query: Any) -> list[Any]:
    """Return all that all players are told of their bets and entries."""
    return [pages(till, path, user, **query)[0] for user in shelf.players for path in ("/api/bets", "/api/ledger")]


def test_a_filtered_page_may_be_empty_and_not_the_last(
    till: Till, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = shelf.players[0]
    headers = till.log_in(user)
    whole = {path: pages(till, path, user, **query)[0] for path, query in FILTERED}
    put_away(shelf)
    look_at_few(monkeypatch)
    for path, query in FILTERED:
        first = till.client.simulate_get(path, params=query, headers=headers).json
        rows = next(value for key, value in first.items() if key != "next_cursor")
        assert len(rows) <= len(whole[path])
        assert first["next_cursor"] is not None
        assert pages(till, path, user, **query)[0] == whole[path]


def put_away(shelf: Shelf, *, trim: bool = True) -> None:
    """Archive all weeks that were played but the last."""
    shelf.at(shelf.weeks[-2].end_ms + 6 * 24 * 3600 * 1000)
    while shelf.archiver().run():
        if trim:
            shelf.trim()


QUERIES: list[dict[str, Any]] = [{}, {"limit": 1}, {"limit": 3}, {"limit": 500}]


@pytest.mark.parametrize("query", QUERIES, ids=str)
def test_lists_are_the_same_before_and_after(till: Till, shelf: Shelf, query: dict[str, Any]) -> None:
    before = everything(till, shelf, **query)
    assert min(map(len, before)) > 2
    put_away(shelf)
    assert shelf.desk.database.execute("SELECT count(*) FROM archives") == [(WEEKS - 1,)]
    assert everything(till, shelf, **query) == before


@pytest.mark.parametrize("looks", ["whole", "short"])
def test_filters_reach_into_weeks(till: Till, shelf: Shelf, monkeypatch: pytest.MonkeyPatch, looks: str) -> None:
    if looks == "short":
        look_at_few(monkeypatch)
    middle_ms = shelf.weeks[1].monday_ms + 3 * 24 * 3600 * 1000
    queries: list[dict[str, Any]] = [{"to": middle_ms}, {"from": middle_ms}, {"limit": 2, "to": middle_ms}]
    before = [everything(till, shelf, **query) for query in queries]
    by_status = [pages(till, "/api/bets", shelf.players[0], status=one)[0] for one in ("won", "lost", "refused")]
    payouts = pages(till, "/api/ledger", shelf.players[0], ref_type="PAYOUT")[0]
    assert by_status[0]
    assert by_status[2]
    assert payouts
    put_away(shelf)
    assert [everything(till, shelf, **query) for query in queries] == before
    after = [pages(till, "/api/bets", shelf.players[0], status=one)[0] for one in ("won", "lost", "refused")]
    assert after == by_status
    assert pages(till, "/api/ledger", shelf.players[0], ref_type="PAYOUT")[0] == payouts
    assert pages(till, "/api/bets", shelf.players[0], status="open")[0] == []


def test_lists_are_the_same_at_every_step_of_trimming(
    till: Till, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jobs.writer.archives.STEP_ROWS_MIN", 3)
    monkeypatch.setattr("jobs.writer.archives.STEP_ROWS_MAX", 3)
    before = everything(till, shelf)
    put_away(shelf, trim=False)
    trimmer = Trimmer(shelf.desk.database, shelf.desk.clock)
    assert everything(till, shelf) == before
    while trimmer.step():
        assert everything(till, shelf) == before


def test_a_bet_of_an_attached_week_is_shown_with_its_proof(till: Till, shelf: Shelf) -> None:
    user = shelf.players[0]
    headers = till.log_in(user)
    ids = [bet["id"] for bet in pages(till, "/api/bets", user)[0]]
    before = [till.client.simulate_get(f"/api/bets/{one}", headers=headers).json for one in ids]
    put_away(shelf)
    for one, shown in zip(ids, before, strict=True):
        answer = till.client.simulate_get(f"/api/bets/{one}", params={"verify": "true"}, headers=headers)
        assert answer.status_code == 200
        assert (answer.json["bet"], answer.json["evidence"]) == (shown["bet"], shown["evidence"])
        for part in ("money", "decision", "chain"):
            assert answer.json["proof"][part]["ok"] is not False, (part, answer.json["proof"][part])
        other = till.client.simulate_get(f"/api/bets/{one}", headers=till.log_in(shelf.players[1]))
        assert (other.status_code, other.json["code"]) == (404, "NOT_FOUND")


def test_what_lies_in_a_week_that_is_not_here_is_said_to(till: Till, shelf: Shelf, settings: Settings) -> None:
    user = shelf.players[0]
    headers = till.log_in(user)
    bets = pages(till, "/api/bets", user)[0]
    first_to_last = [bets[-1]["id"], bets[0]["id"]]
    put_away(shelf)
    week = shelf.weeks[0]
    kept_file(settings.data, week).unlink()
    for path in ("/api/bets", "/api/ledger"):
        found, ended = pages(till, path, user, limit=2)
        assert found
        assert (ended.status_code, ended.json["code"], ended.json["week"]) == (404, "ARCHIVED", week.name)
        assert f"taptrade archive restore {week.name}" in ended.json["detail"]
        # Who joined later has nothing there, and nobody is told so who asks for nothing that old.
        assert pages(till, path, shelf.players[2])[1].status_code == 200
        recent = pages(till, path, user, **{"from": shelf.weeks[2].monday_ms})
        assert recent[1].status_code == 200
        old = pages(till, path, user, to=week.monday_ms + 24 * 3600 * 1000)
        assert (old[0], old[1].status_code) == ([], 404)
    statuses = [till.client.simulate_get(f"/api/bets/{one}", headers=headers).status_code for one in first_to_last]
    assert statuses == [404, 200]
    gone = till.client.simulate_get(f"/api/bets/{first_to_last[0]}", headers=headers)
    assert (gone.json["code"], gone.json["week"]) == ("ARCHIVED", week.name)


def test_a_restored_week_is_read_again(till: Till, shelf: Shelf, settings: Settings) -> None:
    before = everything(till, shelf, limit=2)
    put_away(shelf)
    kept = kept_file(settings.data, shelf.weeks[0])
    content = kept.read_bytes()
    kept.unlink()
    assert everything(till, shelf, limit=2) != before
    restored = Path(settings.data, "weeks", "restored", kept.name)
    restored.parent.mkdir()
    restored.write_bytes(content)
    assert everything(till, shelf, limit=2) == before
