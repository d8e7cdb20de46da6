"""POST /api/processor/deposits: the door for payment processors, who credit accounts by signed requests."""

from __future__ import annotations

from typing import Annotated

import msgspec

from runtime.addresses import AddressError, canonical_address, to_checksum_address
from runtime.auth.processors import SIGNATURE_HEADER, TIMESTAMP_DIGITS_MAX, TIMESTAMP_HEADER, check_processor
from runtime.errors import Forbidden, InvalidRequest, NotFound
from runtime.function import Body, Call, Header, function
from runtime.game.ledger import SQL
from runtime.game.shards import shard_of
from runtime.messaging.commands import COMMAND_TTL_MS, Deposit
from runtime.messaging.outcomes import data_of
from runtime.messaging.queues import new_id
from runtime.storage.read_pool import ReadPool


class ProcessorDeposit(Body, frozen=True):
    """What came in, for whom: the wallet or the user id, not both."""

    amount: Annotated[int, msgspec.Meta(gt=0, le=10**12, description="how much came in")]
    reference: Annotated[
        str, msgspec.Meta(min_length=1, max_length=200, description="the processor's own id of the payment, used once")
    ]
    wallet: Annotated[str, msgspec.Meta(max_length=42)] | None = None
    user_id: Annotated[str, msgspec.Meta(max_length=26)] | None = None


class Credited(msgspec.Struct, frozen=True):
    """The ledger entry of a deposit, the same however often it is asked for."""

    ledger_id: str
    user_id: str
    wallet_address: str
    amount: int
    balance: int
    reference: str


HEADERS = (
    Header(
        TIMESTAMP_HEADER,
        "Unix seconds of signing.",
        Annotated[str, msgspec.Meta(min_length=1, max_length=TIMESTAMP_DIGITS_MAX, pattern="^[0-9]+$")],
        required=True,
    ),
    Header(
        SIGNATURE_HEADER,
        "HMAC-SHA256 over method, path, time and body, in hex.",
        Annotated[str, msgspec.Meta(min_length=64, max_length=64, pattern="^[0-9a-fA-F]+$")],
        required=True,
    ),
)


@function(
    "POST",
    "/api/processor/deposits",
    auth="none",
    limits=("requests",),
    refusals="refusals",
    summary="Credit a payment (payment processors)",
    body=ProcessorDeposit,
    headers=HEADERS,
    response=Credited,
    status=201,
    errors=(
        "FORBIDDEN",
        "LIMIT_REACHED",
        "DEPOSIT_LIMIT",
        "INVALID_SIGNATURE",
        "SIGNATURE_EXPIRED",
        "NOT_FOUND",
        "REFERENCE_USED",
        "UNAVAILABLE",
    ),
)
def processor_deposit(call: Call[ProcessorDeposit]) -> Credited:
    """Credit a payment once per reference; a repeat gets the first answer, another amount or account is a 409.

    `LIMIT_REACHED` says that the player's own limits refuse it: give the payment back.

    `X-Taptrade-Timestamp` are Unix seconds, at most 30 s behind or ahead of the server's clock; `X-Taptrade-Signature`
    is the HMAC-SHA256, in hex, of `POST\\n/api/processor/deposits\\n{timestamp}\\n` and the body, with the key that
    operator and processor share.
    """
    parts, body = call.parts, call.body
    if not parts.settings.processor_secret:
        raise Forbidden("No payment processor is set up here.")
    check_processor(
        parts.settings.processor_secret,
        call.req.method,
        call.req.path,
        call.header(TIMESTAMP_HEADER),
        call.header(SIGNATURE_HEADER),
        call.raw_body,
        call.received_ms,
    )
    call.accept()
    user_id, wallet = _account(parts.pool, body)
    command = Deposit(
        id=new_id(call.received_ms),
        received_ms=call.received_ms,
        decided_by_ms=call.received_ms + COMMAND_TTL_MS,
        user_id=user_id,
        amount=body.amount,
        reference=body.reference,
        who="payment processor",
        why="payment received",
    )
    late = "The deposit was not confirmed in time; send it again with the same reference."
    ((seq,),) = parts.pool.execute(SQL["user_seq"], (user_id,))
    done = data_of(parts.submit_to(shard_of(seq), command), late)
    wallet_address = to_checksum_address(wallet)
    return Credited(done["ledger_id"], user_id, wallet_address, body.amount, done["balance"], body.reference)


def _account(pool: ReadPool, body: ProcessorDeposit) -> tuple[str, str]:
    if (body.wallet is None) == (body.user_id is None):
        raise InvalidRequest("Name the account by `wallet` or by `user_id`, one of them.", field="wallet")
    if not body.reference.isprintable() or body.reference != body.reference.strip():
        raise InvalidRequest("The reference must be printable, without spaces around it.", field="reference")
    if body.user_id is not None:
        found = [row[:2] for row in pool.execute(SQL["user"], (body.user_id,))]
    else:
        try:
            wallet = canonical_address(body.wallet or "")
        except AddressError as ex:
            raise InvalidRequest(f"This is no wallet: {ex}.", field="wallet") from ex
        found = [(row[0], wallet) for row in pool.execute(SQL["user_by_wallet"], (wallet,))]
    if not found:
        raise NotFound("There is no such account; one opens with the wallet's first login.")
    user_id, wallet_address = found[0]
    return user_id, wallet_address
