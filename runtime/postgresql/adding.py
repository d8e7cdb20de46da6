"""A shard more for a house: its ledger is made, with what the house then has once, in one transaction.

Writers that are at work lose their sessions for it, and begin anew; until then bets wait in Redis.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import ExitStack, closing, contextmanager

from psycopg.errors import LockNotAvailable

from runtime.clock import Clock
from runtime.errors import TaptradeError
from runtime.game.chain import GENESIS, Header, commit_hash
from runtime.game.ledger import SQL
from runtime.game.limits import HOUSE, RiskLimits
from runtime.game.money import payout_cents
from runtime.game.rows import commit_row
from runtime.game.shards import SHARDS_MAX, begins_after
from runtime.game.statements import fill
from runtime.postgresql import schema
from runtime.postgresql.arrays import numbers, texts
from runtime.postgresql.connection import PostgresDatabase
from runtime.postgresql.guards import MIGRATIONS
from runtime.postgresql.schema import ADDING, HOUSE_MIGRATIONS, HOUSE_SCHEMA, enter
from runtime.postgresql.session import schema_of
from runtime.postgresql.translation import OWN
from runtime.storage.database import AnotherWrites, OperationalError

logger = logging.getLogger(__name__)

LOOK_S = 0.02
TAKEN_S_MAX = 10.0
"""How long a writer's session may take to end; it is waited for by nobody else."""
NUMBERED = (("users", "seq"), ("delegations", "seq"), ("player_keys", "number"))


class NotAdded(TaptradeError):
    """No shard can be added, or not now; the house is as it was, unless the sentence says to look."""


def add_shard(url: str, clock: Clock, risk: RiskLimits) -> int:
    """Give the house one shard more; return its number. Raise NotAdded where that cannot be, or not now.

    Nobody who writes goes on as before it: the lock of each writer is taken from it. Whoever takes it back, before the
    shard is there, waits for this transaction with its first statement, and then finds more shards than it began with.
    """
    with ExitStack() as stack:
        known = schema.shards_of(url)
        made = stack.enter_context(closing(PostgresDatabase(url, prepare="")))
        if schema.lacking(made):
            raise NotAdded("the database lacks migrations; `taptrade migrate` applies them")
        if known == SHARDS_MAX or not made.execute(ADDING["may_make"])[0][0]:
            raise NotAdded(f"a house has {SHARDS_MAX} shards at most, and its role is not called taptrade_...")
        ((first,),) = made.execute(ADDING["first_schema"])
        epochs = [stack.enter_context(_held(url, shard)) for shard in range(1, known + 1)]
        with _explained(), made.transaction():
            made.execute(ADDING["wait_for_nobody"])
            for shard, epoch in enumerate(epochs, 1):
                enter(made, first if shard == 1 else schema_of(shard))
                made.execute(OWN["still_in_epoch"], (shard, epoch))
            if schema.shards_by(made.execute) != known:
                raise NotAdded("somebody else has added one meanwhile")
            if known == 1:
                _make_house(made, first, clock, risk)
            else:
                made.execute(ADDING["drop_views"])
            _make_ledger(made, known + 1, first, clock)
            schema.show_all(made, first, known + 1)
    return known + 1


@contextmanager
def _held(url: str, shard: int) -> Iterator[int]:
    """Hold a writer's lock for the length of the block, and begin its next epoch: the number of that.

    It is taken from whoever is at work, and before its spares: these only try for it, and the server grants it to
    whoever waits for it first. A spare that ends us as it ends a silent writer begins an epoch that is not ours.
    """
    with (
        closing(PostgresDatabase(url, prepare="", shard=shard, patience_s=TAKEN_S_MAX)) as holding,
        closing(PostgresDatabase(url, prepare="")) as beside,
        ThreadPoolExecutor(1) as waiting,
    ):
        ((own,),) = holding.execute(OWN["session"])
        taken = waiting.submit(holding.execute, OWN["await_writers_lock"], (shard - 1,))
        while not wait([taken], LOOK_S).done:
            for session, _ in beside.execute(OWN["writer_at_work"], (shard - 1,)):
                if session != own:
                    logger.info("the writer of shard %d is to begin anew", shard)
                    beside.execute(OWN["end_session"], (session,))
        try:
            taken.result()
            ((epoch,),) = holding.execute(OWN["begin_epoch"])
        except OperationalError as ex:
            raise NotAdded(f"the writer of shard {shard} does not let go of its ledger: {ex}") from ex
        yield int(epoch)


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except AnotherWrites as ex:
        raise NotAdded("a writer was at work again before the shard was there; try again") from ex
    except OperationalError as ex:
        if isinstance(ex.__cause__, LockNotAvailable):
            raise NotAdded("somebody reads about the whole house just now, an audit perhaps; try again later") from ex
        raise NotAdded(f"look whether `taptrade shards` lists it before you try again: {ex}") from ex


def _make_house(database: PostgresDatabase, first: str, clock: Clock, risk: RiskLimits) -> None:
    database.execute(ADDING["make_house"])
    enter(database, HOUSE_SCHEMA)
    schema.apply_all(database, HOUSE_MIGRATIONS, clock)
    enter(database, first)
    database.execute(ADDING["copy_names"])
    _lend_what_is_open(database, risk)


def _lend_what_is_open(database: PostgresDatabase, risk: RiskLimits) -> None:
    """Lend the first shard what its open bets may pay: it has been alone with the limits so far."""
    lent: dict[str, int] = {}
    for start_s, cell_id, stake_cents, rate_bp, bets in database.execute(SQL["open_bets"]):
        for scope in (HOUSE, str(start_s), cell_id):
            lent[scope] = lent.get(scope, 0) + bets * payout_cents(stake_cents, rate_bp)
    cents = [*lent.values()]
    # A limit that is lower by now than what was taken under it is no reason to lend less than that.
    limits = [max(most, risk.most_cents(scope)) for scope, most in lent.items()]
    database.execute(OWN["lease"], (1, texts([*lent]), numbers(cents), numbers(limits)))


def _make_ledger(database: PostgresDatabase, shard: int, first: str, clock: Clock) -> None:
    name, after = schema_of(shard), begins_after(shard)
    database.execute(fill(ADDING["make_shard"], schema=name))
    enter(database, name)
    schema.apply_all(database, MIGRATIONS, clock)
    for table, column in NUMBERED:
        database.execute(fill(ADDING["go_on_behind"], table=table, column=column, number=str(after + 1)))
    database.execute(fill(ADDING["copy_rules"], schema=first))
    # A first commit with nothing in it: whoever goes on from the newest commit always finds one.
    header = Header(after + 1, clock.now_ms(), GENESIS, 0, "{}", None, None, None, None)
    hashed = commit_hash(header, ())
    database.execute(SQL["insert_commit"], commit_row(header, hashed, "", entry=lambda _: None))
    database.execute(ADDING["name_shard"], (shard, after + 1, bytes.fromhex(hashed), after + 1))
