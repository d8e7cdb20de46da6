"""A commit on PostgreSQL: balances move in memory, and what has come of them is written together with all other rows.

The rules are those of runtime/game/ledger.py, to the cent and to the byte. A statement a bet would take seven times as
long: each costs a round trip.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection
from typing import Any

from runtime.game.bets import Bet
from runtime.game.chain import Header, marks
from runtime.game.gestures import Gesture
from runtime.game.ids import entry_id
from runtime.game.ledger import Commit, LedgerBroken, Move
from runtime.game.rows import Pricings, kind_code, status_code
from runtime.postgresql.arrays import numbers, texts
from runtime.postgresql.translation import OWN

BLIND = frozenset({"bets_by_id", "bets_on_cells", "bets_among", "finish_column", "set_open_from", "save_bucket"})
"""Statements of the ledger that see no balance and no entry, so that none needs to be written before them."""


ENTRY_ARRAYS: tuple[Callable[[Any], str], ...] = (
    texts,
    numbers,
    numbers,
    numbers,
    numbers,
    texts,
    texts,
    numbers,
    texts,
    numbers,
)
"""How the columns of `insert_entries` are written, and those of `insert_bets`."""
BET_ARRAYS: tuple[Callable[[Any], str], ...] = (
    *(numbers, texts, numbers, texts, texts, numbers, numbers, numbers, texts, texts),
    *(texts, numbers, numbers, numbers, numbers, texts, numbers, texts, texts, texts),
    *(numbers, numbers, numbers, numbers, numbers, numbers, numbers, numbers, numbers),
)


class _Account:
    """What an account holds and how often that has moved: as it was read, and as it is by now."""

    __slots__ = ("balance", "entry", "read_balance", "read_version", "version")

    def __init__(self, balance: int, version: int) -> None:
        self.balance = self.read_balance = balance
        self.version = self.read_version = version
        self.entry = ""


def _entry_row(entry: tuple[Any, ...], user: int, number: int, previous_id: str | None) -> tuple[Any, ...]:
    """Return the columns of `insert_entries`."""
    new_id, _, amount, balance_after, kind, ref_id, metadata, _, _, position = entry
    kept = None if metadata == "{}" else metadata
    return (new_id, user, amount, balance_after, kind_code(kind), ref_id, kept, number, previous_id, position)


def _bet_row(bet: Bet, pricing: int, user: int | None) -> tuple[Any, ...]:
    """Return the columns of `insert_bets`, of a bet that has just been judged."""
    at_ms = bet.placed_at
    return (
        bet.seq,
        bet.id,
        user,
        bet.user_id,
        None if bet.cell_id == f"{bet.column_start_s}_{bet.low_cents}_{bet.high_cents}" else bet.cell_id,
        bet.amount,
        bet.reward_rate,
        status_code(bet.status),
        bet.refusal_code,
        bet.refusal_detail,
        bet.refusal_arguments,
        bet.column_start_s,
        bet.low_cents,
        bet.high_cents,
        bet.min_rate_bp,
        bet.nonce,
        bet.signed_at_s - at_ms // 1000,
        bet.signature,
        bet.signer,
        bet.delegation_id,
        bet.received_ms - at_ms,
        bet.decided_by_ms - at_ms,
        None if bet.tick_id is None else bet.tick_id - at_ms,
        bet.tick_close,
        bet.volatility,
        pricing,
        None if bet.model_now_ms is None else bet.model_now_ms - at_ms,
        bet.placed_place,
        bet.fill_delay_ms,
    )


class PostgresCommit(Commit):
    """The rows of one commit, written with a few statements whatever their number."""

    _entry_row = staticmethod(_entry_row)
    forgets = False

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self._accounts: dict[int, _Account] = {}
        self._moved: dict[int, _Account] = {}
        """Those whose balances are to be written."""

    def meet(self, user_ids: Collection[str]) -> dict[str, tuple[int, str | None]]:
        """Read the players whose balances are about to move, all at once; return who is known by now."""
        unmet = [user_id for user_id in user_ids if user_id not in self._players]
        if unmet:
            rows = self.connection.execute(OWN["players"], (json.dumps(unmet),))
            for user_id, user, last_entry_id, balance, version in rows:
                self._players[user_id] = (user, last_entry_id)
                self._accounts[user] = _Account(balance, version)
        return self._players

    def write(self, statement: str, *params: Any) -> list[tuple[Any, ...]]:
        """Run one named statement; it sees every balance as it is by now."""
        if self._moved and statement not in BLIND:
            self.write_entries()
        return super().write(statement, *params)

    def _move(self, user_id: str, amount: int, position: int) -> Move | None:
        met = self._players.get(user_id) or self.meet((user_id,)).get(user_id)
        if met is None or amount == 0:
            return None
        user, previous_id = met
        account = self._accounts[user]
        if amount < 0 and account.balance < -amount:
            return None
        account.balance += amount
        account.version += 1
        account.entry = entry_id(self.now_ms, self.number, position)
        self._moved[user] = account
        self._players[user_id] = (user, account.entry)
        return Move(account.entry, position, user, account.balance, account.version, previous_id)

    def insert_gesture(self, gesture: Gesture, position: int) -> None:
        """Write what the bets of a gesture share, right before the first of them."""
        content = (gesture.id, gesture.taps, gesture.nonce, gesture.signature, self.number, position)
        self.write("insert_gesture", self.next_seq, *content)

    def write_entries(self) -> None:
        """Write the balances that have moved and the entries of that."""
        if self._moved:
            self._write_balances()
        if self._entries:
            columns, self._entries = [*zip(*self._entries, strict=True)], []
            written = [write(column) for write, column in zip(ENTRY_ARRAYS, columns, strict=True)]
            self.connection.execute(OWN["insert_entries"], (self.now_ms, self.number, *written))

    def _write_balances(self) -> None:
        """Move balances as they were read; whoever else moved one meanwhile would be seen, and nothing is written."""
        moved, self._moved = self._moved, {}
        accounts = moved.values()
        rows = self.connection.execute(
            OWN["move_balances"],
            (
                self.now_ms,
                numbers([*moved]),
                numbers([one.read_balance for one in accounts]),
                numbers([one.read_version for one in accounts]),
                numbers([one.balance for one in accounts]),
                numbers([one.version for one in accounts]),
                texts([one.entry for one in accounts]),
            ),
        )
        if len(rows) != len(moved):
            raise LedgerBroken(f"of {len(moved)} balances {len(rows)} were as they had been read")
        for one in accounts:
            one.read_balance, one.read_version = one.balance, one.version

    def _write_bets(self) -> None:
        pricings, players = Pricings(self.connection.execute), self._players
        rows = [_bet_row(bet, pricings.of(bet), players.get(bet.user_id, (None,))[0]) for bet in self._bets]
        written = [write(column) for write, column in zip(BET_ARRAYS, zip(*rows, strict=True), strict=True)]
        self.connection.execute(OWN["insert_bets"], (self.now_ms, self.number, *written))

    def _write_ends(self) -> None:
        statuses, _, payouts, _, positions, seqs = zip(*self._resolved, strict=True)
        params = (self.now_ms, self.number, numbers(seqs), numbers(statuses), numbers(payouts), numbers(positions))
        self.connection.execute(OWN["resolve_bets"], params)

    def _write_header(self, header: Header) -> None:
        row = (
            header.number,
            header.committed_ms,
            bytes.fromhex(header.previous_hash),
            bytes.fromhex(self.hash),
            header.records,
            header.house,
            header.first_bet_seq,
            header.last_bet_seq,
            header.first_entry,
            header.last_entry,
            bytes.fromhex(marks(self._records)),
        )
        self.write("insert_commit", *row)
