"""A player is forgotten in one commit, which leaves no byte of a name or a key, whatever database comes back."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from jobs.writer.book import Book
from jobs.writer.erasures import keep_forgotten
from runtime.audit import audit
from runtime.clock import ManualClock
from runtime.messaging.commands import (
    Adjust,
    AnyCommand,
    CompleteWithdrawal,
    Deposit,
    ForgetPlayer,
    Idempotency,
    OpenAccount,
    Outcome,
    SetLimits,
    Withdraw,
)
from runtime.personal.erased import Erased, ErasedFile
from runtime.storage.database import Database, open_reader, open_writer
from tests.by_hand import loosen
from tests.jobs.signed_play import SignedPlay
from tests.jobs.writer_desk import PRICE_CENTS, Desk
from tests.runtime.auth.logins import WALLET
from tests.runtime.storage.earlier import write_plainly

DAY_MS = 86_400_000
WORDS: dict[str, Any] = {"who": "ann", "why": "ticket 7"}


def times(desk: Desk) -> dict[str, Any]:
    now_ms = desk.clock.now_ms()
    return {"id": desk.new_id(), "received_ms": now_ms, "decided_by_ms": now_ms + 10_000}


def forget(desk: Desk, user_id: str) -> Outcome:
    return desk.do(ForgetPlayer(user_id=user_id, **WORDS, **times(desk)))[0]


def withdraw(desk: Desk, user_id: str, amount: int) -> str:
    signed: dict[str, Any] = {"nonce": "nonce9999", "signed_at_s": 1, "signature": "0x" + "cd" * 65}
    key = Idempotency("POST /api/withdrawals", "k1", "hash-of-body")
    command = Withdraw(user_id=user_id, amount=amount, idempotency=key, **signed, **times(desk))
    assert desk.do(command)[0].code is None
    return command.id


def complete(desk: Desk, withdrawal_id: str) -> None:
    command = CompleteWithdrawal(withdrawal_id=withdrawal_id, reference="tx-1", **WORDS, **times(desk))
    assert desk.do(command)[0].code is None


def pay_out(desk: Desk, user_id: str) -> None:
    """Pay out all that an account holds."""
    complete(desk, withdraw(desk, user_id, desk.balance(user_id)))


def keep_in(desk: Desk, file: ErasedFile) -> None:
    """Let the desk's writer finish an erasure as its process does."""

    def finish() -> None:
        keep_forgotten(desk.writer.book, file)

    desk.writer.on_erasure = finish


def faults(database: Database) -> list[str]:
    return audit(database).faults


@pytest.fixture
def play(desk: Desk, tmp_path: Path, clock: ManualClock) -> Iterator[SignedPlay]:
    """Return a player who has won, was paid all of it, and has been away for as long as records are kept."""
    play = SignedPlay(desk, tmp_path, clock)
    for _ in range(3):
        desk.player(clock.now_ms() % 1000 + desk.writer.book.number)
    play.place()
    play.end(PRICE_CENTS, PRICE_CENTS + 100)
    pay_out(desk, play.user_id)
    clock.advance(desk.kept_days * DAY_MS)
    desk.show(PRICE_CENTS)
    yield play
    play.court.close()


@pytest.fixture
def file(desk: Desk, tmp_path: Path) -> ErasedFile:
    """Return the list of erasures beside the database."""
    file = ErasedFile(tmp_path / "erasures.jsonl")
    keep_in(desk, file)
    return file


def test_no_byte_of_a_name_or_a_key_is_left_in_the_file(desk: Desk, play: SignedPlay, file: ErasedFile) -> None:
    ((key,),) = desk.database.execute("SELECT key FROM player_keys WHERE user_id = ?", (play.user_id,))
    needles = [key, *(text.encode() for text in (WALLET, play.signer, WALLET[2:].upper(), "cd" * 65))]
    needles += [bytes.fromhex(WALLET[2:]), bytes.fromhex(play.signer[2:])]
    assert faults(desk.database) == []
    desk.file.checkpoint("TRUNCATE")
    held = desk.path.read_bytes()
    assert [needle in held for needle in needles] == [True, True, True, False, False, False, False]
    said = forget(desk, play.user_id)
    assert (said.code, said.data["who"], "repeat" in said.data) == (None, "ann", False)
    desk.file.checkpoint("TRUNCATE")
    held = desk.path.read_bytes() + desk.path.with_name(f"{desk.path.name}-wal").read_bytes()
    assert [needle in held for needle in needles] == [False] * len(needles)
    assert faults(desk.database) == []
    assert file.read() == [Erased(play.user_id, desk.clock.now_ms(), "ann", "ticket 7")]


