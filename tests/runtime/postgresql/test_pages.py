"""What amcheck finds in the ledger's pages is a finding of the audit, where a database has it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest

from runtime.postgresql.connection import PostgresDatabase
from runtime.postgresql.guards import faults
from tests.postgres import Postgres

AVAILABLE = "SELECT count(*) FROM pg_available_extensions WHERE name = 'amcheck'"
# As a new library of the operating system does to texts: what an index holds lies in another order than it should.
SORTED_OTHERWISE = """
    CREATE TABLE odd (name text COLLATE "C");
    INSERT INTO odd VALUES ('a'), ('B'), ('c');
    CREATE INDEX odd_names ON odd (name);
    UPDATE pg_index SET indcollation = (SELECT oid::text FROM pg_collation WHERE collname = 'und-x-icu')::oidvector
    WHERE indexrelid = 'odd_names'::regclass;
"""
# As a page that was lost and came back from long ago.
OLDER_THAN_ALL = """
    CREATE TABLE old (name text);
    INSERT INTO old VALUES ('one');
    SELECT txid_current();
    UPDATE pg_class SET relfrozenxid = ((SELECT min(xmin::text::bigint) FROM old) + 1)::text::xid
    WHERE relname = 'old';
"""


@pytest.fixture
def database(postgres: Postgres) -> Iterator[PostgresDatabase]:
    """Return a house's database that has amcheck."""
    with closing(PostgresDatabase(postgres.house(), prepare="")) as found:
        if found.execute(AVAILABLE) == [(0,)]:
            pytest.skip("this PostgreSQL came without amcheck")
        found.execute("CREATE EXTENSION amcheck")
        yield found


def found_in(database: PostgresDatabase) -> list[tuple[str, str, str]]:
    """Return the findings; the snapshot must be good for more after each of them."""
    found = []
    with database.snapshot():
        for fault in faults(database):
            assert database.execute("SELECT 1") == [(1,)]
            found.append(fault)
    return found


def test_a_whole_ledger_has_no_findings(database: PostgresDatabase) -> None:
    assert found_in(database) == []


def test_broken_indexes_and_tables_are_findings_all_of_them(database: PostgresDatabase) -> None:
    for script in (SORTED_OTHERWISE, OLDER_THAN_ALL):
        for statement in script.split(";")[:-1]:
            database.run_script(statement)
    found = {name: (table, said) for table, name, said in found_in(database)}
    assert {name: table for name, (table, _) in found.items()} == {"odd_names": "odd", "old": "old"}
    assert '"odd_names"' in found["odd_names"][1]
    assert found["old"][1].startswith("block 0, row 1: ")


def test_who_may_not_call_amcheck_looks_into_no_page(database: PostgresDatabase) -> None:
    for statement in SORTED_OTHERWISE.split(";")[:-1]:
        database.run_script(statement)
    database.run_script("CREATE ROLE plain; GRANT SELECT ON ALL TABLES IN SCHEMA public TO plain; SET ROLE plain")
    assert found_in(database) == []
