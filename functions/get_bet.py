"""GET /api/bets/{bet_id}: one bet, with everything that it can be checked by."""

from __future__ import annotations

from functools import partial

import msgspec

from runtime.auth.sessions import signed_in
from runtime.betting.fate import Fate
from runtime.errors import NotFound
from runtime.explanation import Facts, Proof, Reach, Yardstick, find_bet, gather, prove
from runtime.explanation.sentence import sentence
from runtime.function import Call, Query, Reply, function
from runtime.game.player_entries import Execute
from runtime.parts import Parts
from runtime.records.pages import Ulid
from runtime.records.views import BetView, ColumnView, PendingView, bet_view, column_view


class BetQuery(Query, frozen=True):
    """How much to check."""

    verify: bool = False


class BetAnswer(msgspec.Struct, frozen=True):
    """A bet, its column's evidence once that has settled, why it ended as it did, and what proves it."""

    bet: BetView
    evidence: ColumnView | None
    explanation: str
    proof: Proof


class PendingAnswer(msgspec.Struct, frozen=True):
    """A bet that is not committed yet: there is nothing more to tell."""

    bet: PendingView
    evidence: None = None
    explanation: str = "The bet waits for its commit."
    proof: None = None


@function(
    "GET",
    "/api/bets/{bet_id}",
    auth="session",
    limits=("requests",),
    summary="One bet with its evidence and proof",
    path={"bet_id": Ulid},
    query=BetQuery,
    response=BetAnswer,
    also={202: PendingAnswer},
    errors=("NOT_FOUND", "BET_NEVER_PLACED", "ARCHIVED"),
)
def get_bet(call: Call[None]) -> BetAnswer | Reply:
    """Show a bet; 202 while it is pending, 404 BET_NEVER_PLACED once it cannot come any more.

    `proof` says who signed it, where its rate came from, what decided it, which entries moved its money and where the
    hash chain holds it, each recomputed. With `verify=true` the recorded ticks and the whole commits are read as well.
    """
    bet_id = call.path["bet_id"]
    user_id = signed_in(call.session).user_id
    fate = call.parts.fates.find(bet_id, user_id)
    pool = call.parts.pool if fate.bet else None
    if fate.bet is None and fate.missing != "pending":
        # No bet is called lost that an archived week holds.
        pool = call.parts.past.holder_of(bet_id)
    if pool is None:
        return _missing(bet_id, fate)
    query: BetQuery = call.params
    facts = pool.together(partial(_gather, bet_id, "quick" if query.verify else "row"))
    if facts.bet.user_id != user_id:
        raise NotFound("You have no such bet.")
    column = column_view(facts.column) if facts.column else None
    return BetAnswer(bet_view(facts.bet), column, sentence(facts.bet, facts.column), _prove(call.parts, facts, query))


def _missing(bet_id: str, fate: Fate) -> Reply:
    """Answer for a bet that is not stored."""
    if fate.missing == "pending":
        return Reply(PendingAnswer(PendingView(bet_id, fate.decided_by_ms)), status=202)
    if fate.missing == "never_placed":
        raise NotFound("The bet was lost on its way; no money was taken.", code="BET_NEVER_PLACED")
    raise NotFound("You have no such bet.")


def _gather(bet_id: str, reach: Reach, execute: Execute) -> Facts:
    """Read the bet once more with all that is around it: it may have been settled since it was found."""
    bet = find_bet(execute, bet_id)
    if bet is None:
        raise NotFound("You have no such bet.")
    return gather(execute, bet, reach)


def _prove(parts: Parts, facts: Facts, query: BetQuery) -> Proof:
    yardstick = Yardstick(parts.model, parts.settings.house_edge_bp, parts.settings.chain_ids)
    return prove(facts, yardstick, parts.ticks_pool if query.verify else None)
