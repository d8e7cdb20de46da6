"""The ledger: one commit of balances, entries and bets, written as a whole or not at all.

A commit numbers the rows that it writes: their positions. Commit number and position order all events, and the commit's
hash covers every row in that order. The caller opens the transaction, decides, writes here, calls `close`, and commits.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Sequence
from typing import Any, Literal, NamedTuple

from runtime.game import chain
from runtime.game.bets import Bet, Status, placed_content
from runtime.game.columns import Column
from runtime.game.cuts import Cut
from runtime.game.gestures import Gesture
from runtime.game.ids import entry_id
from runtime.game.row_numbers import Numbered, RowNumbers
from runtime.game.rows import (
    ROWS,
    Connection,
    LedgerBroken,
    commit_row,
    entry_row,
    gesture_row,
    status_code,
)
from runtime.game.statements import read_statements

RefType = Literal["BET", "PAYOUT", "REFUND", "DEPOSIT", "WITHDRAWAL", "WITHDRAWAL_REVERSAL", "ADJUSTMENT"]


SQL = read_statements("runtime.game", "ledger.sql")


def read_cut(execute: Callable[[str, Sequence[Any]], Sequence[tuple[Any, ...]]]) -> Cut:
    """Return where a database begins."""
    return Cut(*execute(SQL["cut"], ())[0])


class Entry(NamedTuple):
    """One ledger row, the fields as in ENTRY_COLUMNS; `amount` is what the player gains (negative: pays), in cents."""

    id: str
    user_id: str
    amount: int
    balance_after: int
    ref_type: RefType
    ref_id: str
    metadata: str
    created_at: int
    commit_number: int
    position: int


class Move(NamedTuple):
    """A balance that has changed, and the entry that this change must get."""

    entry_id: str
    position: int
    user: int
    """The player's number, which stands for them in the rows."""
    balance_after: int
    number: int
    previous_id: str | None


class CommitEvent(NamedTuple):
    """What a commit tells one user, or everybody: a bet, a balance (as its entry) or a column; at a row's position."""

    position: int
    user_id: str | None
    content: Bet | Entry | Column


