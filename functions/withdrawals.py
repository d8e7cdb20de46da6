"""POST and GET /api/withdrawals: take money out, to the account's own wallet only."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from runtime.auth.bet_text import is_nonce, is_timely, withdraw_text
from runtime.auth.sessions import Session, signed_in
from runtime.auth.signatures import recover_text
from runtime.betting.idempotency import idempotency_of, stored_answer
from runtime.clock import rfc3339
from runtime.errors import Conflict, InvalidRequest, InvalidSignature, SignatureExpired
from runtime.function import Body, Call, Reply, function
from runtime.messaging.commands import COMMAND_TTL_MS, Withdraw
from runtime.messaging.outcomes import data_of
from runtime.messaging.queues import claim_nonce, new_id
from runtime.records.pages import PageQuery, after_id

ROUTE = "POST /api/withdrawals"


class WithdrawBody(Body, frozen=True):
    """How much to take out, signed by the wallet itself; a session key cannot move money out."""

    amount: Annotated[int, msgspec.Meta(gt=0, le=10**12, description="cents")]
    nonce: Annotated[str, msgspec.Meta(max_length=64)]
    timestamp: Annotated[int, msgspec.Meta(ge=0, le=10**12, description="Unix seconds of signing")]
    signature: Annotated[str, msgspec.Meta(max_length=200)]


class WithdrawalList(msgspec.Struct, frozen=True):
    """A page of withdrawals."""

    withdrawals: list[dict[str, Any]]
    next_cursor: str | None


@function(
    "POST",
    "/api/withdrawals",
    auth="session",
    limit="requests",
    summary="Withdraw to the account's own wallet",
    body=WithdrawBody,
    response=dict[str, Any],
    status=201,
    errors=(
        "INVALID_SIGNATURE",
        "SIGNATURE_EXPIRED",
        "REPLAYED_NONCE",
        "INSUFFICIENT_FUNDS",
        "IDEMPOTENCY_KEY_REUSED",
        "UNAVAILABLE",
    ),
)
def withdraw(call: Call[WithdrawBody]) -> Reply:
    """Take the money at once; the withdrawal is pending until an operator completes or reverses it."""
    session, body, parts = signed_in(call.session), call.body, call.parts
    key = idempotency_of(call.header("Idempotency-Key"), ROUTE, body)
    # A repeat is answered before time and nonce are looked at: both have passed by then, and rightly so.
    repeated = stored_answer(parts.pool, session.user_id, key, call.received_ms)
    if repeated is not None:
        return Reply(repeated.data, status=201)
    _check_signature(body, session, parts.settings.chain_id, call.received_ms)
    withdrawal_id = new_id(call.received_ms)
    verdict, used_by = claim_nonce(
        parts.redis, session.wallet, body.nonce, withdrawal_id, body.timestamp, call.received_ms
    )
    if verdict == "EPOCH":
        raise SignatureExpired("The withdrawal was signed before the server's memory of nonces began.")
    if verdict:
        raise Conflict("The nonce was used before.", code="REPLAYED_NONCE", used_by=used_by)
    command = Withdraw(
        id=withdrawal_id,
        received_ms=call.received_ms,
        decided_by_ms=call.received_ms + COMMAND_TTL_MS,
        user_id=session.user_id,
        amount=body.amount,
        nonce=body.nonce,
        signed_at_s=body.timestamp,
        signature=body.signature,
        idempotency=key,
    )
    late = "The withdrawal was not confirmed in time; look at GET /api/withdrawals."
    return Reply(data_of(parts.outbox.submit(command), late), status=201)


def _check_signature(body: WithdrawBody, session: Session, chain_id: int, now_ms: int) -> None:
    if not is_nonce(body.nonce):
        raise InvalidRequest("The nonce must be 8 to 64 letters and digits.", field="nonce")
    if not is_timely(body.timestamp, now_ms):
        raise SignatureExpired("The timestamp lies more than 30 s from now.", server_time_ms=now_ms)
    text = withdraw_text(body.amount, body.nonce, body.timestamp, chain_id)
    if recover_text(text, body.signature) != session.wallet:
        raise InvalidSignature("A withdrawal needs the signature of the account's own wallet.")


@function(
    "GET",
    "/api/withdrawals",
    auth="session",
    limit="requests",
    summary="Own withdrawals",
    query=PageQuery,
    response=WithdrawalList,
)
def list_withdrawals(call: Call[None]) -> WithdrawalList:
    """List the account's withdrawals, newest first."""
    query: PageQuery = call.params
    rows = call.parts.pool.rows(
        "SELECT id, amount, to_address, status, requested_at, resolved_at, reference FROM withdrawals"
        " WHERE user_id = ? AND id < ? ORDER BY id DESC LIMIT ?",
        (signed_in(call.session).user_id, after_id(query.cursor), query.limit + 1),
    )
    more = rows[query.limit - 1]["id"] if len(rows) > query.limit else None
    for row in rows:
        row["requested_at"] = rfc3339(row["requested_at"])
        row["resolved_at"] = None if row["resolved_at"] is None else rfc3339(row["resolved_at"])
    return WithdrawalList(rows[: query.limit], more)
