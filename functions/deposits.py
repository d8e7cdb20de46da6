"""POST and GET /api/deposits: play money in demo mode, and what came in."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from runtime.auth.sessions import signed_in
from runtime.betting.idempotency import IDEMPOTENCY_KEY, idempotency_of, stored_answer
from runtime.errors import Forbidden
from runtime.function import Body, Call, function
from runtime.game.player_entries import FIRST_ID, entries_newest_first, entries_picked_out
from runtime.messaging.commands import COMMAND_TTL_MS, Deposit
from runtime.messaging.outcomes import data_of
from runtime.messaging.queues import new_id
from runtime.records.pages import IdPage, after_id
from runtime.records.views import EntryView, entry_view
from runtime.storage.read_pool import ReadPool


class DepositBody(Body, frozen=True):
    """How much to add."""

    amount: Annotated[int, msgspec.Meta(gt=0, le=10**12, description="how much to add")]


class Deposited(msgspec.Struct, frozen=True):
    """The deposit as the list shows it, and what it left; `ledger_id` and `reference` are its `id` and `ref_id`."""

    deposit: EntryView | None
    """The ledger's entry; null where it cannot be read back yet."""
    ledger_id: str
    amount: int
    balance: int
    reference: str


class DepositList(msgspec.Struct, frozen=True):
    """A page of deposits."""

    deposits: list[EntryView]
    next_cursor: str | None


@function(
    "POST",
    "/api/deposits",
    auth="session",
    limits=("requests",),
    limits_by_handler=("deposits",),
    summary="Top up play money (demo mode)",
    body=DepositBody,
    headers=(IDEMPOTENCY_KEY,),
    response=Deposited,
    status=201,
    errors=(
        "FORBIDDEN",
        "LIMIT_REACHED",
        "DEPOSIT_LIMIT",
        "PLAYER_FORGOTTEN",
        "IDEMPOTENCY_KEY_REUSED",
        "UNAVAILABLE",
    ),
)
def deposit(call: Call[DepositBody]) -> Deposited:
    """Credit play money up to the cap; in live mode money comes from operators and payment processors."""
    settings, pool, session = call.parts.settings, call.parts.pool, signed_in(call.session)
    if settings.mode != "demo":
        raise Forbidden("Deposits are made by the operator in this mode.")
    key = idempotency_of(call.header("Idempotency-Key"), "POST /api/deposits", call.body)
    repeated = stored_answer(pool, session.user_id, key, call.received_ms)
    if repeated is not None:
        return _deposited(pool, session.user_id, repeated.data)
    call.count(("deposits", session.wallet))
    deposit_id = new_id(call.received_ms)
    command = Deposit(
        id=deposit_id,
        received_ms=call.received_ms,
        decided_by_ms=call.received_ms + COMMAND_TTL_MS,
        user_id=session.user_id,
        amount=call.body.amount,
        reference=deposit_id,
        who="player",
        why="demo top-up",
        balance_max_cents=settings.deposit_max_cents,
        idempotency=key,
    )
    late = "The deposit was not confirmed in time; repeat it with the same Idempotency-Key."
    return _deposited(pool, session.user_id, data_of(call.parts.outbox.submit(command), late))


def _deposited(pool: ReadPool, user_id: str, data: dict[str, Any]) -> Deposited:
    # No id lies between this one and the text that is one character longer.
    entry_id = data["ledger_id"]
    found = entries_newest_first(pool.execute, user_id, entry_id, f"{entry_id}0", limit=1)
    shown = entry_view(found[0]) if found else None
    # An answer that an older version stored for the key has no reference.
    reference = data.get("reference") or (shown.ref_id if shown else "")
    return Deposited(shown, entry_id, data["amount"], data["balance"], reference)


@function(
    "GET",
    "/api/deposits",
    auth="session",
    limits=("requests",),
    summary="Own deposits",
    query=IdPage,
    response=DepositList,
)
def list_deposits(call: Call[None]) -> DepositList:
    """List what was credited to the account, newest first.

    Some four thousand entries are looked at for a page: it may be short, even empty, while there is a next cursor.
    """
    query: IdPage = call.params
    user_id, span = signed_in(call.session).user_id, (FIRST_ID, after_id(query.cursor))
    found, goes_on_below = entries_picked_out(
        call.parts.pool.execute, user_id, span, query.limit + 1, ref_type="DEPOSIT", ref_id=None
    )
    entries = [entry_view(entry) for entry in found]
    more = entries[query.limit - 1].id if len(entries) > query.limit else goes_on_below
    return DepositList(entries[: query.limit], more)
