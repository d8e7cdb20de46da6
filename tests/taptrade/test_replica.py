"""The replica's process: how far it has come, what Litestream says, and a disk that both lie on."""

from __future__ import annotations

import io
import logging
from pathlib import Path

import pytest

from runtime.clock import ManualClock
from runtime.messaging.connection import Redis
from runtime.messaging.redis_keys import REPLICA_SHIPPED
from runtime.messaging.redis_values import ReplicaShipped
from runtime.personal.erased import ERASURES_FILE, Erased, ErasedFile
from taptrade.litestream import Control, ReplicaFailed
from taptrade.replica import Shipping, cut_log, retell, warn_of_one_disk
from tests.jobs.writer_desk import Desk

LEDGER, TICKS = Path("taptrade.db"), Path("ticks.db")


class Shipped(Control):
    """A Litestream that ships all but what it is told not to."""

    def __init__(self) -> None:
        self.failing: set[Path] = set()

    def sync(self, database: Path) -> None:
        if database in self.failing:
            raise ReplicaFailed(f"{database.name}: no room")


def shipped(client: Redis) -> dict[str, int]:
    data = client.get(REPLICA_SHIPPED)
    assert isinstance(data, bytes)
    return ReplicaShipped.decode(data).until_ms


def test_how_far_it_has_come_is_left_and_trouble_said_once(
    redis_client: Redis, caplog: pytest.LogCaptureFixture
) -> None:
    control, clock = Shipped(), ManualClock(1_000)
    shipping = Shipping(control, (LEDGER, TICKS), redis_client, clock)
    shipping.look()
    assert shipped(redis_client) == {"taptrade.db": 1_000, "ticks.db": 1_000}
    control.failing.add(LEDGER)
    for _ in range(2):
        clock.advance(2_000)
        shipping.look()
    assert shipped(redis_client) == {"taptrade.db": 1_000, "ticks.db": 5_000}
    assert caplog.messages == ["the replica falls behind: taptrade.db: no room"]
    control.failing.clear()
    clock.advance(2_000)
    shipping.look()
    assert shipped(redis_client)["taptrade.db"] == 7_000


def test_what_litestream_says_is_said_by_our_log(caplog: pytest.LogCaptureFixture) -> None:
    lines = b'{"time":"x","level":"WARN","msg":"slow","db":"taptrade.db"}\nno JSON\n{"level":"ERROR","msg":"down"}\n'
    retell(io.BytesIO(lines))
    said = [(record.levelno, record.message) for record in caplog.records]
    assert said == [(logging.WARNING, "slow"), (logging.WARNING, "no JSON"), (logging.ERROR, "down")]
    assert caplog.records[0].__dict__["fields"] == {"db": "taptrade.db"}


def test_one_disk_for_both_is_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    warn_of_one_disk("s3://bucket/house", tmp_path)
    assert caplog.messages == []
    warn_of_one_disk(str(tmp_path / "elsewhere"), tmp_path)
    assert caplog.messages == [
        f"the replica in {tmp_path / 'elsewhere'} is on the disk of the data, and would be lost with it"
    ]


@pytest.mark.integration
def test_the_log_is_cut_once_after_an_erasure_before_anybody_ships_it(desk: Desk) -> None:
    data = desk.path.parent
    log = data / "taptrade.db-wal"
    (data / "run").mkdir()
    desk.player()
    assert log.stat().st_size > 0
    cut_log(data)
    assert log.stat().st_size > 0
    ErasedFile(data / ERASURES_FILE).add([Erased("A", 1, "ann", "asked for")])
    cut_log(data)
    assert log.stat().st_size == 0
    desk.player(2)
    cut_log(data)
    assert log.stat().st_size > 0
