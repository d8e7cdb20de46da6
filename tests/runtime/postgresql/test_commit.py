"""The writer's commit on PostgreSQL: three round trips, plans that fit tables of any size, no update that is lost."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import psycopg
import pytest

from runtime.clock import ManualClock
from runtime.game.ledger import SQL
from runtime.messaging import queues
from runtime.postgresql.arrays import numbers, texts
from runtime.postgresql.connection import PREPARE, PostgresDatabase
from runtime.postgresql.translation import OWN, translated
from tests.jobs.writer_desk import PRICE_CENTS, Desk
from tests.postgres import Postgres

PLAYERS = 10
ID = "01M3250V00S1QV1CPBDY45R7XK"
HOT: dict[str, tuple[str, tuple[Any, ...]]] = {
    "last_commit": (SQL["last_commit"], ()),
    "players": (OWN["players"], (json.dumps([ID]),)),
    "players_of_bets": (OWN["players_of_bets"], ("[1, 2]",)),
    "bets_by_id": (OWN["bets_by_id"], (json.dumps([ID]),)),
    "bets_on_cells": (OWN["bets_on_cells"], (json.dumps([[1, 2, 3, ID]]),)),
    "ending_bets": (OWN["ending_bets"], ("[1, 2]",)),
    "newest_pricings": (OWN["newest_pricings"], ()),
    "move_balances": (OWN["move_balances"], (1, *[numbers([1])] * 5, texts([ID]), 1)),
    "resolve_bets": (OWN["resolve_bets"], (1, 1, *[numbers([1])] * 4)),
}


@pytest.fixture
def desk(postgres: Postgres, redis_url: str, tmp_path: Any, clock: ManualClock) -> Iterator[Desk]:
    """Return a writer on PostgreSQL."""
    desk = Desk(tmp_path / "taptrade.db", redis_url, clock, database_url=postgres.house())
    yield desk
    desk.close()


@pytest.fixture
def trips(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return what is sent to the server, a text for each round trip."""
    found: list[str] = []
    execute, pipeline = psycopg.Connection.execute, psycopg.Connection.pipeline

    def executed(self: psycopg.Connection[Any], query: Any, *given: Any, **named: Any) -> Any:
        if self._pipeline is None:
            found.append(str(query)[:40])
        return execute(self, query, *given, **named)

    def piped(self: psycopg.Connection[Any]) -> Any:
        found.append("several")
        return pipeline(self)

    monkeypatch.setattr(psycopg.Connection, "execute", executed)
    monkeypatch.setattr(psycopg.Connection, "pipeline", piped)
    return found


def test_bets_of_several_jobs_beside_settlement_take_three_round_trips(desk: Desk, trips: list[str]) -> None:
    users = [desk.player(number) for number in range(1, PLAYERS + 1)]
    first = [desk.bet(user, columns=3) for user in users]
    desk.place(*first)
    desk.queue(desk.settlement(int(first[0].cell_id.split("_")[0]), PRICE_CENTS, PRICE_CENTS))
    desk.writer.run_once()
    for columns in (6, 7, 8):
        desk.queue(*(desk.bet(user, columns=columns) for user in users), name=queues.BETS)
    before = desk.database.execute(SQL["newest_commit"])[0][0]
    trips.clear()
    # A job is committed with all others that wait, and a slice of the column's settlement with them.
    desk.writer.run_once()
    # The column is taken up before the commit.
    assert [one.split()[0] for one in trips] == ["SELECT", "SELECT", "several", "several", "several"]
    assert desk.database.execute(SQL["newest_commit"]) == [(before + 1,)]
    ((placed, ended),) = desk.database.execute(
        "SELECT count(*) FILTER (WHERE placed_commit = ?), count(*) FILTER (WHERE resolved_commit = ?) FROM bets",
        (before + 1, before + 1),
    )
    assert (placed, ended) == (3 * PLAYERS, PLAYERS)


@pytest.mark.parametrize("name", HOT)
def test_a_hot_statement_looks_into_indexes_on_empty_tables_and_on_analysed_ones(desk: Desk, name: str) -> None:
    sql, params = HOT[name]
    users = [desk.player(number) for number in range(1, 4)]
    with closing(PostgresDatabase(desk.database_url, prepare="")) as database:
        for analysed in (False, True):
            if analysed:
                desk.place(*(desk.bet(user, columns=columns) for user in users for columns in range(3, 9)))
                database.run_script("ANALYZE")
            plan = "\n".join(row[0] for row in database.execute(f"EXPLAIN {sql}", params))
            assert not re.search(r"Seq Scan|Hash Join|Merge Join|Bitmap", plan), plan
            assert "Index" in plan, plan
    assert PREPARE.startswith("SET enable_seqscan = off")
    assert "?" not in translated(sql)


def test_a_balance_that_somebody_else_moved_meanwhile_stops_the_commit(desk: Desk) -> None:
    user = desk.player()
    bet = desk.bet(user)
    commits = desk.database.execute(SQL["newest_commit"])

    def moved_by_hand(*_: object) -> list[tuple[int, int]]:
        with closing(PostgresDatabase(desk.database_url, prepare="")) as by_hand:
            by_hand.execute("UPDATE users SET balance = balance - 1")
        return []

    desk.writer.book.limits_of = moved_by_hand  # type: ignore[method-assign, assignment]
    desk.queue(bet, name=queues.BETS)
    desk.work()
    assert desk.answers().get(bet.id) is None
    assert desk.database.execute(SQL["newest_commit"]) == commits
    assert desk.balance(user) == 999_999