class Commit:
    """The rows of one commit, collected in order of position, and written as SQLite takes them."""

    _entry_row = staticmethod(entry_row)
    forgets = True  # what is overwritten is gone, as it must be where a player is forgotten
    foresee: Callable[..., Any] | None = None  # where each statement costs a round trip

    def __init__(
        self,
        connection: Connection,
        number: int,
        previous_hash: str,
        now_ms: int,
        next_seq: int,
        encode: chain.Encode = chain.encode,
        numbers: RowNumbers | None = None,
    ) -> None:
        """`numbers` are those that are known by heart; whoever rolls back clears them."""
        self.connection = connection
        self._encode = encode
        self.number, self.now_ms = number, now_ms
        self.next_seq = next_seq
        self.hash = previous_hash
        self.events: list[CommitEvent] = []
        self._previous_hash = previous_hash
        self._records: list[bytes] = []
        self._house: dict[str, int] = {}
        self._entries, self._entry_positions = list[tuple[Any, ...]](), list[int]()
        self._bets: list[Bet] = []
        self._numbers = numbers or RowNumbers()
        self._players = self._numbers.players
        self._resolved: list[tuple[Any, ...]] = []
        self._live: dict[tuple[str, str], Bet] = {}

    @property
    def is_empty(self) -> bool:
        """Tell whether nothing was written."""
        return not self._records

    @property
    def position(self) -> int:
        """The position that the next row gets."""
        return len(self._records)

    def meet(self, user_ids: Collection[str]) -> dict[str, Numbered]:
        """Read those whose balances are about to move, together: a third of the time; return who is known by now."""
        return self._numbers.meet(self.connection.execute, user_ids)

    def bets_on_cells(self, wanted: Sequence[tuple[Sequence[int], str]]) -> list[tuple[Any, ...]]:
        """Return the bets taken on cells by users, of those that were committed."""
        met = self.meet({user_id for _, user_id in wanted})
        return self.write("bets_on_cells", json.dumps([(*cell, met[user][0]) for cell, user in wanted if user in met]))

    def live_bet(self, cell_id: str, user_id: str) -> Bet | None:
        """Return the user's bet on the cell among those that `close` will write: a query does not see them yet."""
        return self._live.get((cell_id, user_id))

    def record(self, kind: str, *content: Any) -> int:
        """Add a written row to the commit's hash and return its position."""
        position = len(self._records)
        self._records.append(chain.record(kind, position, content, self._encode))
        return position

    def write(self, statement: str, *params: Any) -> list[tuple[Any, ...]]:
        """Run one named statement."""
        return self.connection.execute(SQL[statement], params)

    def claim(self, _kind: str, _name: str) -> bool:
        """Take a name that the house has once; False where it is another shard's."""
        return True

    def balance_change(
        self, user_id: str, amount: int, ref_type: RefType, ref_id: str, metadata: dict[str, Any] | None = None
    ) -> Entry | None:
        """Move `amount` cents and enter it; None, with nothing written, if the balance is short.

        The entry is written at once, so that a later command of this commit with the same reference finds it.
        """
        move = self._move(user_id, amount, self.position)
        if move is None:
            return None
        entry = self._enter(move, user_id, amount, ref_type, ref_id, metadata)
        self.write_entries()
        return entry

    def write_entries(self) -> None:
        """Write the entries collected so far: what reads a player's entries before `close` misses them otherwise."""
        if self._entries:
            self.connection.execute_many(ROWS["insert_entry"], self._entries)
            self._entries = []

    def _move(self, user_id: str, amount: int, position: int) -> Move | None:
        """Change a balance; its entry is to follow at `position`."""
        met = self._players.get(user_id) or self.meet((user_id,)).get(user_id)
        if met is None:
            return None
        user, previous_id = met
        new_id = entry_id(self.now_ms, self.number, position)
        if amount < 0:
            rows = self.write("debit", -amount, self.now_ms, new_id, user, -amount, -amount)
        else:
            rows = self.write("credit", amount, self.now_ms, new_id, user, amount)
        if not rows:
            return None
        ((balance, number),) = rows
        self._players[user_id] = (user, new_id)
        return Move(new_id, position, user, balance, number, previous_id)

    def _enter(
        self, move: Move, user_id: str, amount: int, ref_type: RefType, ref_id: str, metadata: dict[str, Any] | None
    ) -> Entry:
        text = json.dumps(metadata, sort_keys=True) if metadata else "{}"
        # By position, which takes half the time.
        about = (move.entry_id, user_id, amount, move.balance_after, ref_type, ref_id, text)
        entry = Entry(*about, self.now_ms, self.number, move.position)
        if self.record("entry", *entry) != move.position:
            raise LedgerBroken(f"entry {entry.id} is not at the position that its id names")
        self._entries.append(self._entry_row(entry, move.user, move.number, move.previous_id))
        self._entry_positions.append(move.position)
        self._house[ref_type] = self._house.get(ref_type, 0) - amount
        self.events.append(CommitEvent(move.position, user_id, entry))
        return entry

    def place_bet(self, bet: Bet) -> Entry | None:
        """Store a judged bet; a confirmed one is paid for first, and becomes `insufficient_funds` if it cannot be."""
        # The bet's own position comes before its entry's, since players hear of the bet first.
        bet.seq = self.next_seq
        bet.placed_at = self.now_ms
        bet.placed_commit = self.number
        bet.placed_place = self.position
        move: Move | None = None
        if bet.status == "confirmed":
            move = self._move(bet.user_id, -bet.amount, self.position + 1)
            if move is None:
                bet.status, bet.refusal_code = "insufficient_funds", "INSUFFICIENT_FUNDS"
                bet.refusal_detail = "The balance does not cover the stake."
        self.next_seq += 1
        self.record("bet", *placed_content(bet))
        self._bets.append(bet)
        self.events.append(CommitEvent(bet.placed_place, bet.user_id, bet))
        if move is None:
            return None
        self._live[bet.cell_id, bet.user_id] = bet
        return self._enter(move, bet.user_id, -bet.amount, "BET", bet.id, None)

    def resolve_bet(self, bet: Bet, status: Status, payout_cents: int) -> Entry | None:
        """End an open bet: won pays `payout_cents`, void refunds the stake, lost moves nothing."""
        bet.status = status
        bet.resolved_at = self.now_ms
        bet.payout_amount = payout_cents
        bet.resolved_commit = self.number
        bet.resolved_place = self.record("resolved", bet.id, status, self.now_ms, payout_cents)
        ended = (status_code(status), self.now_ms, payout_cents, self.number, bet.resolved_place, bet.seq)
        self._resolved.append(ended)
        self.events.append(CommitEvent(bet.resolved_place, bet.user_id, bet))
        if status == "won":
            return self._pay(bet, payout_cents, "PAYOUT")
        if status == "void":
            return self._pay(bet, bet.amount, "REFUND")
        return None

    def _pay(self, bet: Bet, amount_cents: int, ref_type: RefType) -> Entry:
        move = self._move(bet.user_id, amount_cents, self.position)
        if move is None:
            raise LedgerBroken(f"bet {bet.id} belongs to the unknown user {bet.user_id}")
        return self._enter(move, bet.user_id, amount_cents, ref_type, bet.id, None)

    def insert_gesture(self, gesture: Gesture, position: int) -> None:
        """Write what the bets of a gesture share, right before the first of them."""
        self.write("insert_gesture", *gesture_row(self.next_seq, gesture, self.number, position))

    def close(self) -> None:
        """Write what was collected and the commit's own row; the caller commits."""
        if self._bets:
            self._write_bets()
        self.write_entries()
        if self._resolved:
            self._write_ends()
        bets, entries = self._bets, self._entry_positions
        header = chain.Header(
            number=self.number,
            committed_ms=self.now_ms,
            previous_hash=self._previous_hash,
            records=len(self._records),
            house=chain.house_text(self._house),
            first_bet_seq=bets[0].seq if bets else None,
            last_bet_seq=bets[-1].seq if bets else None,
            first_entry=entry_id(self.now_ms, self.number, entries[0]) if entries else None,
            last_entry=entry_id(self.now_ms, self.number, entries[-1]) if entries else None,
        )
        self.hash = chain.commit_hash(header, self._records)
        self._write_header(header)

    def _write_bets(self) -> None:
        rows = self._numbers.bet_rows(self.connection.execute, self._bets)
        self.connection.execute_many(ROWS["insert_bet"], rows)

    def _write_ends(self) -> None:
        self.connection.execute_many(SQL["resolve_bet"], self._resolved)

    def _write_header(self, header: chain.Header) -> None:
        self.write("insert_commit", *commit_row(header, self.hash, chain.marks(self._records)))
