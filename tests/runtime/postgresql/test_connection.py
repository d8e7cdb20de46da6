"""A connection to PostgreSQL: values and errors as SQLite's, nothing half done when it is lost, one writer."""

from __future__ import annotations

import signal
import threading
from contextlib import closing
from urllib.parse import parse_qs, urlsplit

import pytest
from psycopg.pq import Format

from runtime.clock import SystemClock
from runtime.errors import Unavailable
from runtime.game.ids import entry_commit, entry_id, ulid_key
from runtime.postgresql import choice, schema
from runtime.postgresql.arrays import numbers, texts
from runtime.postgresql.connection import WRITING, PostgresDatabase
from runtime.postgresql.guards import expected_guards
from runtime.postgresql.read_pool import PostgresReadPool
from runtime.postgresql.translation import OWN
from runtime.process_lock import LockHeld
from runtime.settings import load
from runtime.storage.database import DatabaseError, DatabaseUnsafe, IntegrityError, OperationalError
from runtime.storage.schema import WrongSchema
from tests.cutting import cutting
from tests.postgres import Postgres

APPEND_ONLY = ("entry_rows", "bet_rows", "gesture_rows", "bucket_changes", "archives", "erasures")
ODD_TEXTS = ['a"b', "back\\slash", "{curly,NULL}", "", "NULL", "line\nbreak", "tab\t", "ünï 🙂", "%s ? %", "'"]


def end_others(url: str) -> None:
    """End every other session of the database, as a server that restarts does."""
    with closing(PostgresDatabase(url, prepare="")) as by_hand:
        by_hand.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE pid <> pg_backend_pid() AND datname = current_database()"
        )


def test_an_empty_database_gets_our_schema_once_and_a_foreign_one_is_left_alone(postgres: Postgres) -> None:
    url = postgres.empty()
    assert schema.migrate(url, SystemClock()) == ["0001_initial.sql", "0002_shards.sql", "0003_begin_epoch.sql"]
    assert schema.migrate(url, SystemClock()) == []
    with closing(PostgresDatabase(url, prepare="")) as by_hand:
        schema.require_migrated(by_hand)
        by_hand.execute("UPDATE schema_migrations SET sha256 = 'other' WHERE name LIKE '0001%'")
        with pytest.raises(WrongSchema, match="another 0001_initial"):
            schema.lacking(by_hand)
        by_hand.execute("UPDATE schema_migrations SET name = '9999_later.sql' WHERE name LIKE '0001%'")
        with pytest.raises(WrongSchema, match="9999_later"):
            schema.lacking(by_hand)
        by_hand.execute("DROP TABLE schema_migrations")
        with pytest.raises(WrongSchema, match="not from our migrations"):
            schema.lacking(by_hand)


def test_ids_of_entries_are_those_that_the_ledger_makes(database: PostgresDatabase) -> None:
    for ms, commit, place in ((1_790_000_000_000, 1, 0), (1, 7, 4_294_967_295), (2**48 - 1, 2**47 + 5, 77)):
        key = entry_id(ms, commit, place)
        made = database.execute("SELECT entry_key(?, ?, ?), entry_commit(?)", (ms, commit, place, key))
        assert made == [(key, commit)]
        assert entry_commit(ulid_key(key)) == commit


def test_values_come_as_they_do_from_sqlite(database: PostgresDatabase) -> None:
    sql = "SELECT sum(x), count(*), max(x), TRUE FROM (VALUES (?), (2)) AS v (x) WHERE x % 2 < ?"
    ((total, count, most, truth),) = database.execute(sql, (2**62, True))
    assert (total, type(total), count, most, truth) == (2**62 + 2, int, 2, 2**62, 1)
    assert database.execute("SELECT id FROM users WHERE opened_by LIKE 'sealed:%'") == []
    assert database.execute("SELECT ?::float8, ?::text, ?::bytea", (0.1 + 0.2, None, b"\x00\xff")) == [
        (0.1 + 0.2, None, b"\x00\xff")
    ]


