"""The writer's rarer answers: what cannot be done is refused, what must not happen stops its own job and no other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import redis
from msgspec import structs
from rq import Queue
from rq.job import Job
from rq.serializers import JSONSerializer

from jobs.writer import job as writer_job
from jobs.writer.apply import apply
from jobs.writer.money import BALANCE_MAX_CENTS
from runtime.audit import audit
from runtime.game.rows import LedgerBroken
from runtime.messaging import queues
from runtime.messaging.commands import (
    Adjust,
    AnyCommand,
    CompleteWithdrawal,
    Delegation,
    Deposit,
    OpenAccount,
    Withdraw,
)
from tests.jobs.writer_desk import PRICE_CENTS, Desk

DEAF = "CREATE TEMP TRIGGER deaf BEFORE UPDATE ON users BEGIN SELECT RAISE(IGNORE); END"


def common(desk: Desk) -> dict[str, Any]:
    """Return what every command has."""
    now_ms = desk.clock.now_ms()
    return {"id": desk.new_id(), "received_ms": now_ms, "decided_by_ms": now_ms + 10_000}


def account(desk: Desk, number: int, **more: Any) -> OpenAccount:
    """Return the command that opens an account."""
    wallet = f"0x{number:040x}"
    return OpenAccount(user_id=desk.new_id(), wallet_address=wallet, credit_cents=100, **common(desk), **more)


def adjust(desk: Desk, user: str, amount: int, reference: str) -> Adjust:
    """Return a correction."""
    return Adjust(user_id=user, amount=amount, reference=reference, who="op", why="fix", **common(desk))


def complete(desk: Desk, withdrawal: str, reference: str) -> CompleteWithdrawal:
    """Return the end of a withdrawal."""
    return CompleteWithdrawal(withdrawal_id=withdrawal, who="op", why="paid", reference=reference, **common(desk))


def withdrawal(desk: Desk, user: str, nonce: str = "abcd1234") -> Withdraw:
    """Return a withdrawal."""
    return Withdraw(user_id=user, amount=100, nonce=nonce, signed_at_s=1, signature="0x", **common(desk))


def failures(desk: Desk, name: str = queues.COMMANDS) -> list[str]:
    """Return why jobs of a queue failed."""
    registry = Queue(name, connection=desk.client, serializer=JSONSerializer).failed_job_registry
    jobs = [Job.fetch(one, connection=desk.client, serializer=JSONSerializer) for one in registry.get_job_ids()]
    found = [one.latest_result() for one in jobs]
    return [one.exc_string or "" for one in found if one is not None]


def test_a_login_that_comes_twice_delegates_once(desk: Desk) -> None:
    login = account(desk, 7, delegation=Delegation(desk.new_id(), "0x" + "2" * 40, "message", "0x00"))
    first, again = desk.do(login, structs.replace(login, id=desk.new_id()))
    assert (first.data["new"], again.data["new"]) == (True, False)
    assert first.data["user_id"] == again.data["user_id"]
    assert desk.database.execute("SELECT count(*) FROM delegations") == [(1,)]
    assert audit(desk.database).faults == []


def test_an_adjustment_stays_within_what_an_account_can_hold(desk: Desk) -> None:
    user = desk.player(1, cents=100)
    outcomes = desk.do(
        adjust(desk, user, 10**13, "a"),
        *(adjust(desk, user, 10**13, f"b{number}") for number in range(98)),
        adjust(desk, user, BALANCE_MAX_CENTS - 99 * 10**13, "c"),
        adjust(desk, user, 10**13 - 100, "d"),
    )
    assert [outcome.code for outcome in outcomes[-3:]] == [None, "DEPOSIT_LIMIT", None]
    assert desk.balance(user) == BALANCE_MAX_CENTS


@pytest.mark.parametrize("amount", [0, 5])
def test_nothing_to_adjust_is_refused(desk: Desk, amount: int) -> None:
    user = desk.player()
    assert desk.do(adjust(desk, user if amount == 0 else desk.new_id(), amount, "a"))[0].code == "NOT_FOUND"
    assert desk.balance(user) == 1_000_000


def test_a_withdrawal_that_is_not_there_does_not_end(desk: Desk) -> None:
    assert desk.do(complete(desk, desk.new_id(), "tx-1"))[0].code == "NOT_FOUND"


def test_one_reference_ends_one_withdrawal(desk: Desk) -> None:
    user = desk.player()
    one, two = withdrawal(desk, user), withdrawal(desk, user, "abcd5678")
    desk.do(one, two)
    outcomes = desk.do(complete(desk, one.id, "tx-1"), complete(desk, two.id, "tx-1"))
    assert [outcome.code for outcome in outcomes] == [None, "REFERENCE_USED"]
    assert desk.database.execute("SELECT status FROM withdrawals ORDER BY requested_commit, requested_place") == [
        ("completed",),
        ("pending",),
    ]


@pytest.mark.parametrize("kind", ["account", "deposit", "withdrawal"])
def test_a_balance_that_does_not_move_inside_a_transaction_stops_the_job_and_leaves_nothing(
    desk: Desk, kind: str
) -> None:
    user = desk.player()
    commands: dict[str, Callable[[], AnyCommand]] = {
        "account": lambda: account(desk, 7),
        "deposit": lambda: Deposit(user_id=user, amount=5, reference="w", who="op", why="", **common(desk)),
        "withdrawal": lambda: withdrawal(desk, user),
    }
    command = commands[kind]()
    desk.database.execute(DEAF)
    desk.queue(command)
    desk.work()
    assert [reason for reason in failures(desk) if "LedgerBroken" in reason]
    assert command.id not in desk.answers()
    desk.database.execute("DROP TRIGGER deaf")
    assert desk.balance(user) == 1_000_000
    report = audit(desk.database)
    assert (report.faults, report.users, report.commits) == ([], 1, 1)


def test_a_payout_that_finds_no_account_stops_the_writer_and_is_paid_once_it_does(desk: Desk) -> None:
    user = desk.player()
    bet = desk.bet(user)
    desk.place(bet)
    desk.database.execute(DEAF)
    start_s = int(bet.cell_id.partition("_")[0])
    with pytest.raises(LedgerBroken, match=bet.id):
        desk.settle(start_s, PRICE_CENTS, PRICE_CENTS)
    assert desk.database.execute("SELECT status FROM bets") == [("confirmed",)]
    desk.database.execute("DROP TRIGGER deaf")
    desk.hire()
    desk.work()
    assert desk.database.execute("SELECT status FROM bets") == [("won",)]
    assert audit(desk.database).faults == []


def test_one_job_that_cannot_be_committed_spoils_no_other_of_its_commit(desk: Desk) -> None:
    good, bad, late = account(desk, 1), structs.replace(account(desk, 2), wallet_address="0xA"), account(desk, 3)
    for command in (good, bad, late):
        desk.queue(command)
    desk.work()
    assert [command.id in desk.answers() for command in (good, bad, late)] == [True, False, True]
    assert ["IntegrityError" in reason for reason in failures(desk)] == [True]
    assert desk.database.execute("SELECT count(*) FROM users") == [(2,)]


def test_what_is_held_stays_held_when_redis_is_away(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    user = desk.player()
    desk.queue(desk.bet(user), name=queues.BETS)
    held = desk.writer.inbox.collect(desk.clock.now_ms()).bets
    desk.writer.held = held

    def away(*_: Any, **__: Any) -> None:
        raise redis.ConnectionError("away")

    with monkeypatch.context() as outage:
        outage.setattr(desk.writer.inbox, "collect", away)
        with pytest.raises(redis.ConnectionError):
            desk.writer.run_once()
    assert desk.writer.held == held
    desk.work()
    assert desk.database.execute("SELECT status FROM bets") == [("confirmed",)]


def test_bets_are_never_applied_one_by_one(desk: Desk) -> None:
    user = desk.player()
    broken = pytest.raises(TypeError, match="together")
    with desk.writer.book.commit(lambda _: None) as commit, broken:
        apply(commit, desk.writer.book, desk.writer.settlement, desk.writer.rules, desk.bet(user))


def test_a_plain_rq_worker_refuses_the_writers_jobs() -> None:
    with pytest.raises(RuntimeError, match="2 commands wait for the batching writer"):
        writer_job.apply({"commands": [{}, {}]})
