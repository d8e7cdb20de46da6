"""POST /api/bets: one tap, or up to twenty under one signature, each placed once, answered after their commit."""

from __future__ import annotations

from typing import Annotated, Any, assert_never

import gevent
import msgspec

from runtime.auth.nonces import NonceField
from runtime.auth.sessions import Session, signed_in
from runtime.auth.signatures import TapSignatureField
from runtime.auth.windows import before_memory
from runtime.betting.admission import overloaded
from runtime.betting.fate import Missing
from runtime.betting.gesture import CheckedGesture, SentGesture, check_gesture
from runtime.betting.intake import Tap
from runtime.errors import Conflict, Unprocessable
from runtime.function import Body, Call, Header, Reply, function
from runtime.game.bets import Bet
from runtime.game.gestures import TAPS_MAX, TapLine, may_be_gesture
from runtime.messaging.commands import Answered, TakenTap
from runtime.messaging.outbox import Answer
from runtime.messaging.outcomes import refusal_of
from runtime.messaging.queues import EnqueueResult, Ticket
from runtime.parts import Parts
from runtime.rate_limits import MINUTE_S, LimitDecision
from runtime.records.gestures import PendingGesture, PendingTap, PlacedGesture, replayed_tap
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


class TapBody(Body, frozen=True):
    """One tap of a gesture, in the order of the signed text."""

    cell_id: Annotated[
        str,
        msgspec.Meta(
            max_length=64,
            pattern="^[!-~]+$",
            description="{column_start_unix}_{low_cents}_{high_cents}",
            extra_json_schema={"pattern": "^[0-9]+_[0-9]+_[0-9]+$", "minLength": 5},
        ),
    ]
    amount: Annotated[int, msgspec.Meta(ge=0, le=10**13, description="stake in cents, one of the presets")]
    min_rate_bp: Annotated[int, msgspec.Meta(ge=0, le=10**9, description="floor of the rate, basis points")]


