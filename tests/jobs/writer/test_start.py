"""The writer's start: it waits for Redis, takes no database that was not made for it, goes on with what was left."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from jobs.writer.main import lock_file, main
from runtime.clock import SystemClock
from runtime.game.grid import column_of
from runtime.messaging import queues, redis_keys
from runtime.messaging.commands import OpenAccount, PlaceBet
from runtime.messaging.queues import Ticket
from runtime.messaging.redis_values import encode_tick
from runtime.process_lock import is_held
from runtime.settings import Settings
from runtime.storage import ticks_store
from runtime.storage.database import DatabaseUnsafe, open_reader
from tests.jobs.writer.test_main import whole_process
from tests.jobs.writer_desk import PRICE_CENTS, RULES, tick_at
from tests.waiting import wait_until


def test_the_process_waits_for_a_redis_that_is_not_there_yet(settings: Settings, tmp_path: Path) -> None:
    away = replace(settings, redis_url=f"unix://{tmp_path}/nothing.sock")
    with whole_process(away) as child:
        wait_until(lambda: is_held(lock_file(settings.data)), 20, what="the lock")
        assert child.stderr is not None
        assert b"waiting for Redis" in child.stderr.readline()
        assert child.poll() is None


def test_a_database_that_is_not_migrated_ends_the_process_before_it_writes(settings: Settings) -> None:
    with pytest.raises(DatabaseUnsafe, match="there is no database at"):
        main(settings)
    assert not settings.data.exists()


def test_a_bet_that_waited_in_a_writer_that_was_killed_is_placed_once_by_the_next(
    settings: Settings, redis_client: Any
) -> None:
    clock = SystemClock()
    user_id = queues.new_id(clock.now_ms())
    ticks_store.prepare(settings.ticks_database, clock)
    with whole_process(settings) as child:
        account = OpenAccount(user_id=user_id, wallet_address=f"0x{7:040x}", credit_cents=1_000, **stamped(clock))
        assert queues.ask(redis_client, account, clock.now_ms(), wait_s=20) is not None
        bet = tap(clock, user_id)
        queues.Queue(redis_client, queues.BETS, "test", backlog_max=9).enqueue([Ticket(bet)], bet.received_ms)
        wait_until(lambda: redis_client.zcard("rq:wip:bets") == 1, what="a bet that is taken and waits")
        child.kill()
        child.wait()
    with whole_process(settings):

        def placed() -> bool:
            # A tick of each moment, as a feed publishes them; those from before the end of the wait fill nothing.
            redis_client.set(redis_keys.TICK_LATEST, encode_tick(tick_at(clock.now_ms())))
            return bool(redis_client.zcard("rq:wip:bets") == 0)

        wait_until(placed, 20, what="the bet's end")
    reader = open_reader(settings.database)
    rows = reader.execute("SELECT id, status, tick_id > received_ms + fill_delay_ms FROM bets")
    assert rows == [(bet.id, "confirmed", 1)]
    assert reader.execute("SELECT balance FROM users") == [(900,)]
    assert redis_client.get(redis_keys.BACKLOG_BETS) == b"0"
    reader.close()


def stamped(clock: SystemClock) -> dict[str, Any]:
    """Return what any command has."""
    now_ms = clock.now_ms()
    return {"id": queues.new_id(now_ms), "received_ms": now_ms, "decided_by_ms": now_ms + 30_000}


def tap(clock: SystemClock, user_id: str) -> PlaceBet:
    """Return a bet on the cell around the price that has to wait for two seconds."""
    start_s = column_of(clock.now_ms(), RULES) + 8 * RULES.column_seconds
    low = PRICE_CENTS - PRICE_CENTS % RULES.row_step_cents
    return PlaceBet(
        user_id=user_id,
        cell_id=f"{start_s}_{low}_{low + RULES.row_step_cents}",
        amount=100,
        min_rate_bp=10_000,
        nonce="nonce1234",
        signed_at_s=clock.now_ms() // 1000,
        signature="0x" + "00" * 65,
        signer="0x" + "00" * 20,
        fill_delay_ms=2_000,
        **stamped(clock),
    )
