"""POST /api/bets: one tap, placed once, answered after its commit."""

from __future__ import annotations

from typing import Annotated, assert_never

import gevent
import msgspec

from runtime.auth.nonces import NonceField
from runtime.auth.sessions import signed_in
from runtime.auth.signatures import TapSignatureField
from runtime.auth.windows import before_memory
from runtime.betting.admission import overloaded
from runtime.betting.intake import Tap
from runtime.errors import Conflict
from runtime.function import Body, Call, Header, Reply, function
from runtime.messaging.commands import Answered
from runtime.messaging.outcomes import refusal_of
from runtime.messaging.queues import EnqueueResult, Ticket
from runtime.parts import Parts
from runtime.rate_limits import MINUTE_S, LimitDecision
from runtime.records.views import BetView, PendingView, bet_view

CONNECTIONS_MAX = 10_000
"""As many as the server takes: the guard `admission` refuses long before that, by how long a bet would wait."""


class PlaceBetBody(Body, frozen=True):
    """A signed tap; `min_rate_bp` is the floor below which it must not be filled."""

    cell_id: Annotated[
        str,
        msgspec.Meta(
            max_length=64,
            description="{column_start_unix}_{low_cents}_{high_cents}",
            extra_json_schema={"pattern": "^[0-9]+_[0-9]+_[0-9]+$", "minLength": 5},
        ),
    ]
    amount: Annotated[
        int, msgspec.Meta(description="stake in cents, one of the presets", extra_json_schema={"minimum": 1})
    ]
    min_rate_bp: Annotated[int, msgspec.Meta(ge=0, le=10**9, description="floor of the rate, basis points")]
    nonce: NonceField
    timestamp: Annotated[int, msgspec.Meta(ge=0, le=10**12, description="Unix seconds of signing")]
    signature: TapSignatureField = ""
    valid_until_ms: (
        Annotated[
            int, msgspec.Meta(ge=0, le=10**15, description="Unix milliseconds after which it is not to be committed")
        ]
        | None
    ) = None


class PlacedBet(msgspec.Struct, frozen=True):
    """The bet, and the balance that it leaves."""

    bet: BetView
    balance: int


class PendingBet(msgspec.Struct, frozen=True):
    """A bet that is not committed yet: its outcome comes on the stream, and at GET /api/bets/{bet_id}."""

    bet: PendingView
    balance: None = None


PREFER = Header("Prefer", "`respond-async`: the answer is 202 once the bet is queued, before its commit (RFC 7240).")


@function(
    "POST",
    "/api/bets",
    auth="session",
    limits_by_handler=("bets", "refused_bets"),
    refusals="refusals",
    guards=("breaker", "writer", "admission"),
    summary="Place a bet",
    body=PlaceBetBody,
    headers=(PREFER,),
    response=PlacedBet,
    status=201,
    also={202: PendingBet},
    in_flight=CONNECTIONS_MAX,
    errors=(
        "INVALID_SIGNATURE",
        "CONTRACT_WALLET",
        "SIGNATURE_EXPIRED",
        "INSUFFICIENT_FUNDS",
        "LIMIT_REACHED",
        "REPLAYED_NONCE",
        "DUPLICATE_BET",
        "RATE_MOVED",
        "CELL_CLOSED",
        "BET_EXPIRED",
        "EXPOSURE_LIMIT",
        "CELL_UNKNOWN",
        "CELL_NOT_OFFERED",
        "STAKE_NOT_ALLOWED",
        "RATE_LIMITED",
        "PRICE_FEED_STALE",
        "OVERLOADED",
        "UNAVAILABLE",
    ),
)
def place_bet(call: Call[PlaceBetBody]) -> Reply:
    """Check the tap, hand it to the writer, answer 201 after the commit or 202 while it is pending."""
    parts, body = call.parts, call.body
    parts.admission.refuse_late(call.header("X-Request-Start"), call.received_ms)
    intake = parts.intake
    tap = Tap(
        body.cell_id,
        body.amount,
        body.min_rate_bp,
        body.nonce,
        body.timestamp,
        body.signature,
        body.valid_until_ms,
    )
    session = signed_in(call.session)
    call.refuse_spent("bets", session.wallet)
    call.refuse_spent("refused_bets", session.user_id)
    try:
        ticket = intake.ticket(tap, session, call.received_ms)
    except Conflict as refusal:
        # The repeat of a request whose answer was lost may come after its cell has closed.
        used_by = parts.fates.bet_id_of_nonce(session.nonce_address, tap.nonce)
        raise (_replayed(parts, session.user_id, used_by) if used_by else refusal) from refusal
    call.accept()
    asynchronous = call.prefers("respond-async")
    with parts.admission:
        if intake.fill_delay_ms:
            gevent.sleep(intake.fill_delay_ms / 1000)
        answer = parts.outbox.place(ticket, until_queued=asynchronous)
    match answer:
        case Answered(code=None):
            return Reply(bytes(answer.data), status=201, content_type="application/json")
        case Answered():
            call.note(("refused_bets", session.user_id))
            raise refusal_of(answer.outcome())
        case EnqueueResult() if answer.code:
            raise _not_enqueued(call, parts, ticket, answer)
        case EnqueueResult() | None:
            return _pending(body, ticket)
        case _:
            assert_never(answer)


def _pending(body: PlaceBetBody, ticket: Ticket) -> Reply:
    pending = PendingView(ticket.command.id, ticket.command.decided_by_ms, body.cell_id, body.amount)
    return Reply(PendingBet(pending), status=202)


def _not_enqueued(call: Call[PlaceBetBody], parts: Parts, ticket: Ticket, result: EnqueueResult) -> Exception:
    if result.code == "LIMIT":
        reset_s = MINUTE_S - call.received_ms // 1000 % MINUTE_S
        decision = LimitDecision("bets", False, ticket.limit, 0, reset_s)
        call.report_limit(decision)
        call.surroundings.limiter.remember("bets", signed_in(call.session).wallet, call.received_ms)
        decision.enforce()
    if result.code == "EPOCH":
        return before_memory("The bet", call.received_ms)
    if result.code == "FULL":
        return overloaded()
    return _replayed(parts, signed_in(call.session).user_id, result.argument)


def _replayed(parts: Parts, user_id: str, used_by: str) -> Conflict:
    fate = parts.fates.find(used_by, user_id)
    detail = "The nonce was used before."
    if fate.bet is not None:
        return Conflict(detail, code="REPLAYED_NONCE", bet=bet_view(fate.bet))
    outcome = "never_placed" if fate.missing == "never_placed" else "unknown"
    return Conflict(detail, code="REPLAYED_NONCE", bet=None, outcome=outcome, bet_id=used_by)
