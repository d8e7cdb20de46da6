"""The proof of a bet that was refused since its bucket was closed: it was closed then, at that rate."""

from __future__ import annotations

from runtime.audit import audit
from runtime.game.buckets import Bucket, Standing
from runtime.game.copier import Copied, Copier
from tests.jobs.signed_play import YARDSTICK, SignedPlay


def shut_out(play: SignedPlay) -> str:
    """Close the bucket of a bet as the writer does, and have the bet refused for it."""
    desk, standings = play.desk, play.desk.writer.settlement.standings
    with desk.writer.book.commit(lambda _: None) as commit:
        bucket = Bucket(YARDSTICK.model.id, YARDSTICK.model.version, 20_000, 3)
        standing = Standing(bucket, 0, copier=Copier(purses=[20_000.0, 0.0, 0.0]))
        commit.write("save_bucket", *standing.row())
        standings.reload()
        standings.count(commit, 5, {bucket: Copied(0.0)}, 5, covered=True)
    return play.place()


def test_a_bet_refused_for_a_closed_bucket_is_explained_by_its_rate(play: SignedPlay) -> None:
    proof = play.prove(shut_out(play))
    assert "CELL_NOT_OFFERED" in proof.decision.finding
    assert (proof.ok, proof.rate.ok) == (True, True)
    assert "The bucket 2-5x/3 was closed then" in proof.rate.finding
    assert proof.rate.recomputed_rate_bp is not None
    assert audit(play.desk.database).faults == []


def test_a_refusal_for_a_bucket_that_was_open_is_wrong(play: SignedPlay) -> None:
    bet = shut_out(play)
    play.by_hand("DELETE FROM bucket_changes")
    proof = play.prove(bet)
    assert (proof.ok, proof.rate.ok) == (False, False)
    assert "but it was open then" in proof.rate.finding


def test_a_refusal_for_a_closed_bucket_at_another_rate_is_wrong(play: SignedPlay) -> None:
    bet = shut_out(play)
    play.by_hand("UPDATE bets SET refusal_arguments = json_set(refusal_arguments, '$.rate_bp', 20001)")
    assert play.prove(bet).rate.ok is False
