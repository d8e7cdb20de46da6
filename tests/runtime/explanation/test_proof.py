"""A bet's proof: an honest one holds in every part, and whatever is changed behind it is seen in its part."""

from __future__ import annotations

import re
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from runtime.clock import ManualClock, rfc3339
from runtime.explanation import Yardstick, find_bet, gather, prove
from runtime.game.rewards import BrownianTouch
from runtime.game.ticks import Tick
from runtime.messaging import queues
from runtime.messaging.commands import Adjust, SetLimits
from runtime.postgresql.connection import PostgresDatabase
from runtime.storage import ticks_store
from tests.jobs.signed_play import YARDSTICK, SignedPlay
from tests.jobs.writer_desk import PRICE_CENTS, RULES, Desk
from tests.runtime.auth.logins import KEY, SESSION_KEY, WALLET

pytestmark = pytest.mark.engines

ALL_HOLD = dict.fromkeys(("signed", "rate", "window", "decision", "money", "chain"), True)
FAR = PRICE_CENTS + 100_000


def test_every_part_of_an_honest_bet_holds_and_says_why(play: SignedPlay, won: str) -> None:
    proof = play.prove(won)
    assert (proof.ok, play.parts(won)) == (True, ALL_HOLD)
    assert (proof.signed.by, proof.signed.signer.lower()) == ("session_key", SESSION_KEY)
    assert proof.signed.wallet.lower() == WALLET
    assert proof.signed.delegation is not None
    assert proof.signed.delegation.id in proof.signed.finding
    assert proof.rate.recomputed_rate_bp == proof.rate.reward_rate_bp > 10_000
    assert proof.rate.tick_is_stored
    assert proof.window.from_ticks is not None
    assert proof.window.evidence is not None
    assert proof.window.from_ticks.ticks_sha256 == proof.window.evidence.ticks_sha256
    staked, paid = proof.money.entries
    assert (staked.ref_type, staked.balance_before, staked.balance_after) == ("BET", 1_000_000, 999_900)
    assert (paid.ref_type, paid.amount) == ("PAYOUT", proof.decision.payout_cents)
    assert [one.what for one in proof.chain.positions] == ["delegated", "placed", "evidence", "resolved"]
    placed = proof.chain.positions[1]
    assert placed.row_holds
    assert placed.records == 4
    assert (
        placed.hash
        == play.desk.database.execute("SELECT hash FROM commits WHERE number = ?", (placed.commit_number,))[0][0]
    )


def test_a_lost_bet_holds_without_a_payout(play: SignedPlay) -> None:
    bet = play.place(rows=4)
    play.end(PRICE_CENTS)
    assert (play.court.status(bet), play.parts(bet)) == ("lost", ALL_HOLD)
    assert [step.ref_type for step in play.prove(bet).money.entries] == ["BET"]


def test_a_void_bet_holds_with_its_refund(play: SignedPlay) -> None:
    bet = play.place()
    play.end(following=False)
    assert (play.court.status(bet), play.parts(bet)) == ("void", ALL_HOLD)
    # A tick that comes after the settlement changes the reason only, never the result.
    play.court.tick(play.desk.clock.now_ms() + 1_000)
    proof = play.prove(bet)
    assert (proof.window.ok, [step.ref_type for step in proof.money.entries]) == (True, ["BET", "REFUND"])
    assert "do not cover" in proof.window.finding


def test_an_open_bet_holds_as_far_as_it_goes(play: SignedPlay) -> None:
    bet = play.place()
    assert play.parts(bet) == ALL_HOLD | {"window": None, "decision": None}
    assert play.prove(bet).ok


@pytest.mark.parametrize(
    ("changes", "code", "rate"),
    [
        pytest.param({"min_rate_bp": 900_000}, "RATE_MOVED", True, id="the rate fell"),
        pytest.param({"rows": 400}, "CELL_NOT_OFFERED", True, id="no rate"),
        pytest.param({"amount": 7}, "STAKE_NOT_ALLOWED", None, id="refused before a rate"),
        pytest.param({"cell_id": "1_2_3"}, "CELL_UNKNOWN", None, id="no cell"),
    ],
)
def test_a_refused_bet_is_explained_without_money(
    play: SignedPlay, changes: dict[str, Any], code: str, rate: bool | None
) -> None:
    proof = play.prove(play.place(**changes))
    assert code in proof.decision.finding
    assert (proof.ok, proof.signed.ok, proof.rate.ok, proof.decision.ok) == (True, True, rate, None)
    assert (proof.money.ok, proof.money.entries, proof.chain.ok) == (True, [], True)


def test_a_bet_that_had_to_wait_needs_a_tick_from_after_its_wait(play: SignedPlay) -> None:
    bet = play.bet(fill_delay_ms=500)
    play.desk.queue(bet, name=queues.BETS)
    play.desk.clock.advance(501)
    play.court.tick(play.desk.show(PRICE_CENTS).id)
    play.desk.work()
    rate = play.prove(bet.id).rate
    assert (play.prove(bet.id).ok, rate.fill_delay_ms) == (True, 500)
    play.by_hand("UPDATE bets SET fill_delay_ms = 501")
    rate = play.prove(bet.id).rate
    assert (rate.ok, "had to wait 501 ms" in rate.finding) == (False, True)


