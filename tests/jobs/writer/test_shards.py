"""Two writers of one house, each on its shard: limits that are never passed, names that count once, one evidence."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from runtime.audit import audit
from runtime.auth.entrance import Entrance
from runtime.auth.login import Claim
from runtime.auth.sessions import Sessions
from runtime.clock import ManualClock
from runtime.game.limits import RiskLimits
from runtime.game.shards import begins_after, shard_of
from runtime.messaging.commands import Adjust, AdoptGuest, AnyCommand, Delegation, Deposit, OpenAccount, Outcome
from runtime.messaging.queues import begin_epoch
from runtime.operating.pace import read_pace
from runtime.parts import Routes
from runtime.postgresql.adding import add_shard
from runtime.postgresql.connection import PostgresDatabase
from runtime.postgresql.session import WHOLE
from tests.jobs.writer_desk import PRICE_CENTS, RISK, Desk
from tests.postgres import Postgres

TIGHT = RiskLimits(
    payout_max_cents=1_000_000,
    cell_payout_max_cents=200_000,
    column_payout_max_cents=1_000_000,
    liability_max_cents=2_000_000,
)


class TwoDesks:
    """Both writers, and the house as its readers see it."""

    def __init__(self, folder: Path, redis_url: str, clock: ManualClock, url: str, risk: RiskLimits) -> None:
        self.url = url
        (folder / "2").mkdir()
        self.one = Desk(folder / "taptrade.db", redis_url, clock, risk, database_url=url)
        self.two = Desk(folder / "2" / "taptrade.db", redis_url, clock, risk, database_url=url, shard=2)
        self.house = PostgresDatabase(url, shard=WHOLE)

    def both(self) -> tuple[Desk, Desk]:
        return self.one, self.two

    def close(self) -> None:
        for each in (self.one, self.two, self.house):
            each.close()


@pytest.fixture
def url(postgres: Postgres, clock: ManualClock) -> str:
    found = postgres.house()
    assert add_shard(found, clock, RISK) == 2
    return found


@pytest.fixture
def desks(tmp_path: Path, redis_url: str, clock: ManualClock, url: str) -> Iterator[TwoDesks]:
    found = TwoDesks(tmp_path, redis_url, clock, url, RISK)
    yield found
    found.close()


def stamped(desk: Desk) -> dict[str, Any]:
    now_ms = desk.clock.now_ms()
    return {"id": desk.new_id(), "received_ms": now_ms, "decided_by_ms": now_ms + 10_000}


def deposit(desk: Desk, user_id: str, reference: str, cents: int = 500) -> Outcome:
    command = Deposit(**stamped(desk), user_id=user_id, amount=cents, reference=reference, who="bank", why="paid")
    return desk.do(command)[0]


def opened(desk: Desk, wallet: str, session_key: str | None = None) -> Outcome:
    key = None if session_key is None else Delegation(desk.new_id(), session_key, "message", "0x" + "00" * 65)
    command = OpenAccount(
        **stamped(desk), user_id=desk.new_id(), wallet_address=wallet, credit_cents=1_000, delegation=key
    )
    return desk.do(command)[0]


def address(number: int) -> str:
    return f"0x{number:040x}"


def test_a_bet_on_the_second_shard_goes_from_its_tap_to_its_payout(desks: TwoDesks) -> None:
    one, two = desks.both()
    users = [one.player(1), two.player(2)]
    bets = [desk.bet(user, columns=3) for desk, user in zip(desks.both(), users, strict=True)]
    for desk, bet in zip(desks.both(), bets, strict=True):
        assert [outcome.code for outcome in desk.place(bet)] == [None]
        desk.settle(int(bet.cell_id.split("_")[0]), PRICE_CENTS, PRICE_CENTS)
    for desk, user, shard in zip(desks.both(), users, (1, 2), strict=True):
        ((number, seq, status),) = desk.database.execute("SELECT placed_commit, seq, status FROM bets")
        assert (shard_of(number), shard_of(seq), status) == (shard, shard, "won")
        assert desk.balance(user) > 1_000_000
        report = audit(desk.database, begins_after=begins_after(shard))
        assert (report.findings, report.bets) == ([], 1)
    ledgers = [desk.database.execute for desk in desks.both()]
    assert read_pace(ledgers, 0, one.clock.now_ms()).last_minute == 2
    assert read_pace(ledgers, 0, one.clock.now_ms() + 61_000).last_minute == 0
    # Who reads about the whole house finds each with its own account, and no number twice.
    found = desks.house.execute("SELECT id, user_id FROM bets ORDER BY seq")
    assert found == [(bet.id, user) for bet, user in zip(bets, users, strict=True)]
    assert desks.house.execute("SELECT count(*), count(DISTINCT id) FROM transaction_ledger") == [(6, 6)]


def test_a_reference_counts_once_over_all_shards(desks: TwoDesks) -> None:
    one, two = desks.both()
    rich, poor = one.player(1, cents=1_000), two.player(2, cents=1_000)
    assert deposit(one, rich, "bank-1").code is None
    assert deposit(two, poor, "bank-1").code == "REFERENCE_USED"
    assert deposit(one, rich, "bank-1").data["repeat"]
    change: dict[str, Any] = {"reference": "ticket-1", "who": "me", "why": "a correction"}
    assert two.do(Adjust(**stamped(two), user_id=poor, amount=-5_000, **change))[0].code == "INSUFFICIENT_FUNDS"
    assert two.do(Adjust(**stamped(two), user_id=poor, amount=-400, **change))[0].code is None
    assert one.do(Adjust(**stamped(one), user_id=rich, amount=-400, **change))[0].code == "REFERENCE_USED"
    # What is refused for another reason does not use the reference up.
    assert deposit(two, poor, "bank-2", cents=10**12).code is None
    assert [one.balance(rich), two.balance(poor)] == [1_500, 600 + 10**12]


def test_a_wallet_and_its_keys_are_of_one_shard(desks: TwoDesks) -> None:
    one, two = desks.both()
    first = opened(one, address(1), session_key=address(7))
    assert first.data["new"]
    assert opened(two, address(1)).code == "UNAVAILABLE"
    assert opened(two, address(2), session_key=address(7)).code == "SESSION_KEY_TAKEN"
    assert opened(two, address(2), session_key=address(1)).code == "SESSION_KEY_TAKEN"
    # The owner of a key that somebody has named comes to where it was named, and is let in.
    assert opened(two, address(7)).code == "UNAVAILABLE"
    assert opened(one, address(7)).data["key_holder_id"] == first.data["user_id"]
    guest = OpenAccount(
        **stamped(two),
        user_id=two.new_id(),
        wallet_address=address(9),
        guest_key="p256:02" + "ab" * 32,
        credit_cents=1_000,
    )
    user_id = two.do(guest)[0].data["user_id"]
    adoption = {"user_id": user_id, "message": "mine", "signature": "0x" + "00" * 65}
    assert two.do(AdoptGuest(**stamped(two), wallet_address=address(1), **adoption))[0].code == "WALLET_TAKEN"
    assert two.do(AdoptGuest(**stamped(two), wallet_address=address(3), **adoption))[0].code is None
    assert opened(one, address(3)).code == "UNAVAILABLE"


def test_a_column_is_decided_once_for_the_house(desks: TwoDesks) -> None:
    one, two = desks.both()
    bets = [desk.bet(desk.player(at), columns=3) for at, desk in enumerate(desks.both(), 1)]
    for desk, bet in zip(desks.both(), bets, strict=True):
        assert [outcome.code for outcome in desk.place(bet)] == [None]
    start_s = int(bets[0].cell_id.split("_")[0])
    one.settle(start_s, PRICE_CENTS, PRICE_CENTS)
    # A settler that took over reads other ticks; what was said first stands for both.
    two.settle(start_s, 1, 2, covered=False)
    asked = "SELECT low, high, covered FROM columns WHERE start_s = ?"
    assert one.database.execute(asked, (start_s,)) == two.database.execute(asked, (start_s,))
    assert desks.house.execute("SELECT DISTINCT status FROM bets") == [("won",)]


def test_two_writers_take_no_more_than_the_limit_of_a_cell_and_nearly_all_of_it(
    tmp_path: Path, redis_url: str, clock: ManualClock, url: str
) -> None:
    with closing(TwoDesks(tmp_path, redis_url, clock, url, TIGHT)) as desks:
        taken: list[int] = []
        refused = 0
        for number in range(1, 61):
            desk = desks.both()[number % 2]
            (outcome,) = desk.place(desk.bet(desk.player(number), amount=5_000))
            refused += outcome.code == "EXPOSURE_LIMIT"
            if outcome.code is None:
                bet = outcome.data["bet"]
                taken.append(bet["amount"] * bet["reward_rate"] // 10_000)
            if number == 5:
                # The next writer of a shard goes on with what the one before was lent.
                lent = leases(desks)
                desk.hire()
                assert leases(desks) == lent
        assert refused
        most = TIGHT.cell_payout_max_cents
        assert most * 99 // 100 - max(taken) < sum(taken) <= most
        start_s = int(desks.one.bet(desks.one.player(99)).cell_id.split("_")[0])
        for desk in desks.both():
            desk.settle(start_s, PRICE_CENTS, PRICE_CENTS)
        assert leases(desks).keys() <= {(1, "house"), (2, "house")}
        assert sum(leases(desks).values()) <= TIGHT.liability_max_cents // 100


def leases(desks: TwoDesks) -> dict[tuple[int, str], int]:
    rows = desks.house.execute("SELECT shard, scope, granted FROM taptrade_house.leases WHERE granted > 0")
    return {(shard, scope): granted for shard, scope, granted in rows}


class Door(Routes):
    """A process of the API that signs in, and thought at first that a new wallet should go elsewhere."""

    def __init__(self, desks: TwoDesks, thought: list[int]) -> None:
        self.pool = desks.house  # type: ignore[assignment]  # it only executes
        self.shards = [SimpleNamespace(outbox=Outbox(desk)) for desk in desks.both()]
        self.thought = thought

    def shard_for(self, key: str) -> int:
        return self.thought.pop() if self.thought else super().shard_for(key)


class Outbox:
    """Commands on their way to one writer and back."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    def submit(self, command: AnyCommand) -> Outcome | None:
        return self.desk.do(command)[0]