def test_the_books_stay_and_prove_what_they_proved_but_the_signature(desk: Desk, play: SignedPlay) -> None:
    ((bet_id,),) = desk.database.execute("SELECT id FROM bets")
    before = play.prove(bet_id)
    assert (before.ok, before.signed.ok, before.signed.signer.lower()) == (True, True, play.signer)
    assert forget(desk, play.user_id).code is None
    after = play.prove(bet_id)
    assert (after.ok, after.signed.ok, after.signed.by) == (True, None, "forgotten")
    assert (after.rate, after.window, after.decision) == (before.rate, before.window, before.decision)
    assert (after.money, after.chain) == (before.money, before.chain)
    assert after.signed.text == before.signed.text
    assert {after.signed.signer, after.signed.wallet, after.signed.signature} == {"forgotten"}
    assert "The player was forgotten" in after.signed.finding
    again = forget(desk, play.user_id)
    assert (again.code, again.data["repeat"]) == (None, True)
    assert len(desk.database.execute("SELECT 1 FROM erasures")) == 1


def test_who_signs_in_again_gets_an_account_of_their_own(desk: Desk, play: SignedPlay) -> None:
    forget(desk, play.user_id)
    anew = OpenAccount(user_id=desk.new_id(), wallet_address=WALLET, credit_cents=5, **times(desk))
    opened = desk.do(anew)[0]
    assert (opened.data["new"], opened.data["user_id"], opened.data["balance"]) == (True, anew.user_id, 5)
    assert desk.place(desk.bet(anew.user_id))[0].code == "INSUFFICIENT_FUNDS"
    assert faults(desk.database) == []


def test_a_forgotten_account_takes_nothing_that_is_the_players(desk: Desk, play: SignedPlay) -> None:
    forget(desk, play.user_id)
    user, number = play.user_id, desk.writer.book.number
    late: list[AnyCommand] = [
        Deposit(user_id=user, amount=5, reference="late", **WORDS, **times(desk)),
        Withdraw(user_id=user, amount=5, nonce="n", signed_at_s=1, signature="0x", **times(desk)),
        SetLimits(user_id=user, stake_max_cents=100, **times(desk)),
    ]
    assert [one.code for one in desk.do(*late)] == ["PLAYER_FORGOTTEN", "UNAUTHENTICATED", "UNAUTHENTICATED"]
    bets = [desk.bet(user), desk.bet(desk.player(77))]
    assert [one.code for one in desk.place(*bets)] == ["UNAUTHENTICATED", None]
    assert desk.database.execute("SELECT count(*) FROM bets WHERE placed_commit > ?", (number,)) == [(1,)]
    adjust = Adjust(user_id=user, amount=5, reference="fix", **WORDS, **times(desk))
    assert desk.do(adjust)[0].code is None
    assert faults(desk.database) == []


def test_nobody_is_forgotten_of_whom_something_is_open_owed_or_kept(desk: Desk, tmp_path: Path) -> None:
    user, clock = desk.player(), desk.clock
    bet = desk.bet(user)
    desk.place(bet)
    assert forget(desk, user).code == "BETS_OPEN"
    clock.advance(60_000)
    desk.settle(int(bet.cell_id.split("_")[0]), PRICE_CENTS * 2, PRICE_CENTS * 2)
    assert (forget(desk, user).code, forget(desk, user).data) == ("BALANCE_LEFT", {"balance": 999_900})
    pending = withdraw(desk, user, 999_900)
    assert forget(desk, user).code == "WITHDRAWALS_OPEN"
    complete(desk, pending)
    kept = forget(desk, user)
    assert kept.code == "RECORDS_KEPT"
    assert kept.data["kept_until_ms"] == clock.now_ms() + desk.kept_days * DAY_MS
    clock.advance(desk.kept_days * DAY_MS - 1)
    assert forget(desk, user).code == "RECORDS_KEPT"
    desk.do(SetLimits(user_id=user, excluded_until_ms=clock.now_ms() + 2 * desk.kept_days * DAY_MS, **times(desk)))
    assert forget(desk, user).code == "PLAYER_EXCLUDED"
    clock.advance(2 * desk.kept_days * DAY_MS)
    assert forget(desk, "0" * 26).code == "NOT_FOUND"
    assert desk.database.execute("SELECT count(*) FROM erasures") == [(0,)]
    assert forget(desk, user).code is None