def wait_over_a_leap(play: SignedPlay, *, seen: bool) -> tuple[str, Tick]:
    """Let a bet wait while the price leaps and comes back, and a writer judge it that sees the leap or does not."""
    bet = play.bet(fill_delay_ms=500)
    play.desk.queue(bet, name=queues.BETS)
    play.desk.clock.advance(200)
    leap = play.desk.show(PRICE_CENTS + 40_000)
    ticks_store.append(play.court.ticks, leap)
    if not seen:
        play.desk.shown.remove(leap)
    play.desk.clock.advance(400)
    play.court.tick(play.desk.show(PRICE_CENTS).id)
    play.desk.work()
    return bet.id, leap


def test_a_floor_that_broke_during_the_wait_is_explained_on_the_tick_that_broke_it(play: SignedPlay) -> None:
    bet_id, leap = wait_over_a_leap(play, seen=True)
    proof = play.prove(bet_id)
    assert (proof.ok, proof.rate.ok, proof.rate.tick_id) == (True, True, leap.id)
    assert "RATE_MOVED" in proof.decision.finding


def test_a_fill_whose_floor_broke_during_the_wait_is_found(play: SignedPlay) -> None:
    bet_id, _ = wait_over_a_leap(play, seen=False)
    rate = play.prove(bet_id).rate
    assert (rate.ok, "below the floor on a tick of its wait" in rate.finding) == (False, True)


def test_a_short_balance_is_explained_at_its_rate(play: SignedPlay) -> None:
    now_ms = play.desk.clock.now_ms()
    common: dict[str, Any] = {"id": play.desk.new_id(), "received_ms": now_ms, "decided_by_ms": now_ms}
    play.desk.do(Adjust(user_id=play.user_id, amount=-999_950, reference="r", who="op", why="test", **common))
    proof = play.prove(play.place())
    assert "INSUFFICIENT_FUNDS" in proof.decision.finding
    assert (proof.ok, proof.rate.ok, proof.rate.reward_rate_bp > 0, proof.money.entries) == (True, True, True, [])


def test_a_wallet_signs_without_a_delegation(play: SignedPlay) -> None:
    signed = play.prove(play.place(key=KEY, signer=WALLET)).signed
    assert (signed.ok, signed.by, signed.delegation) == (True, "wallet", None)


def test_a_session_key_counts_until_its_login_expires(desk: Desk, tmp_path: Path, clock: ManualClock) -> None:
    play = SignedPlay(desk, tmp_path, clock, expiration_time=rfc3339(clock.now_ms() + 1_000))
    clock.advance(999)
    play.court.tick(clock.now_ms())
    in_time = play.place()
    clock.advance(1)
    late = play.place(rows=1)
    assert (play.prove(in_time).signed.ok, play.prove(late).signed.ok) == (True, False)
    assert "had expired" in play.prove(late).signed.finding
    play.court.close()


def test_a_signature_that_an_older_build_stored_as_it_came_holds_and_stays(play: SignedPlay) -> None:
    bet = play.bet()
    as_it_came = structs.replace(bet, signature="0x" + bet.signature[2:].upper())
    play.desk.place(as_it_came)
    proof = play.prove(bet.id)
    assert (proof.ok, proof.signed.ok, proof.signed.signature) == (True, True, as_it_came.signature)


@pytest.mark.parametrize(
    ("chain_ids", "found"), [((1,), 1), ((137, 1), 1), ((137, 10, 1), 1), ((137,), None), ((137, 10), None)]
)
def test_a_bet_is_proved_for_the_accepted_chain_that_it_was_signed_for(
    play: SignedPlay, chain_ids: tuple[int, ...], found: int | None
) -> None:
    signed = play.prove(play.place(), yardstick=replace(YARDSTICK, chain_ids=chain_ids)).signed
    assert (signed.ok, signed.chain_id) == (found is not None, found)
    assert f"\nChain: {found or chain_ids[0]}\n" in signed.text


def test_an_unsigned_bet_is_neither_right_nor_wrong(play: SignedPlay) -> None:
    proof = play.prove(play.place(signature="", signer=WALLET))
    assert (proof.ok, proof.signed.ok, proof.signed.by) == (True, None, "nobody")


def test_a_bet_that_another_key_signed_is_seen(play: SignedPlay) -> None:
    assert play.parts(play.place(key=b"\x33" * 32))["signed"] is False


def test_ticks_that_are_not_kept_any_more_leave_the_evidence(play: SignedPlay, won: str) -> None:
    play.court.ticks.execute("DELETE FROM ticks")
    proof = play.prove(won)
    assert (proof.ok, proof.window.ok, proof.rate.ok, proof.rate.tick_is_stored) == (True, None, True, None)
    assert "not kept any more" in proof.window.finding


