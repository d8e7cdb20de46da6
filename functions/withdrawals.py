"""POST and GET /api/withdrawals: take money out, to the account's own wallet only."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Annotated, Any

import msgspec
from msgspec.structs import replace

from runtime.auth.bet_text import withdraw_text
from runtime.auth.chains import find_chain
from runtime.auth.nonces import NONCE_RULE, NonceField, is_nonce
from runtime.auth.sessions import Session, signed_in
from runtime.auth.signatures import SignatureField, parse_signature, read_signature, signature_text
from runtime.auth.windows import before_memory, check_time
from runtime.betting.idempotency import IDEMPOTENCY_KEY, idempotency_of, stored_answer
from runtime.errors import Conflict, Forbidden, InvalidRequest, InvalidSignature
from runtime.function import Body, Call, function
from runtime.messaging.commands import COMMAND_TTL_MS, Withdraw
from runtime.messaging.outcomes import data_of
from runtime.messaging.queues import claim_nonce, new_id
from runtime.records.pages import IdPage, after_id
from runtime.records.queries import QUERIES
from runtime.records.withdrawals import WithdrawalView, withdrawal_view

ROUTE = "POST /api/withdrawals"


class WithdrawBody(Body, frozen=True):
    """How much to take out, signed by the wallet itself; a session key cannot move money out."""

    amount: Annotated[int, msgspec.Meta(gt=0, le=10**12, description="how much to take out")]
    nonce: NonceField
    timestamp: Annotated[int, msgspec.Meta(ge=0, le=10**12, description="Unix seconds of signing")]
    signature: SignatureField


class Withdrawn(msgspec.Struct, frozen=True):
    """The withdrawal, and the balance that it left when it was committed."""

    withdrawal: WithdrawalView
    balance: int | None


class WithdrawalList(msgspec.Struct, frozen=True):
    """A page of withdrawals."""

    withdrawals: list[WithdrawalView]
    next_cursor: str | None


@function(
    "POST",
    "/api/withdrawals",
    auth="session",
    limits=("requests",),
    limits_by_handler=("withdrawals",),
    refusals="refusals",
    summary="Withdraw to the account's own wallet",
    body=WithdrawBody,
    headers=(IDEMPOTENCY_KEY,),
    response=Withdrawn,
    status=201,
    errors=(
        "FORBIDDEN",
        "INVALID_SIGNATURE",
        "CONTRACT_WALLET",
        "SIGNATURE_EXPIRED",
        "REPLAYED_NONCE",
        "INSUFFICIENT_FUNDS",
        "WITHDRAWAL_TOO_SMALL",
        "WITHDRAWALS_PENDING",
        "IDEMPOTENCY_KEY_REUSED",
        "UNAVAILABLE",
    ),
)
def withdraw(call: Call[WithdrawBody]) -> Withdrawn:
    """Take the money at once; the withdrawal is pending until an operator completes or reverses it."""
    session, body, parts = signed_in(call.session), call.body, call.parts
    if session.is_guest:
        raise Forbidden("A guest cannot withdraw: there is no wallet to pay to. Give the account to a wallet first.")
    key = idempotency_of(call.header("Idempotency-Key"), ROUTE, _spelled_once(body))
    # A repeat is answered before time and nonce are looked at: both have passed by then, and rightly so.
    repeated = stored_answer(parts.pool, session.user_id, key, call.received_ms)
    if repeated is not None:
        return _withdrawn(repeated.data)
    signature = _checked_signature(body, session, parts.settings.chain_ids, call.received_ms)
    call.accept()
    call.count(("withdrawals", session.wallet))
    withdrawal_id = new_id(call.received_ms)
    code, used_by = claim_nonce(
        parts.redis, session.nonce_address, body.nonce, withdrawal_id, body.timestamp, call.received_ms
    )
    if code == "EPOCH":
        raise before_memory("The withdrawal", used_by, call.received_ms)
    if code:
        raise Conflict("The nonce was used before.", code="REPLAYED_NONCE", used_by=used_by)
    command = Withdraw(
        id=withdrawal_id,
        received_ms=call.received_ms,
        decided_by_ms=call.received_ms + COMMAND_TTL_MS,
        user_id=session.user_id,
        amount=body.amount,
        nonce=body.nonce,
        signed_at_s=body.timestamp,
        signature=signature,
        idempotency=key,
    )
    late = "The withdrawal was not confirmed in time; look at GET /api/withdrawals."
    return _withdrawn(data_of(parts.outbox.submit(command), late))


def _withdrawn(data: dict[str, Any]) -> Withdrawn:
    return Withdrawn(withdrawal_view(data["withdrawal"]), data.get("balance"))


def _spelled_once(body: WithdrawBody) -> WithdrawBody:
    """Return the body with its signature in the one form, so that a repeat may spell it otherwise."""
    signature = parse_signature(body.signature)
    return body if signature is None else replace(body, signature=signature_text(signature))


def _checked_signature(body: WithdrawBody, session: Session, chain_ids: Sequence[int], now_ms: int) -> str:
    """Return the wallet's signature in its one form; raise the refusal that says what is wrong."""
    if not is_nonce(body.nonce):
        raise InvalidRequest(f"The nonce is refused: {NONCE_RULE}.", field="nonce")
    check_time("The timestamp", body.timestamp * 1000, now_ms)
    signature = read_signature(body.signature)
    text_on = partial(withdraw_text, body.amount, body.nonce, body.timestamp)
    if find_chain(text_on, chain_ids, signature, (session.wallet,)) is None:
        raise InvalidSignature("A withdrawal needs the signature of the account's own wallet.")
    return signature_text(signature)


@function(
    "GET",
    "/api/withdrawals",
    auth="session",
    limits=("requests",),
    summary="Own withdrawals",
    query=IdPage,
    response=WithdrawalList,
)
def list_withdrawals(call: Call[None]) -> WithdrawalList:
    """List the account's withdrawals, newest first."""
    query: IdPage = call.params
    rows = call.parts.pool.rows(
        QUERIES["withdrawals_of_user"],
        (signed_in(call.session).user_id, after_id(query.cursor), query.limit + 1),
    )
    more = rows[query.limit - 1]["id"] if len(rows) > query.limit else None
    return WithdrawalList([withdrawal_view(row) for row in rows[: query.limit]], more)