class GestureBody(Body, frozen=True):
    """Up to twenty taps that one signature covers; each is taken or refused by itself."""

    taps: Annotated[list[TapBody], msgspec.Meta(min_length=1, max_length=TAPS_MAX)]
    """Each a line of the signed text, in this order."""
    nonce: NonceField
    timestamp: Annotated[int, msgspec.Meta(ge=0, le=10**12, description="Unix seconds of signing")]
    signature: TapSignatureField = ""
    valid_until_ms: (
        Annotated[
            int, msgspec.Meta(ge=0, le=10**15, description="Unix milliseconds after which none is to be committed")
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


class _Judged(msgspec.Struct, frozen=True):
    taps: list[msgspec.Raw]


_taps = msgspec.json.Decoder(_Judged)

PREFER = Header("Prefer", "`respond-async`: the answer is 202 once the bet is queued, before its commit (RFC 7240).")


@function(
    "POST",
    "/api/bets",
    auth="session",
    limits_by_handler=("bets", "refused_bets"),
    refusals="refusals",
    guards=("breaker", "writer", "admission"),
    summary="Place a bet, or up to twenty under one signature",
    body=PlaceBetBody,
    bodies={"taps": GestureBody},
    headers=(PREFER,),
    response=(PlacedBet, PlacedGesture),
    status=201,
    also={200: PlacedGesture, 202: (PendingBet, PendingGesture)},
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
def place_bet(call: Call[PlaceBetBody | GestureBody]) -> Reply:
    """Check the tap, hand it to the writer, answer 201 after the commit or 202 while it is pending.

    Of a gesture each tap is taken or refused by itself, which `taps` tells in their order; 200 says that none was left
    for the writer. What is wrong with nonce, time or signature refuses all of it.
    """
    parts, session = call.parts, signed_in(call.session)
    parts.writer_watch.guard()  # the guard before the session was of all writers
    parts.admission.refuse_late(call.header("X-Request-Start"), call.received_ms)
    call.refuse_spent("bets", session.wallet)
    call.refuse_spent("refused_bets", session.user_id)
    body = call.body
    if isinstance(body, GestureBody):
        return _take_gesture(call, body, session)
    tap = Tap(
        body.cell_id,
        body.amount,
        body.min_rate_bp,
        body.nonce,
        body.timestamp,
        body.signature,
        body.valid_until_ms,
    )
    try:
        ticket = parts.intake.ticket(tap, session, call.received_ms)
    except Conflict as refusal:
        # The repeat of a request whose answer was lost may come after its cell has closed.
        used_by = parts.fates.bet_id_of_nonce(session.nonce_address, tap.nonce)
        raise (_replayed(parts, session.user_id, used_by) if used_by else refusal) from refusal
    call.accept()
    with parts.admission:
        answer = _answer(call, ticket)
    match answer:
        case Answered(code=None):
            return Reply(bytes(answer.data), status=201, content_type="application/json")
        case Answered():
            call.note(("refused_bets", session.user_id))
            raise refusal_of(answer.outcome())
        case EnqueueResult() if answer.code:
            raise _not_enqueued(call, ticket, answer) or _replayed(parts, session.user_id, answer.argument)
        case EnqueueResult() | None:
            return _pending(body, ticket)
        case _:
            assert_never(answer)


def _take_gesture(call: Call[Any], body: GestureBody, session: Session) -> Reply:
    """Do the same for a gesture: one ticket for all taps that are not refused here."""
    parts = call.parts
    taps = [TapLine(tap.cell_id, tap.amount, tap.min_rate_bp) for tap in body.taps]
    sent = SentGesture(taps, body.nonce, body.timestamp, body.signature, body.valid_until_ms)
    gesture = check_gesture(parts.intake, sent, session, call.received_ms)
    ticket = gesture.ticket
    if gesture.refused:
        # The repeat of a request whose answer was lost may come after some of its cells have closed.
        used_by = parts.fates.bet_id_of_nonce(session.nonce_address, body.nonce)
        if used_by:
            raise _replayed(parts, session.user_id, used_by, gesture)
    if ticket is None:
        call.note(("refusals", call.address))
        return Reply(PlacedGesture(gesture.id, gesture.told([])), status=200)
    call.accept()
    with parts.admission.inside(ticket.bets):
        answer = _answer(call, ticket)
    match answer:
        case Answered():
            if answer.refused:
                call.note(*[("refused_bets", session.user_id)] * answer.refused)
            if not gesture.refused:
                return Reply(bytes(answer.data), status=201, content_type="application/json")
            return Reply(PlacedGesture(gesture.id, gesture.told(_taps.decode(answer.data).taps)), status=201)
        case EnqueueResult() if answer.code:
            raise _not_enqueued(call, ticket, answer) or _replayed(parts, session.user_id, answer.argument, gesture)
        case EnqueueResult() | None:
            return Reply(
                PendingGesture(gesture.id, gesture.told([_pending_tap(gesture, tap) for tap in gesture.taken])),
                status=202,
            )
        case _:
            assert_never(answer)


def _answer(call: Call[Any], ticket: Ticket) -> Answer | None:
    """Hand a ticket to the writer and return what came of it, or with `respond-async` that it is queued."""
    parts = call.parts
    if parts.intake.fill_delay_ms:
        gevent.sleep(parts.intake.fill_delay_ms / 1000)
    return parts.outbox.place(ticket, until_queued=call.prefers("respond-async"))


def _pending(body: PlaceBetBody, ticket: Ticket) -> Reply:
    pending = PendingView(ticket.command.id, ticket.command.decided_by_ms, body.cell_id, body.amount)
    return Reply(PendingBet(pending), status=202)


def _pending_tap(gesture: CheckedGesture, tap: TakenTap) -> PendingTap:
    line = gesture.taps[tap.number - 1]
    return PendingTap(PendingView(gesture.bet_id(tap.number), tap.decided_by_ms, line.cell_id, line.amount))


def _not_enqueued(call: Call[Any], ticket: Ticket, result: EnqueueResult) -> Exception | None:
    """Return why a ticket was not queued; None: its nonce was used."""
    if result.code == "LIMIT":
        reset_s = MINUTE_S - call.received_ms // 1000 % MINUTE_S
        left = int(result.argument)
        decision = LimitDecision("bets", False, ticket.limit, left, reset_s)
        call.report_limit(decision)
        if not left:
            call.surroundings.limiter.remember("bets", signed_in(call.session).wallet, call.received_ms)
        decision.enforce()
    if result.code == "EPOCH":
        return before_memory("The bet", result.argument, call.received_ms)
    return overloaded() if result.code == "FULL" else None


def _replayed(parts: Parts, user_id: str, used_by: str, gesture: CheckedGesture | None = None) -> Conflict:
    """Return the refusal of a nonce that was used before, with what became of what used it."""
    detail = "The nonce was used before."
    fate = parts.fates.find(used_by, user_id)
    if fate.bet is not None:
        return Conflict(detail, code="REPLAYED_NONCE", bet=bet_view(fate.bet))
    outcome = "never_placed" if fate.missing == "never_placed" else "unknown"
    stored = parts.fates.bets_of_gesture(used_by, user_id)
    if gesture is not None and (stored or may_be_gesture(used_by)):
        gesture.id = used_by
        told = [_replayed_tap(gesture, number, stored, fate.missing) for number in gesture.numbers]
        return Conflict(detail, code="REPLAYED_NONCE", gesture_id=used_by, taps=told)
    if stored:
        told = [replayed_tap(bet) for _, bet in sorted(stored.items())]
        return Conflict(detail, code="REPLAYED_NONCE", gesture_id=used_by, taps=told)
    return Conflict(detail, code="REPLAYED_NONCE", bet=None, outcome=outcome, bet_id=used_by)


def _replayed_tap(gesture: CheckedGesture, number: int, stored: dict[int, Bet], missing: Missing) -> dict[str, Any]:
    bet = stored.get(number)
    if bet is not None:
        return replayed_tap(bet)
    # A cell that has closed by now was perhaps open when the gesture came first, and that one is not committed yet.
    if number in gesture.refused and (stored or isinstance(gesture.refused[number], Unprocessable)):
        return gesture.told_refused(number)
    return {"outcome": "unknown" if stored else missing, "bet_id": gesture.bet_id(number)}
