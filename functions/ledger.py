"""GET /api/ledger: one's own statement, as JSON or as a spreadsheet."""

from __future__ import annotations

from typing import Any

import msgspec

from runtime.auth.sessions import signed_in
from runtime.function import Call, Reply, function
from runtime.game.ids import first_id_at
from runtime.game.ledger import RefType
from runtime.game.player_entries import FIRST_ID, LAST_ID, entries_newest_first
from runtime.records.pages import PageQuery, Time, after_id
from runtime.records.spreadsheet import sheet_reply
from runtime.records.views import own_entry_view

CSV_FIELDS = ("id", "created_at", "ref_type", "ref_id", "amount", "balance_after")


class LedgerQuery(PageQuery, frozen=True, rename={"from_ms": "from", "to_ms": "to"}):
    """Filters of a statement."""

    ref_type: RefType | None = None
    ref_id: str | None = None
    from_ms: Time | None = None
    to_ms: Time | None = None


class Statement(msgspec.Struct, frozen=True):
    """A page of entries, newest first; amounts in cents, as the account gains them."""

    entries: list[dict[str, Any]]
    next_cursor: str | None


@function(
    "GET",
    "/api/ledger",
    auth="session",
    limits=("requests",),
    summary="Own statement",
    query=LedgerQuery,
    response=Statement,
)
def ledger(call: Call[None]) -> Statement | Reply:
    """List the account's ledger entries; `Accept: text/csv` gives the page as a spreadsheet."""
    query: LedgerQuery = call.params
    found = entries_newest_first(
        call.parts.pool.execute,
        signed_in(call.session).user_id,
        FIRST_ID if query.from_ms is None else first_id_at(query.from_ms),
        min(after_id(query.cursor), LAST_ID if query.to_ms is None else first_id_at(query.to_ms)),
        limit=query.limit + 1,
        ref_type=query.ref_type,
        ref_id=query.ref_id,
    )
    entries = [own_entry_view(entry) for entry in found]
    more = entries[query.limit - 1]["id"] if len(entries) > query.limit else None
    page = entries[: query.limit]
    if call.preferred_type("application/json", "text/csv") == "text/csv":
        return sheet_reply(CSV_FIELDS, page, more)
    return Statement(page, more)
