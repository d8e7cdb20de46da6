"""A commit on PostgreSQL: balances move in memory, and what has come of them is written together with all other rows.

The rules are those of runtime/game/ledger.py, to the cent and to the byte. A statement a bet would take seven times as
long: each costs a round trip.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Sequence
from typing import Any

from runtime.game.bets import Bet
from runtime.game.chain import Header, marks
from runtime.game.gestures import Gesture
from runtime.game.ids import entry_id
from runtime.game.ledger import SQL, Commit, Move
from runtime.game.row_numbers import UNKNOWN, Numbered
from runtime.game.rows import PRICING_BETS, ROWS, commit_row, kept_cell_id, kind_code, status_code
from runtime.postgresql.arrays import numbers, texts
from runtime.postgresql.connection import Asked, PostgresDatabase
from runtime.postgresql.translation import OWN

BLIND = frozenset({"bets_by_id", "ending_bets"})
"""Statements of the ledger that see no balance and no entry, so that none needs to be written before them."""
LAST = frozenset({"finish_column", "set_open_from", "save_bucket"})
"""Statements that nothing of the same commit reads after: they go with its end."""
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


PlacedOn = tuple[str, str, Sequence[int] | None]
"""A bet to be judged: its id, its player's, and its cell if that is one."""


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
        kept_cell_id(bet),
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


def _cells_asked(wanted: Sequence[tuple[Sequence[int], str]]) -> Asked:
    return OWN["bets_on_cells"], (json.dumps([(*cell, user_id) for cell, user_id in wanted]),)


class PostgresCommit(Commit):
    """The rows of one commit, written with a few statements whatever their number."""

    connection: PostgresDatabase
    _entry_row = staticmethod(_entry_row)
    forgets = False

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self._players = {}  # asked for in each commit, with their balances
        self._accounts: dict[int, _Account] = {}
        self._moved: dict[int, _Account] = {}
        """Those whose balances are to be written."""
        self._pricings: dict[tuple[Any, ...], int] | None = None
        self._is_closing = False

    def foresee(
        self, bets: Sequence[Sequence[PlacedOn]], seqs: Sequence[int], asked: Sequence[Asked]
    ) -> list[list[tuple[Any, ...]]]:
        """Ask in one round trip for all that bets, job by job, and a slice of settlement will ask for one by one.

        `asked` are further statements; return the rows of each.
        """
        user_ids = sorted({user_id for job in bets for _, user_id, _ in job})
        listed = (json.dumps(seqs),)
        own: list[Asked] = [(OWN["players"], (json.dumps(user_ids),)), (OWN["players_of_bets"], listed)]
        own += [(SQL["ending_bets"], (str(seqs),))] if seqs else []
        own += [(OWN["newest_pricings"], ())] if bets else []
        for job in bets:
            own.append((SQL["bets_by_id"], (json.dumps([bet_id for bet_id, _, _ in job]),)))
            own.append(_cells_asked([(cell, user_id) for _, user_id, cell in job if cell is not None]))
        answers = self.connection.foresee([*own, *asked])
        self._know(answers[0])
        self._know(answers[1])
        return answers[len(own) :]

    def bets_on_cells(self, wanted: Sequence[tuple[Sequence[int], str]]) -> list[tuple[Any, ...]]:
        """Return the bets taken on cells by users, of those that were committed."""
        self.meet({user_id for _, user_id in wanted})
        return self.connection.execute(*_cells_asked(wanted))

    def close(self) -> None:
        """Write what was collected and the commit's own row with the COMMIT, in one round trip."""
        self._is_closing = True
        super().close()

    def _run(self, sql: str, *params: Any) -> None:
        if self._is_closing:
            self.connection.at_commit(sql, params)
        else:
            self.connection.execute(sql, params)

    def _know(self, rows: Sequence[tuple[Any, ...]]) -> None:
        for user_id, user, last_entry_id, balance, version in rows:
            if user_id not in self._players:
                self._players[user_id] = (user, last_entry_id)
                self._accounts[user] = _Account(balance, version)

    def meet(self, user_ids: Collection[str]) -> dict[str, Numbered]:
        """Read the players whose balances are about to move, all at once; return who is known by now."""
        unmet = [user_id for user_id in user_ids if user_id not in self._players]
        if unmet:
            self._know(self.connection.execute(OWN["players"], (json.dumps(unmet),)))
        return self._players

    def write(self, statement: str, *params: Any) -> list[tuple[Any, ...]]:
        """Run one named statement; it sees every balance as it is by now."""
        if statement in LAST:
            self.connection.at_commit(SQL[statement], params)
            return []
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

    def claim(self, kind: str, name: str) -> bool:
        """Take a name that the house has once, for good; False where it is another shard's."""
        if self.connection.shards in (None, 1):
            return True
        return self.connection.execute(OWN["claim"], (kind, name, self.connection.shard)) == [(self.connection.shard,)]

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
            self._run(OWN["insert_entries"], self.now_ms, self.number, *written)

    def _write_balances(self) -> None:
        """Move balances as they were read; whoever else moved one meanwhile is seen, and nothing is written."""
        moved, self._moved = self._moved, {}
        accounts = moved.values()
        self._run(
            OWN["move_balances"],
            self.now_ms,
            numbers([*moved]),
            numbers([one.read_balance for one in accounts]),
            numbers([one.read_version for one in accounts]),
            numbers([one.balance for one in accounts]),
            numbers([one.version for one in accounts]),
            texts([one.entry for one in accounts]),
            len(moved),
        )
        for one in accounts:
            one.read_balance, one.read_version = one.balance, one.version

    def _write_bets(self) -> None:
        players = self._players
        rows = [_bet_row(bet, self._pricing_of(bet), players.get(bet.user_id, UNKNOWN)[0]) for bet in self._bets]
        written = [write(column) for write, column in zip(BET_ARRAYS, zip(*rows, strict=True), strict=True)]
        self._run(OWN["insert_bets"], self.now_ms, self.number, *written)

    def _pricing_of(self, bet: Bet) -> int:
        """Return the number of what a bet was priced by; it is written if no bet shortly before was."""
        content = (bet.model_id, bet.model_version, bet.features)
        if self._pricings is None:
            rows = self.connection.execute(OWN["newest_pricings"])
            self._pricings = {tuple(row[:3]): row[3] for row in reversed(rows)}
        number = self._pricings.get(content, -PRICING_BETS)
        if number <= bet.seq - PRICING_BETS:
            self.connection.at_commit(ROWS["insert_pricing"], (bet.seq, *content))
            number = self._pricings[content] = bet.seq
        return number

    def _write_ends(self) -> None:
        statuses, _, payouts, _, positions, seqs = zip(*self._resolved, strict=True)
        params = (self.now_ms, self.number, numbers(seqs), numbers(statuses), numbers(payouts), numbers(positions))
        self._run(OWN["resolve_bets"], *params)

    def _write_header(self, header: Header) -> None:
        # Entries are stored by their ids.
        row = commit_row(header, self.hash, marks(self._records), entry=lambda entry_id: entry_id)
        self.connection.at_commit(SQL["insert_commit"], row)
        self.connection.at_commit(
            OWN["go_on_in_epoch"],
            (
                self.number,
                bytes.fromhex(self.hash),
                self.next_seq,
                self.connection.shard,
                self.connection.epoch,
                self.number - 1,
            ),
        )
