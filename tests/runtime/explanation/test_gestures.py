"""Bets that were signed together: each is proved alone, by the whole text, and what is changed of it is seen."""

from __future__ import annotations

import pytest

from runtime.audit import audit
from runtime.auth.signatures import recover_text
from runtime.messaging.commands import ForgetPlayer, PlaceBets
from taptrade.explain import findings
from tests.jobs.gestures import bet_ids
from tests.jobs.signed_play import SignedPlay
from tests.jobs.writer_desk import PRICE_CENTS
from tests.runtime.explanation.test_proof import ALL_HOLD


@pytest.fixture
def gesture(play: SignedPlay) -> PlaceBets:
    """Return a gesture of a bet that was won, one that was refused and one that was lost."""
    gesture = play.gesture(play.bet(), play.bet(rows=1, min_rate_bp=900_000), play.bet(rows=4))
    play.desk.place(gesture, play.bet(rows=2))
    play.end(PRICE_CENTS, PRICE_CENTS + 100)
    return gesture


def test_each_bet_of_a_gesture_is_proved_alone(play: SignedPlay, gesture: PlaceBets) -> None:
    won, refused, lost = bet_ids(gesture)
    assert [play.court.status(one) for one in (won, refused, lost)] == ["won", "refused", "lost"]
    for number, bet_id in enumerate((won, refused, lost), 1):
        proof = play.prove(bet_id)
        assert (proof.ok, proof.signed.ok, proof.signed.by) == (True, True, "session_key")
        assert (proof.signed.gesture_id, proof.signed.tap) == (gesture.id, number)
        # What anybody can do with the answer alone: recover the signer of the text, and find the bet on its line.
        assert recover_text(proof.signed.text, proof.signed.signature) == proof.signed.signer.lower()
        line = proof.signed.text.split("\nTap: ")[number].partition("\n")[0]
        assert line == gesture.taps.split("\n")[number - 1]
        assert proof.chain.positions[1].what == "signed"
        assert proof.chain.positions[1].place < proof.chain.positions[2].place
    assert play.parts(won) == ALL_HOLD
    shown = {title: said for title, _, said in findings(play.prove(lost), None)}
    assert f"tap 3 of gesture {gesture.id}" in shown["signed"]
    assert play.prove(won, reach="quick").chain.positions[0].hash_holds
    assert audit(play.desk.database).faults == []


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE gesture_rows SET taps = replace(taps, ' 100 ', ' 500 ')",
        "UPDATE gesture_rows SET nonce = 'other123'",
        "UPDATE gesture_rows SET signature = zeroblob(81)",
        "DELETE FROM gesture_rows",
        "UPDATE bets SET min_rate_bp = 10001",
    ],
)
def test_what_is_changed_of_a_gesture_is_seen(play: SignedPlay, gesture: PlaceBets, sql: str) -> None:
    bet_id = bet_ids(gesture)[0]
    play.by_hand(sql)
    wrong = {name for name, ok in play.parts(bet_id).items() if ok is False}
    assert wrong == {"signed", "chain"}
    assert any(
        bet_id in fault or gesture.id in fault or "missing" in fault for fault in audit(play.desk.database).faults
    )


def test_the_audit_holds_each_bet_against_its_line(play: SignedPlay, gesture: PlaceBets) -> None:
    play.by_hand("UPDATE gesture_rows SET taps = replace(taps, ' 10000', ' 9999')")
    assert any("tap 1 of its gesture is another" in fault for fault in audit(play.desk.database).faults)


def test_the_rows_of_gestures_stay(play: SignedPlay, gesture: PlaceBets) -> None:
    for sql in ("UPDATE gesture_rows SET nonce = 'x'", "DELETE FROM gesture_rows"):
        with pytest.raises(Exception, match=r"append-only|only where an archive"):
            play.desk.database.execute(sql)


def test_a_gesture_of_a_forgotten_player_cannot_be_read(play: SignedPlay, gesture: PlaceBets) -> None:
    desk, bet_id = play.desk, bet_ids(gesture)[2]
    play.by_hand("UPDATE users SET balance = 0")
    desk.clock.advance(10**12)
    now_ms = desk.clock.now_ms()
    asked = {"received_ms": now_ms, "decided_by_ms": now_ms + 10_000}
    said = desk.do(ForgetPlayer(id=desk.new_id(), user_id=play.user_id, who="ann", why="asked", **asked))[0]
    assert said.code is None, said
    signed = play.prove(bet_id).signed
    assert (signed.ok, signed.by, signed.tap, signed.signature) == (None, "forgotten", 3, "forgotten")
    assert gesture.taps.split("\n")[2] in signed.text
