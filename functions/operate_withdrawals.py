"""GET /api/operate/withdrawals: what players want out. POST /complete and /reverse below one: end it."""

from __future__ import annotations

from typing import Literal

import msgspec

from runtime.auth.operators import operating
from runtime.errors import Conflict, NotFound
from runtime.function import Body, OperatorCall, function
from runtime.game.ids import ulid_ms
from runtime.messaging.commands import COMMAND_TTL_MS, CompleteWithdrawal, ReverseWithdrawal
from runtime.messaging.outcomes import data_of
from runtime.messaging.queues import new_id
from runtime.operating.withdrawals import Status, list_withdrawals, shard_of_withdrawal
from runtime.operating.words import PaymentReference, Why, reference_of, why_of
from runtime.records.pages import IdPage, Ulid, after_id
from runtime.records.withdrawals import OperatorsWithdrawal, operators_view

ERRORS = ("NOT_FOUND", "REFERENCE_USED", "WITHDRAWAL_RESOLVED", "UNAVAILABLE")


class WithdrawalsQuery(IdPage, frozen=True):
    """Which withdrawals, and after which one the page goes on."""

    status: Status | Literal["all"] = "pending"


class OperatorsList(msgspec.Struct, frozen=True):
    """A page of withdrawals, oldest first."""

    withdrawals: list[OperatorsWithdrawal]
    next_cursor: str | None


class Resolution(Body, frozen=True):
    """What ends a withdrawal: the payment or the decision by its reference, and why."""

    reference: PaymentReference
    why: Why


class Resolved(msgspec.Struct, frozen=True):
    """The withdrawal as it stands now."""

    withdrawal: OperatorsWithdrawal


@function(
    "GET",
    "/api/operate/withdrawals",
    auth="operator",
    limits=("requests",),
    summary="Withdrawals of all accounts",
    query=WithdrawalsQuery,
    response=OperatorsList,
)
def operators_withdrawals(call: OperatorCall[None]) -> OperatorsList:
    """List them as `taptrade withdrawal list` does, those that wait longest first."""
    query: WithdrawalsQuery = call.params
    after = after_id(query.cursor) if query.cursor else None
    status = None if query.status == "all" else query.status
    found = list_withdrawals(call.parts.pool.rows, status=status, limit=query.limit + 1, after_id=after)
    more = found[query.limit - 1].id if len(found) > query.limit else None
    return OperatorsList(found[: query.limit], more)


@function(
    "POST",
    "/api/operate/withdrawals/{withdrawal_id}/complete",
    auth="operator",
    limits=("requests",),
    path={"withdrawal_id": Ulid},
    summary="Record that a withdrawal was paid out",
    body=Resolution,
    response=Resolved,
    errors=ERRORS,
)
def complete_withdrawal(call: OperatorCall[Resolution]) -> Resolved:
    """Complete it; its money was taken when the player asked. A repeat with the same reference happens once."""
    return _resolve(call, CompleteWithdrawal)


@function(
    "POST",
    "/api/operate/withdrawals/{withdrawal_id}/reverse",
    auth="operator",
    limits=("requests",),
    path={"withdrawal_id": Ulid},
    summary="Give the money of a withdrawal back",
    body=Resolution,
    response=Resolved,
    errors=ERRORS,
)
def reverse_withdrawal(call: OperatorCall[Resolution]) -> Resolved:
    """Reverse it; the money is back on the account. A repeat with the same reference happens once."""
    return _resolve(call, ReverseWithdrawal)


def _resolve(call: OperatorCall[Resolution], kind: type[CompleteWithdrawal | ReverseWithdrawal]) -> Resolved:
    withdrawal_id, now_ms = call.path["withdrawal_id"], call.received_ms
    if ulid_ms(withdrawal_id) is None:
        raise NotFound("There is no such withdrawal.")
    command = kind(
        id=new_id(now_ms),
        received_ms=now_ms,
        decided_by_ms=now_ms + COMMAND_TTL_MS,
        withdrawal_id=withdrawal_id,
        who=operating(call.session).who,
        why=why_of(call.body.why),
        reference=reference_of(call.body.reference),
    )
    late = "It was not confirmed in time; repeat it with the same reference, which happens once only."
    shard = shard_of_withdrawal(call.parts.pool.execute, withdrawal_id)
    outcome = call.parts.submit_to(shard, command)
    if outcome is not None and outcome.code == "WITHDRAWAL_RESOLVED":
        raise Conflict(outcome.detail, code=outcome.code, withdrawal=operators_view(outcome.data["withdrawal"]))
    return Resolved(operators_view(data_of(outcome, late)["withdrawal"]))
