"""GET /api/ledger: one's own statement, as JSON or as a spreadsheet."""

from __future__ import annotations

from typing import Any

import msgspec

from runtime.auth.sessions import signed_in
from runtime.function import Call, Reply, function
from runtime.game.ledger import RefType
from runtime.records.pages import IdPage, Time, after_id
from runtime.records.spreadsheet import sheet_reply
from runtime.records.views import EntryView, entry_view

CSV_FIELDS = ("id", "created_at", "ref_type", "ref_id", "amount_cents", "balance_after_cents")


class LedgerQuery(IdPage, frozen=True, rename={"from_ms": "from", "to_ms": "to"}):
    """Filters of a statement."""

    ref_type: RefType | None = None
    ref_id: str | None = None
    from_ms: Time | None = None
    to_ms: Time | None = None


class Statement(msgspec.Struct, frozen=True):
    """A page of entries, newest first; amounts in cents, as the account gains them."""

    entries: list[EntryView]
    next_cursor: str | None


@function(
    "GET",
    "/api/ledger",
    auth="session",
    limits=("requests",),
    summary="Own statement",
    query=LedgerQuery,
    response=Statement,
    instead=("text/csv",),
    errors=("ARCHIVED",),
)
def ledger(call: Call[None]) -> Statement | Reply:
    """List the account's ledger entries; `Accept: text/csv` gives the page as a spreadsheet.

    With a filter, some four thousand entries are looked at for a page: it may be short, even empty, while there is a
    next cursor.
    """
    query: LedgerQuery = call.params
    user_id, span = signed_in(call.session).user_id, (query.from_ms, query.to_ms)
    below_id = after_id(query.cursor)
    found = call.parts.past.entries(user_id, span, below_id, query.limit, query.ref_type, query.ref_id)
    page = [entry_view(entry) for entry in found.rows]
    more = found.next_cursor(lambda entry: entry.id, lambda cut: cut.cut_entry)
    if call.preferred_type("application/json", "text/csv") == "text/csv":
        return sheet_reply(CSV_FIELDS, map(_row, page), more)
    return Statement(page, more)


def _row(entry: EntryView) -> dict[str, Any]:
    """Return an entry as a line, whose head says what the numbers count."""
    return msgspec.structs.asdict(entry) | {"amount_cents": entry.amount, "balance_after_cents": entry.balance_after}