def test_the_rate_of_another_model_is_not_judged_by_ours(play: SignedPlay, won: str) -> None:
    model = BrownianTouch(RULES, 500)
    model.version = "2"
    rate = play.prove(won, yardstick=replace(YARDSTICK, model=model)).rate
    assert (rate.ok, rate.recomputed_rate_bp) == (None, None)
    assert "brownian-touch 2" in rate.finding


def test_another_edge_is_another_version_and_calls_nothing_wrong(play: SignedPlay, won: str) -> None:
    rate = play.prove(won, yardstick=Yardstick(BrownianTouch(RULES, 700), 700, (1,))).rate
    assert (rate.ok, rate.recomputed_rate_bp) == (None, None)
    assert "1-edge500-column5" in rate.finding


def test_the_edge_that_is_told_is_all_that_the_rate_holds_back(play: SignedPlay, won: str) -> None:
    model = BrownianTouch(RULES, 500)
    rate_bp = play.prove(won).rate.reward_rate_bp
    told: dict[tuple[tuple[int, int, int], ...], str] = {
        ((10_500, 1_000_000, 500),): "with a house edge of 5 %.",
        ((10_500, 1_000_000, 750),): "with a house edge of 7.5 % (5 %, the rest for what the model leaves in doubt).",
        (
            (10_500, rate_bp, 750),
            (rate_bp, 1_000_000, 940),
        ): "with a house edge of 7.5 to 9.4 % (5 %, the rest for what",
    }
    for kept_bp, end in told.items():
        model.kept_bp = kept_bp
        assert end in play.prove(won, yardstick=replace(YARDSTICK, model=model)).rate.finding


def test_a_quick_look_says_what_it_did_not_verify(play: SignedPlay, won: str) -> None:
    chain = play.prove(won, reach="row").chain
    assert (chain.ok, [one.row_holds for one in chain.positions]) == (None, [True, True, True])
    assert play.prove(won, reach="quick").chain.ok
    play.by_hand(f"UPDATE bets SET nonce = 'other123' WHERE id <> '{won}'")
    assert play.prove(won, reach="row").chain.ok is None
    assert play.prove(won, reach="quick").chain.ok is False


def test_a_commit_with_rows_of_other_kinds_is_verified_by_walking(play: SignedPlay) -> None:
    now_ms = play.desk.clock.now_ms()
    limits = SetLimits(
        id=play.desk.new_id(),
        received_ms=now_ms,
        decided_by_ms=now_ms,
        user_id=play.user_id,
        stake_day_max_cents=5_000,
    )
    bet = play.bet()
    play.desk.do(limits, bet)
    assert play.prove(bet.id, reach="quick").chain.ok is None
    assert play.prove(bet.id, reach="all").chain.ok
    play.by_hand("UPDATE player_limits SET stake_day_max_cents = 9")
    assert play.prove(bet.id, reach="all").chain.ok is False


def test_a_ledger_that_begins_later_is_not_called_wrong(play: SignedPlay, won: str) -> None:
    number = play.desk.database.execute("SELECT resolved_commit FROM bets WHERE id = ?", (won,))[0][0]
    play.by_hand(f"DELETE FROM transaction_ledger WHERE commit_number < {number}")
    proof = play.prove(won)
    assert (proof.ok, proof.money.ok, proof.chain.ok) == (True, None, None)
    assert "older than this ledger" in proof.money.finding


def reads_of_quick_proof(play: SignedPlay, won: str) -> list[tuple[str, Any]]:
    """Return what a quick proof asks, with its parameters."""
    database = play.desk.database
    asked: list[tuple[str, Any]] = []

    def execute(sql: str, params: Any) -> list[tuple[Any, ...]]:
        asked.append((sql, params))
        return database.execute(sql, params)

    bet = find_bet(execute, won)
    assert bet is not None
    prove(gather(execute, bet, "quick"), YARDSTICK)
    assert len(asked) > 10
    return asked


@pytest.mark.sqlite
def test_every_read_of_a_quick_proof_is_indexed(play: SignedPlay, won: str) -> None:
    for sql, params in reads_of_quick_proof(play, won):
        steps = [row[3] for row in play.desk.database.execute(f"EXPLAIN QUERY PLAN {sql}", params)]
        scans = [step for step in steps if step.startswith("SCAN")]
        assert any(step.startswith("SEARCH") for step in steps) or "LIMIT 1" in sql, (sql, steps)
        # What a statement has found already is walked over, and so is the first row of a table.
        found = {"walk", "block", "milestone", "first", "cut", "near"}
        assert {scan[5:] for scan in scans} <= found or "LIMIT 1" in sql, (sql, steps)


def test_no_read_of_a_quick_proof_goes_through_a_whole_table_on_postgresql(play: SignedPlay, won: str) -> None:
    if not play.desk.database_url:
        pytest.skip("it is about PostgreSQL's plans")
    with closing(PostgresDatabase(play.desk.database_url)) as database:
        for sql, params in reads_of_quick_proof(play, won):
            plan = "\n".join(row[0] for row in database.execute(f"EXPLAIN {sql}", params))
            # Switched off, it is taken only where there is no other way. `cut` has one row.
            assert set(re.findall(r"Seq Scan on (\w+)", plan)) <= {"cut"}, (sql, plan)
