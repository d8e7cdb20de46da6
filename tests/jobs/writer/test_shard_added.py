"""A shard is added: no writer goes on as before it, and where it cannot be, the house is as it was."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import msgspec
import pytest

from runtime.clock import ManualClock
from runtime.postgresql import adding, schema
from runtime.postgresql.adding import NotAdded, add_shard
from runtime.postgresql.connection import PostgresDatabase
from runtime.postgresql.session import WHOLE
from runtime.storage.database import AnotherWrites
from tests.jobs.writer_desk import RISK, Desk
from tests.postgres import Postgres


@pytest.fixture
def url(postgres: Postgres, clock: ManualClock) -> str:
    """Return the URL of a house of two shards."""
    found = postgres.house()
    assert add_shard(found, clock, RISK) == 2
    return found


def test_nothing_is_added_while_somebody_reads_about_the_whole_house(url: str, clock: ManualClock) -> None:
    with closing(PostgresDatabase(url, shard=WHOLE)) as reader, reader.snapshot():
        assert reader.execute("SELECT count(*) FROM users") == [(0,)]
        with pytest.raises(NotAdded, match="somebody reads about the whole house"):
            add_shard(url, clock, RISK)
    assert schema.shards_of(url) == 2
    assert add_shard(url, clock, RISK) == 3


def test_a_spare_that_takes_over_before_the_shard_is_there_leaves_the_house_as_it_was(
    postgres: Postgres, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, explained = postgres.house(), adding._explained

    @contextmanager
    def taken_over() -> Iterator[None]:
        with closing(PostgresDatabase(url, prepare="")) as by_hand:
            by_hand.execute("SELECT pg_terminate_backend(pid, 5000) FROM pg_locks WHERE locktype = 'advisory'")
        with closing(PostgresDatabase(url, prepare="", lock=True)) as spare, explained():
            assert spare.shards == 1
            yield

    monkeypatch.setattr(adding, "_explained", taken_over)
    with pytest.raises(NotAdded, match="a writer was at work again"):
        add_shard(url, clock, RISK)
    assert schema.shards_of(url) == 1
    monkeypatch.undo()
    assert add_shard(url, clock, RISK) == 2


def test_a_writer_at_work_that_was_alone_writes_no_more_once_there_is_another_shard(
    tmp_path: Path, redis_url: str, clock: ManualClock, postgres: Postgres
) -> None:
    url = postgres.house()
    with closing(Desk(tmp_path / "taptrade.db", redis_url, clock, database_url=url)) as desk:
        user = desk.player()
        bet = desk.bet(user)
        desk.place(bet)
        assert add_shard(url, clock, RISK) == 2
        # It is lent what its open bets may pay: it took them while the limits were its own.
        with closing(PostgresDatabase(url)) as reader:
            assert {granted for _, granted in reader.execute("SELECT scope, granted FROM taptrade_house.leases")} == {
                desk.writer.book.exposure.total_cents
            }
        desk.queue(msgspec.structs.replace(bet, id=desk.new_id()))
        with pytest.raises(AnotherWrites, match="the house has 2 shards by now"):
            desk.work()
