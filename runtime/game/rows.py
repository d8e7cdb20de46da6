"""How the rows of bets and entries are stored: without what follows from the rest, and digits as bytes.

The views `bets` and `transaction_ledger` show them as they were, and as the hash chain covers them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from runtime.game.bets import STATUSES, Bet, Status
from runtime.game.chain import Header
from runtime.game.gestures import Gesture
from runtime.game.ids import entry_key, entry_position, ulid_key
from runtime.game.statements import read_statements

ROWS = read_statements("runtime.game", "rows.sql")
KINDS = ("BET", "PAYOUT", "REFUND", "DEPOSIT", "WITHDRAWAL", "WITHDRAWAL_REVERSAL", "ADJUSTMENT")
"""The kinds of entries; the rows hold their numbers, from 0 on."""
SEALED = "sealed:"
"""What sealed texts begin with (runtime/personal/seal.py); the rows of bets hold the bytes that follow."""
SIGNATURE_BYTES_MAX, SIGNER_BYTES_MAX = 65, 20
"""Bytes that are more are sealed ones: so the view shows them."""
NOT_HERE = "not-stored-here:"
PRICING_BETS = 10_000
"""No bet names a pricing that is so many rows before it: pricings go with the bets that an archive takes."""

_STATUS_CODES: dict[Status, int] = {status: code for code, status in enumerate(STATUSES)}
_KIND_CODES = {kind: code for code, kind in enumerate(KINDS)}

Execute = Callable[[str, Sequence[Any]], list[tuple[Any, ...]]]


class Connection(Protocol):
    """What the ledger needs of a database."""

    def execute(self, sql: str, params: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run a statement and return all its rows."""
        ...

    def execute_many(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        """Run a statement for each of `rows`."""
        ...


class LedgerBroken(Exception):
    """The database is not in the state that the rules leave behind; nothing may be written."""


def status_code(status: Status) -> int:
    """Return the number of a bet's status."""
    return _STATUS_CODES[status]


def kind_code(kind: str | None) -> int | None:
    """Return the number of a kind of entries."""
    return None if kind is None else _KIND_CODES[kind]


def bytes_of(text: str, prefix: str = "") -> bytes | str:
    """Return the bytes of hexadecimal digits after a prefix; a text that these do not give back stays a text."""
    try:
        found = bytes.fromhex(text[len(prefix) :])
    except ValueError:
        return text
    return found if prefix + found.hex() == text else text


def packed(text: str, bytes_max: int) -> bytes | str:
    """Return the bytes of a text that is sealed or digits, if their number tells which; else the text."""
    prefix = SEALED if text.startswith(SEALED) else "0x"
    found = bytes_of(text, prefix)
    tells = isinstance(found, bytes) and (len(found) > bytes_max) == (prefix == SEALED)
    return found if tells else text


def nobody(user_id: str) -> str:
    """Return what stands for the wallet of an account that is found by its id only."""
    return NOT_HERE + user_id.lower()


def is_nobody(wallet: str) -> bool:
    """Tell whether that is what an account has for a wallet: its player was forgotten, or this is a week's file."""
    return wallet.startswith(NOT_HERE)


class Pricings:
    """What the bets of a transaction were priced by: known by the rows that say so."""

    def __init__(self, execute: Execute) -> None:
        self._execute = execute
        self._known: dict[tuple[str | None, str | None, str | None], int] = {}

    def of(self, bet: Bet) -> int:
        """Return the number of what a bet was priced by; it is written if no bet shortly before was."""
        content = (bet.model_id, bet.model_version, bet.features)
        number = self._known.get(content, -PRICING_BETS)
        if number <= bet.seq - PRICING_BETS:
            rows = self._execute(ROWS["pricing"], (bet.seq - PRICING_BETS, *content))
            if not rows:
                self._execute(ROWS["insert_pricing"], (bet.seq, *content))
            number = self._known[content] = rows[0][0] if rows else bet.seq
        return number


def kept_cell_id(bet: Bet) -> str | None:
    """Return a bet's cell as it was asked for, None where the bounds that are stored beside it tell it."""
    return None if bet.cell_id == f"{bet.column_start_s}_{bet.low_cents}_{bet.high_cents}" else bet.cell_id


def bet_row(
    bet: Bet, pricing: int, user: int | None, login: int | None = None, key: str | None = None
) -> tuple[Any, ...]:
    """Return the parameters of `insert_bet`, with the numbers of its player and of its login, and the login's key."""
    at_ms, signer = bet.placed_at, bet.signer
    return (
        bet.seq,
        ulid_key(bet.id),
        user,
        kept_cell_id(bet),
        bet.amount,
        bet.reward_rate,
        _STATUS_CODES[bet.status],
        at_ms,
        None if bet.resolved_at is None else bet.resolved_at - at_ms,
        bet.payout_amount,
        bet.refusal_code,
        bet.refusal_detail,
        bet.refusal_arguments,
        bet.column_start_s,
        bet.low_cents,
        bet.high_cents,
        bet.min_rate_bp,
        bytes_of(bet.nonce),
        bet.signed_at_s - at_ms // 1000,
        packed(bet.signature, SIGNATURE_BYTES_MAX),
        None if signer == key else signer if bet.delegation_id else packed(signer, SIGNER_BYTES_MAX),
        login,
        bet.received_ms - at_ms,
        bet.decided_by_ms - at_ms,
        None if bet.tick_id is None else bet.tick_id - at_ms,
        bet.tick_close,
        bet.volatility,
        pricing,
        None if bet.model_now_ms is None else bet.model_now_ms - at_ms,
        bet.placed_commit,
        bet.placed_place,
        bet.resolved_commit,
        bet.resolved_place,
        bet.fill_delay_ms,
    )


def entry_row(entry: tuple[Any, ...], user: int, number: int, previous_id: str | None) -> tuple[Any, ...]:
    """Return the parameters of `insert_entry`, of an entry's fields, its player's number and its link."""
    _, _, amount, balance_after, kind, ref_id, metadata, created_ms, commit, position = entry
    return (
        entry_key(created_ms, commit, position),
        user,
        amount,
        balance_after,
        _KIND_CODES[kind],
        ulid_key(ref_id),
        None if metadata == "{}" else metadata,
        number,
        ulid_key(previous_id),
    )


def gesture_row(seq: int, gesture: Gesture, commit: int, position: int) -> tuple[Any, ...]:
    """Return the parameters of `insert_gesture`; `seq` is the row number of its first bet."""
    signature = packed(gesture.signature, SIGNATURE_BYTES_MAX)
    return (seq, ulid_key(gesture.id), gesture.taps, bytes_of(gesture.nonce), signature, commit, position)


def _position_of(entry_id: str | None) -> int | None:
    key = ulid_key(entry_id)
    return entry_position(key) if isinstance(key, bytes) else None


def commit_row(
    header: Header, commit_hash: str, marks: str, entry: Callable[[str | None], Any] = _position_of
) -> tuple[Any, ...]:
    """Return the parameters of `insert_commit`; `entry` makes of an entry's id what is stored of it."""
    return (
        header.number,
        header.committed_ms,
        bytes.fromhex(header.previous_hash),
        bytes.fromhex(commit_hash),
        header.records,
        header.house,
        header.first_bet_seq,
        header.last_bet_seq,
        entry(header.first_entry),
        entry(header.last_entry),
        bytes.fromhex(marks),
    )