def test_arrays_come_as_they_were_written(database: PostgresDatabase) -> None:
    for values in (ODD_TEXTS, [*ODD_TEXTS, None], [], ["plain", "texts"], [None]):
        assert database.execute("SELECT ?::text[]", (texts(values),)) == [(values,)]
    for figures in ([1, -(2**62), 0], [None, 7], [], [None]):
        assert database.execute("SELECT ?::bigint[]", (numbers(figures),)) == [(figures,)]
    assert database.execute("SELECT ?::float8[]", (numbers([0.1 + 0.2, None, 1e-7]),)) == [([0.1 + 0.2, None, 1e-7],)]


def test_ids_are_compared_by_bytes_whatever_the_language_of_the_database(database: PostgresDatabase) -> None:
    without = database.execute(
        "SELECT attrelid::regclass::text, attname FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid"
        " WHERE relnamespace = current_schema::regnamespace AND relkind = 'r' AND attnum > 0"
        " AND atttypid = 'text'::regtype AND attcollation <> '\"C\"'::regcollation"
    )
    assert [row for row in without if row != ("commit_rows", "house")] == []


@pytest.mark.parametrize("table", APPEND_ONLY)
def test_rows_of_the_ledger_are_not_emptied(database: PostgresDatabase, table: str) -> None:
    with pytest.raises(IntegrityError, match="never deleted"):
        database.execute(f"TRUNCATE {table} CASCADE")


def test_a_guard_that_is_off_or_gone_is_a_fault(database: PostgresDatabase) -> None:
    assert list(database.faults()) == []
    assert len(expected_guards()) > 15
    database.execute("ALTER TABLE entry_rows DISABLE TRIGGER ledger_is_append_only")
    database.execute("DROP TRIGGER bets_end_once ON bet_rows")
    assert {(table, name) for table, name, _ in database.faults()} == {
        ("entry_rows", "ledger_is_append_only"),
        ("database", "bets_end_once"),
    }


def test_a_row_that_points_nowhere_is_a_fault(database: PostgresDatabase) -> None:
    database.run_script("SET session_replication_role = replica")
    database.execute("INSERT INTO opening_balances VALUES (?, 1, 1, '', 0)", ("0" * 26,))
    assert list(database.faults()) == [("opening_balances", "0" * 26, "it points at a row of users that is not there")]


def kept_and_caught(database: PostgresDatabase) -> None:
    with database.transaction():
        database.execute("INSERT INTO rules_in_force VALUES ('kept', 1)")
        with pytest.raises(IntegrityError):
            database.execute("INSERT INTO rules_in_force VALUES ('kept', 2)")


def test_a_transaction_whose_statement_failed_is_not_taken_for_committed(database: PostgresDatabase) -> None:
    with pytest.raises(DatabaseError, match="rolled back"):
        kept_and_caught(database)
    assert database.execute("SELECT * FROM rules_in_force") == []


def lost_halfway(url: str, database: PostgresDatabase) -> None:
    with database.transaction():
        database.execute("INSERT INTO rules_in_force VALUES ('lost', 1)")
        end_others(url)
        with pytest.raises(OperationalError):
            database.execute("INSERT INTO rules_in_force VALUES ('alone', 1)")
        database.execute("INSERT INTO rules_in_force VALUES ('alone', 2)")


def test_a_lost_connection_takes_its_transaction_along_and_is_made_anew(url: str, database: PostgresDatabase) -> None:
    with pytest.raises(OperationalError, match="the transaction with it"):
        lost_halfway(url, database)
    with database.transaction():
        database.execute("INSERT INTO rules_in_force VALUES ('after', 1)")
    assert database.execute("SELECT name FROM rules_in_force") == [("after",)]


def test_a_reader_asks_again_on_a_new_connection(url: str) -> None:
    with closing(PostgresDatabase(url)) as reader:
        end_others(url)
        assert reader.execute("SELECT count(*) FROM users") == [(0,)]
        with pytest.raises(DatabaseError, match="read-only"):
            reader.execute("DELETE FROM rules_in_force")


