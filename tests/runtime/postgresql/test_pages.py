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

# The same, of a text too long for a row.
LONG_OLDER_THAN_ALL = """
    CREATE TABLE long (name text);
    ALTER TABLE long ALTER name SET STORAGE EXTERNAL;
    INSERT INTO long VALUES (repeat('one', 10000));
    SELECT txid_current();
    UPDATE pg_class SET relfrozenxid = ((SELECT min(xmin::text::bigint) FROM long) + 1)::text::xid
    WHERE oid = (SELECT reltoastrelid FROM pg_class WHERE relname = 'long');
"""
TRUSTED = "GRANT EXECUTE ON FUNCTION bt_index_check(regclass, boolean), verify_heapam TO trusted;"
AS_ROLE = "CREATE ROLE {role}; GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}; {granted} SET ROLE {role};"


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


def damage(database: PostgresDatabase, *scripts: str) -> None:
    """Run the statements of scripts, each in a transaction of its own."""
    for script in scripts:
        for statement in script.split(";")[:-1]:
            database.run_script(statement)


def test_a_whole_ledger_has_no_findings(database: PostgresDatabase) -> None:
    assert found_in(database) == []


@pytest.mark.parametrize("role", ["", AS_ROLE.format(role="trusted", granted=TRUSTED)], ids=["superuser", "trusted"])
def test_broken_indexes_and_tables_are_findings_all_of_them(database: PostgresDatabase, role: str) -> None:
    damage(database, SORTED_OTHERWISE, OLDER_THAN_ALL, LONG_OLDER_THAN_ALL, role)
    found = {table: (name, said) for table, name, said in found_in(database)}
    assert found.keys() == {"long", "odd", "old"}
    assert found["old"][0] == "old"
    assert found["long"][0].startswith("pg_toast.")
    assert all(found[table][1].startswith("block 0, row ") for table in ("long", "old"))
    assert found["odd"][0] == "odd_names"
    assert '"odd_names"' in found["odd"][1]


def test_who_may_not_call_amcheck_looks_into_no_page(database: PostgresDatabase) -> None:
    damage(database, SORTED_OTHERWISE, AS_ROLE.format(role="plain", granted=""))
    assert found_in(database) == []