def entrance(desks: TwoDesks, thought: list[int]) -> Entrance:
    desk = desks.one
    return Entrance(
        settings=desk.settings,
        client=desk.client,
        ledgers=Door(desks, thought),
        sessions=Sessions(desk.client, desk.clock),
        network="192.0.2.1",
        count=lambda _wallet: None,
        now_ms=desk.clock.now_ms(),
    )


def claim(wallet: str, nonce: str, now_ms: int) -> Claim:
    return Claim(
        wallet=wallet,
        session_key=None,
        message="message",
        signature="0x" + "00" * 65,
        nonce=nonce,
        signed_s=now_ms // 1000,
        expires_ms=now_ms + 60_000,
    )


def test_two_processes_that_sign_in_one_new_wallet_open_one_account(desks: TwoDesks) -> None:
    begin_epoch(desks.one.client, desks.one.clock.now_ms() - 5_000)
    now_ms = desks.one.clock.now_ms()
    first = entrance(desks, [2]).open(claim(address(1), "nonce-one-1234", now_ms))
    second = entrance(desks, [1]).open(claim(address(1), "nonce-two-1234", now_ms))
    assert (first.session.user_id, first.session.shard) == (second.session.user_id, 2)
    assert second.session.shard == 2
    # The next new wallet goes where there are fewer.
    assert entrance(desks, []).open(claim(address(2), "nonce-six-1234", now_ms)).session.shard == 1
    found = Sessions(desks.one.client, desks.one.clock).find(second.token)
    assert found is not None
    assert found.shard == 2
