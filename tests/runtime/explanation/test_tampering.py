"""Whatever is changed behind a bet's back is seen in the part of its proof that it belongs to."""

from __future__ import annotations

import pytest

from tests.jobs.signed_play import SignedPlay

TAMPERINGS = [
    pytest.param(
        "UPDATE bets SET amount = 500 WHERE id = '{bet}'", {"signed", "decision", "money", "chain"}, id="stake"
    ),
    pytest.param("UPDATE bets SET min_rate_bp = 10001 WHERE id = '{bet}'", {"signed", "chain"}, id="floor"),
    pytest.param("UPDATE bets SET signer = '0x' || hex(zeroblob(20))", {"signed", "chain"}, id="signer"),
    pytest.param("UPDATE bets SET delegation_id = NULL", {"signed", "chain"}, id="delegation of the bet"),
    pytest.param("UPDATE bets SET received_ms = received_ms + 60000", {"signed", "chain"}, id="receipt"),
    pytest.param("UPDATE delegations SET message = message || ' '", {"signed", "chain"}, id="login message"),
    pytest.param("UPDATE delegations SET user_id = 'another'", {"signed", "chain"}, id="login of another"),
    pytest.param(
        "UPDATE bets SET reward_rate = reward_rate + 500 WHERE id = '{bet}'",
        {"rate", "decision", "money", "chain"},
        id="rate",
    ),
    pytest.param("UPDATE bets SET volatility = volatility * 2", {"rate", "chain"}, id="volatility"),
    pytest.param("UPDATE bets SET fill_delay_ms = 500", {"rate", "chain"}, id="the wait"),
    pytest.param("UPDATE bets SET model_now_ms = model_now_ms - 4000", {"rate", "chain"}, id="the model's now"),
    pytest.param("UPDATE columns SET low = low - 1", {"window", "chain"}, id="evidence"),
    pytest.param("UPDATE columns SET low = 1, high = 2", {"window", "decision", "chain"}, id="evidence that decides"),
    pytest.param("UPDATE columns SET ticks_sha256 = hex(zeroblob(32))", {"window", "chain"}, id="hash of the ticks"),
    pytest.param(
        "UPDATE bets SET status = 'lost', payout_amount = 0 WHERE id = '{bet}'",
        {"decision", "money", "chain"},
        id="result",
    ),
    pytest.param("UPDATE bets SET payout_amount = 1 WHERE id = '{bet}'", {"decision", "chain"}, id="payout"),
    pytest.param(
        "UPDATE transaction_ledger SET amount = amount + 5 WHERE ref_type = 'PAYOUT'", {"money", "chain"}, id="entry"
    ),
    pytest.param("UPDATE transaction_ledger SET metadata = '{{}} '", {"chain"}, id="metadata"),
    pytest.param("DELETE FROM transaction_ledger WHERE ref_type = 'PAYOUT'", {"money", "chain"}, id="entry gone"),
    pytest.param(
        "UPDATE transaction_ledger SET balance_after = 7 WHERE ref_type = 'BET'", {"money", "chain"}, id="sum"
    ),
    pytest.param("UPDATE bets SET nonce = 'other123' WHERE id <> '{bet}'", {"chain"}, id="another bet of the commit"),
    pytest.param("DELETE FROM bets WHERE id <> '{bet}'", {"chain"}, id="another bet gone"),
    pytest.param("UPDATE commits SET committed_ms = committed_ms + 1", {"chain"}, id="a commit's time"),
    pytest.param("UPDATE commits SET hash = hex(zeroblob(32))", {"chain"}, id="a commit's hash"),
    pytest.param("UPDATE commits SET marks = '00000000' || substr(marks, 9)", {"chain"}, id="a mark"),
    pytest.param("DELETE FROM commits WHERE number = (SELECT placed_commit FROM bets)", {"chain"}, id="commit gone"),
    pytest.param("UPDATE columns SET settled_at = settled_at + 1", {"chain"}, id="end of the column"),
]


@pytest.mark.parametrize(("sql", "wrong"), TAMPERINGS)
def test_what_was_changed_by_hand_is_seen_in_its_part(play: SignedPlay, won: str, sql: str, wrong: set[str]) -> None:
    play.by_hand(sql.format(bet=won))
    assert {name for name, ok in play.parts(won).items() if ok is False} == wrong
    assert not play.prove(won).ok


def test_a_changed_tick_is_seen(play: SignedPlay, won: str) -> None:
    play.court.ticks.execute("UPDATE ticks SET high = high + 1 WHERE id > ?", (play.desk.clock.now_ms() - 6_500,))
    assert play.parts(won)["window"] is False
    play.court.ticks.execute("UPDATE ticks SET close = close - 1, low = low - 1 WHERE id = (SELECT min(id) FROM ticks)")
    assert play.parts(won)["rate"] is False
    play.court.ticks.execute("UPDATE ticks SET id = id + 1 WHERE id = 1790000000000")
    play.court.tick(1)
    assert play.prove(won).rate.tick_is_stored is False


def test_an_honest_bet_of_every_kind_of_signer_holds(play: SignedPlay, won: str) -> None:
    proof = play.prove(won)
    assert (proof.ok, set(play.parts(won).values())) == (True, {True})
    kinds = {"Tap Trading Guest": "guest"}
    assert proof.signed.delegation is not None
    assert proof.signed.by == kinds.get(proof.signed.delegation.message.partition("\n")[0], "session_key")
    assert proof.signed.signer.lower() == play.signer
