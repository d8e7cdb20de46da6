"""Whether the pages of tables and indexes are whole, by PostgreSQL's amcheck, in a database that has it."""

from __future__ import annotations

import logging
from collections.abc import Iterator

from psycopg.errors import SerializationFailure

from runtime.game.statements import fill
from runtime.postgresql.translation import OWN
from runtime.storage.connection import Database
from runtime.storage.database import DatabaseError

logger = logging.getLogger(__name__)

TABLE = "r"


def broken_pages(database: Database) -> Iterator[tuple[str, str, str]]:
    """Yield what amcheck finds in the ledger's tables and B-trees, within a snapshot: (table, index, sentence).

    Every row is looked for in every index of its table, so it reads all of both.
    """
    for where, kind, table, name, number in database.execute(OWN["pages"]):
        check = fill(OWN["check_table"] if kind == TABLE else OWN["check_index"], schema=where)
        # By number: who may look into texts that lie beside their table may not name them.
        for said in _told(database, check, name, number):
            yield table, name, said


def _told(database: Database, check: str, name: str, number: int) -> list[str]:
    """Return what a check says; what is broken may be told as an error, behind which nothing more could be asked."""
    database.execute(OWN["before_check"])
    try:
        said = [sentence for (sentence,) in database.execute(check, (number,))]
    except DatabaseError as ex:
        if isinstance(ex.__cause__, SerializationFailure):
            # An index that was made anew while somebody reads cannot be judged yet.
            logger.warning("%s was not looked into: %s", name, ex)
            said = []
        else:
            # Where it was the connection that was lost, the next statement says so.
            said = [str(ex)]
    database.execute(OWN["after_check"])
    return said