def test_an_account_of_plain_rows_is_not_called_forgotten(desk: Desk) -> None:
    user = write_plainly(desk).player(cents=0)
    desk.hire()
    desk.clock.advance(desk.kept_days * DAY_MS)
    assert forget(desk, user).code == "NEVER_SEALED"
    desk.show(PRICE_CENTS)
    assert desk.place(desk.bet(user))[0].code == "INSUFFICIENT_FUNDS"
    assert desk.database.execute("SELECT signature LIKE 'sealed:%' FROM bets") == [(1,)]
    assert faults(desk.database) == []


@pytest.mark.parametrize("step", ["before the commit", "before the list", "before the answer"])
def test_a_writer_killed_at_a_step_leaves_all_or_nothing_and_a_repeat_finishes(
    desk: Desk, play: SignedPlay, file: ErasedFile, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        if step == "before the commit":
            patched.setattr("runtime.game.ledger.Commit.close", die)
        elif step == "before the list":
            patched.setattr(desk.writer, "on_erasure", die)
        else:
            patched.setattr("jobs.writer.core.publish", die)
        with pytest.raises(KeyboardInterrupt):
            forget(desk, play.user_id)
    done = step != "before the commit"
    assert bool(desk.database.execute("SELECT 1 FROM erasures")) == done
    assert bool(file.read()) == (step == "before the answer")
    desk.hire()
    keep_in(desk, file)
    keep_forgotten(desk.writer.book, file)
    assert [one.user_id for one in file.read()] == ([play.user_id] if done else [])
    desk.work()  # the killed one's job was left in Redis
    assert forget(desk, play.user_id).data["repeat"]
    assert [one.user_id for one in file.read()] == [play.user_id]
    assert faults(desk.database) == []


def test_a_database_from_before_forgets_again(desk: Desk, play: SignedPlay, file: ErasedFile, tmp_path: Path) -> None:
    desk.file.checkpoint("TRUNCATE")
    shutil.copy(desk.path, tmp_path / "before.db")
    assert forget(desk, play.user_id).code is None
    file.add([Erased("0" * 26, 1, "ann", "of another house")])
    with closing(open_writer(tmp_path / "before.db")) as before:
        book = Book(before, desk.clock, desk.risk)
        assert [one.user_id for one in keep_forgotten(book, file)] == [play.user_id]
        assert keep_forgotten(book, file) == []
        assert before.execute("SELECT who, why FROM erasures") == [("ann", "ticket 7")]
        assert before.execute("SELECT 1 FROM users WHERE wallet_address = ?", (WALLET,)) == []
        assert faults(before) == []


TAMPERINGS = {
    "a wallet": ("UPDATE users SET wallet_address = '0x' || substr(hex(zeroblob(20)), 1, 40)", "users"),
    "a session key": ("UPDATE delegations SET found_by = 'p256:00'", "delegations"),
    "no key": ("DELETE FROM player_keys", "player_keys"),
    "a zero key": ("UPDATE player_keys SET key = zeroblob(32)", "player_keys"),
}


@pytest.mark.parametrize(("sql", "table"), TAMPERINGS.values(), ids=TAMPERINGS.keys())
def test_the_audit_finds_names_and_keys_that_were_changed(desk: Desk, play: SignedPlay, sql: str, table: str) -> None:
    of_user = " WHERE id = ?" if table == "users" else " WHERE user_id = ?"
    loosen(desk.database).execute(sql + of_user, (play.user_id,))
    found = audit(desk.database).findings
    assert table in {one.table for one in found}


def test_the_audit_finds_a_forgotten_player_who_has_a_name_or_a_key(desk: Desk, play: SignedPlay) -> None:
    forget(desk, play.user_id)
    loosen(desk.database).execute("UPDATE player_keys SET key = randomblob(32) WHERE user_id = ?", (play.user_id,))
    assert [one.table for one in audit(desk.database).findings] == ["erasures"]
    with closing(open_reader(desk.path)) as reader:
        assert [one.table for one in audit(reader).findings] == ["erasures"]
