"""Reads of the API on PostgreSQL: what takes too long is ended, and costs no connection."""

from __future__ import annotations

import pytest

from runtime.clock import ManualClock
from runtime.errors import Unavailable
from runtime.game.player_entries import Execute
from runtime.postgresql.connection import PostgresDatabase
from runtime.postgresql.read_pool import PostgresReadPool
from tests.runtime.postgresql.test_connection import end_others
from tests.waiting import wait_until


def test_a_long_read_is_ended(url: str) -> None:
    clock = ManualClock(1)
    pool = PostgresReadPool(url, clock)
    with pytest.raises(Unavailable):
        pool.execute("SELECT pg_sleep(5)")
    assert pool.rows("SELECT 1 AS one") == [{"one": 1}]

    def slowly(execute: object) -> None:
        clock.advance(60)
        assert callable(execute)
        execute("SELECT 1", ())

    with pytest.raises(Unavailable):
        pool.together(slowly)
    pool.close()


def test_a_read_that_came_late_leaves_its_session_to_the_next(url: str, database: PostgresDatabase) -> None:
    clock = ManualClock(1)
    pool = PostgresReadPool(url, clock)

    def slowly(execute: Execute) -> None:
        execute("SELECT 1", ())
        clock.advance(60)
        execute("SELECT 1", ())

    [(session,)] = pool.execute("SELECT pg_backend_pid()")
    for _ in range(3):
        with pytest.raises(Unavailable):
            pool.execute("SELECT pg_sleep(5)")
        with pytest.raises(Unavailable):
            pool.together(slowly)
        with pytest.raises(Unavailable):
            pool.together(lambda execute: execute("SELECT pg_sleep(5)", ()))
        assert pool.execute("SELECT pg_backend_pid()") == [(session,)]
    pool.close()
    others = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    wait_until(lambda: database.execute(others) == [(0,)], what="the end of the session")


def test_a_read_whose_session_was_ended_leaves_none(url: str, database: PostgresDatabase) -> None:
    pool = PostgresReadPool(url, ManualClock(1))
    [(session,)] = pool.execute("SELECT pg_backend_pid()")

    def cut_short(execute: Execute) -> None:
        execute("SELECT 1", ())
        end_others(url)
        execute("SELECT 1", ())

    with pytest.raises(Unavailable):
        pool.together(cut_short)
    assert pool.execute("SELECT pg_backend_pid()") != [(session,)]
    pool.close()
