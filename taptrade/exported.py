"""Everything that is held about a player, section by section, read from the live database and the weeks that are here.

Bets and entries are read a page at a time, so that a long history takes no more memory than a short one.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from runtime.archive.weeks import week_named
from runtime.clock import rfc3339, rfc3339_if_any
from runtime.explanation.facts import find_gesture
from runtime.game.bets import Bet, from_row
from runtime.game.ledger import SQL, Entry, read_cut
from runtime.game.player_entries import FIRST_ID, LAST_ID, Execute, entries_newest_first
from runtime.game.statements import read_statements
from runtime.history.shelves import upto_of
from runtime.personal.seal import PERSONAL, about, key_of, opened, opened_bet
from runtime.storage.database import Database

EXPORTED = read_statements("taptrade", "exported.sql")
PAGE_ROWS = 500

Section = Iterator[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Span:
    """One database, and which of its rows count: those after one bet and entry, and up to others."""

    execute: Execute
    after_seq: int
    upto_seq: int
    after_entry: str
    upto_entry: str


def span_of(database: Database, *, is_week: bool) -> Span:
    """Return what counts of a database: each row does in one only."""
    after = read_cut(database.execute)
    if not is_week:
        return Span(database.execute, after.cut_seq, 2**62, after.cut_entry, LAST_ID)
    upto = upto_of(database.execute)
    return Span(database.execute, after.cut_seq, upto.cut_seq, after.cut_entry, upto.cut_entry)


class Exported:
    """A player's data; `spans` are the databases that hold bets and entries, newest first."""

    def __init__(self, live: Database, spans: Sequence[Span], user_id: str) -> None:
        self._live = live
        self._spans = spans
        self._user_id = user_id
        self._key = key_of(live.execute, user_id)

    def sections(self) -> dict[str, Section]:
        """Return the sections by name, each to be read once."""
        return {
            "account": self._account(),
            "logins": self._rows(
                EXPORTED["logins"], {"session_key": "session_key", "message": "login", "signature": "signed"}
            ),
            "limits": self._rows(EXPORTED["limits"], {}),
            "operations": self._rows(EXPORTED["operations"], {}),
            "withdrawals": self._rows(EXPORTED["withdrawals"], {"to_address": "to_address", "signature": "withdrawal"}),
            "bets": self._bets(),
            "entries": (_entry(entry) for span in self._spans for entry in self._entries(span)),
            "erasures": (
                {"user_id": user_id, "who": who, "why": why, "erased_at": rfc3339(ms)}
                for user_id, who, why, ms in self._live.execute(PERSONAL["erasure"], (self._user_id,))
            ),
        }

    def _account(self) -> Section:
        kinds = {
            "opened_by": "address",
            "opened_key": "guest_key",
            "guest_address": "address",
            "adopted_by": "address",
            "message": "adoption",
            "signature": "adopted",
        }
        for row in self._rows(EXPORTED["account"], kinds):
            yield {
                "id": row["id"],
                "balance_cents": row["balance"],
                "entries": row["version"],
                "created_at": row["created_at"],
                "wallet_address": row["adopted_by"] or row["opened_by"],
                "guest_key": row["opened_key"],
                "guest_address": row["guest_address"],
                "adopted_at": row["adopted_at"],
                "adoption_message": row["message"],
                "adoption_signature": row["signature"],
            }

    def _rows(self, sql: str, sealed: dict[str, str]) -> Section:
        """Yield the rows of a statement, opened, their times written out."""
        for row in self._live.dicts(sql, (self._user_id,)):
            for column, kind in sealed.items():
                row[column] = opened(row[column], self._key, about(kind, row["id"]))
            yield {column.removesuffix("_ms"): _shown(column, value) for column, value in row.items()}

    def _entries(self, span: Span) -> Iterator[Entry]:
        # No id lies between one and the text that is one character longer.
        first = f"{span.after_entry}0" if span.after_entry else FIRST_ID
        below = f"{span.upto_entry}0"
        while page := entries_newest_first(span.execute, self._user_id, first, below, limit=PAGE_ROWS):
            yield from page
            below = page[-1].id

    def _bets(self) -> Section:
        for span in self._spans:
            ids: list[str] = []
            for entry in self._entries(span):
                if entry.ref_type == "BET":
                    ids.append(entry.ref_id)
                if len(ids) == PAGE_ROWS:
                    yield from self._taken(span, ids)
                    ids = []
            yield from self._taken(span, ids)
            yield from self._refused(span)

    def _taken(self, span: Span, ids: list[str]) -> Section:
        rows = span.execute(SQL["bets_by_id"], (json.dumps(ids),)) if ids else []
        found = sorted(map(from_row, rows), key=lambda bet: -bet.seq)
        return (self._bet(span, bet) for bet in found)

    def _refused(self, span: Span) -> Section:
        below = span.upto_seq
        while rows := span.execute(EXPORTED["refused"], (self._user_id, span.after_seq, below, PAGE_ROWS)):
            for bet in map(from_row, rows):
                yield self._bet(span, bet)
                below = bet.seq - 1

    def _bet(self, span: Span, bet: Bet) -> dict[str, Any]:
        """Return a bet, with nonce and signature of its gesture if it was signed in one, and all taps of that."""
        shown, gesture = _bet(opened_bet(bet, self._key)), find_gesture(span.execute, bet, self._key)
        if gesture is None:
            return shown
        of_it = {"nonce": gesture.nonce, "signature": gesture.signature}
        return shown | of_it | {"gesture": gesture.id, "gesture_taps": gesture.lines()}


def missing_weeks(live: Database, here: Sequence[str], since_ms: int) -> list[str]:
    """Return the archived weeks that may hold something from after a time, and whose files are not here."""
    recorded = [week for (week,) in live.execute(EXPORTED["weeks"])]
    return [week for week in recorded if week not in here and week_named(week).end_ms >= since_ms]


def _shown(column: str, value: Any) -> Any:
    is_time = column.endswith(("_at", "_ms"))
    return rfc3339_if_any(value) if is_time else value


def _bet(bet: Bet) -> dict[str, Any]:
    return {
        "id": bet.id,
        "cell_id": bet.cell_id,
        "amount_cents": bet.amount,
        "reward_rate_bp": bet.reward_rate,
        "min_rate_bp": bet.min_rate_bp,
        "status": bet.status,
        "payout_cents": bet.payout_amount,
        "refusal_code": bet.refusal_code,
        "refusal_detail": bet.refusal_detail,
        "nonce": bet.nonce,
        "signed_at": rfc3339(bet.signed_at_s * 1000),
        "signature": bet.signature,
        "signer": bet.signer,
        "login": bet.delegation_id,
        "received_at": rfc3339(bet.received_ms),
        "placed_at": rfc3339(bet.placed_at),
        "resolved_at": rfc3339_if_any(bet.resolved_at),
        "price_cents": bet.tick_close,
        "placed_commit": bet.placed_commit,
        "resolved_commit": bet.resolved_commit,
    }


def _entry(entry: Entry) -> dict[str, Any]:
    return {
        "id": entry.id,
        "created_at": rfc3339(entry.created_at),
        "ref_type": entry.ref_type,
        "ref_id": entry.ref_id,
        "amount_cents": entry.amount,
        "balance_after_cents": entry.balance_after,
        "commit_number": entry.commit_number,
        "metadata": entry.metadata,
    }