def test_only_one_session_writes(url: str) -> None:
    first = PostgresDatabase(url, prepare=WRITING, lock=True)
    with pytest.raises(OperationalError, match="another session holds the writer's lock"):
        PostgresDatabase(url, prepare=WRITING, lock=True)
    settings = load({"TAPTRADE_DATABASE_URL": url})
    with pytest.raises(LockHeld, match="another writer is at work on the database of TAPTRADE_DATABASE_URL"):
        choice.open_writer(settings)
    first.close()
    choice.open_writer(settings).close()
    PostgresDatabase(url, prepare=WRITING, lock=True).close()


def test_what_opens_sealed_texts_is_made_once_for_all_connections(url: str, database: PostgresDatabase) -> None:
    def loader(of: PostgresDatabase) -> object:
        [(oid,)] = of.execute("SELECT 'sealed_text'::regtype::oid::bigint")
        return of._connection.adapters.get_loader(oid, Format.TEXT)

    with closing(PostgresDatabase(url)) as another:
        assert loader(database) is not None
        assert loader(database) is loader(another)


def test_the_host_that_is_there_is_found_and_one_that_stops_is_given_up(url: str) -> None:
    parts = urlsplit(url)
    with cutting(f"{parse_qs(parts.query)['host'][0]}/.s.PGSQL.5432") as cutter:
        hosts = f"postgresql://bench@127.0.0.1:1,127.0.0.1:{cutter.port}{parts.path}?target_session_attrs=read-write"
        pool = PostgresReadPool(load({"TAPTRADE_DATABASE_URL": hosts}).database_url, SystemClock())
        assert pool.rows("SELECT 1 AS one") == [{"one": 1}]
        cutter.stall()
        with pytest.raises(Unavailable):
            pool.execute("SELECT 1")
        cutter.go_on()
        assert pool.rows("SELECT 1 AS one") == [{"one": 1}]
        pool.close()


def test_a_snapshot_sees_one_state_through_many_cursors(url: str, database: PostgresDatabase) -> None:
    with closing(PostgresDatabase(url)) as reader, reader.snapshot():
        first = reader.iterate("SELECT x FROM generate_series(1, 5000) AS x ORDER BY x")
        assert next(first) == (1,)
        database.execute("INSERT INTO rules_in_force VALUES ('new', 1)")
        second = reader.iterate("SELECT name FROM rules_in_force")
        assert list(second) == []
        assert sum(x for (x,) in first) == 5000 * 5001 // 2 - 1


def test_two_connections_work_side_by_side(url: str) -> None:
    found: list[object] = []

    def read() -> None:
        with closing(PostgresDatabase(url)) as reader:
            found.extend(reader.execute("SELECT count(*) FROM bets"))

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [(0,)] * 4


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ("SELECT 140005, '14.5', 'UTF8', TRUE, TRUE", "PostgreSQL 14.5 is too old; 15 or later"),
        ("SELECT 150000, '15.0', 'SQL_ASCII', TRUE, TRUE", "encoded as SQL_ASCII"),
        ("SELECT 150000, '15.0', 'UTF8', FALSE, TRUE", "fsync or full_page_writes off"),
        ("SELECT 150000, '15.0', 'UTF8', TRUE, FALSE", "fsync or full_page_writes off"),
    ],
)
def test_a_server_that_cannot_keep_the_ledger_is_refused(
    url: str, monkeypatch: pytest.MonkeyPatch, said: str, sentence: str
) -> None:
    monkeypatch.setitem(OWN, "server", said)
    with pytest.raises(DatabaseUnsafe, match=sentence):
        PostgresDatabase(url)


class TimeIsUp(Exception):
    """What a job's clock raises amid whatever it does."""


def test_who_was_interrupted_amid_an_answer_can_ask_again(database: PostgresDatabase) -> None:
    def interrupt(*_: object) -> None:
        raise TimeIsUp

    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.2)
        with pytest.raises(TimeIsUp):
            database.execute("SELECT pg_sleep(60)")
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert database.execute("SELECT 1") == [(1,)]
