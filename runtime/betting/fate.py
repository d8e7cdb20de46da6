"""What became of a bet: its row, or that it is pending, or that it was never placed."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Literal

from runtime.clock import Clock
from runtime.game.bets import Bet, from_row
from runtime.game.gestures import gesture_of, ids_of_taps, may_be_gesture
from runtime.game.ids import ulid_ms
from runtime.game.ledger import SQL
from runtime.messaging import redis_keys
from runtime.messaging.commands import COMMAND_TTL_MS
from runtime.messaging.connection import Redis
from runtime.messaging.redis_values import PendingBet, WriterAlive
from runtime.storage.read_pool import ReadPool

Missing = Literal["pending", "never_placed", "unknown"]


@dataclass(frozen=True, slots=True)
class Fate:
    """A stored bet, or why there is none yet; `decided_by_ms` is the last moment at which one can come."""

    bet: Bet | None
    missing: Missing = "unknown"
    decided_by_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Fates:
    """Look bets up where they can be: on their way in Redis, or stored."""

    client: Redis
    pool: ReadPool
    clock: Clock
    fill_delay_ms: int
    shard: int = 1

    def bet_id_of_nonce(self, wallet: str, nonce: str) -> str | None:
        """Return the id of the bet (or login) that used a wallet's nonce, None if nothing did."""
        used_by: Any = self.client.get(redis_keys.nonce(wallet, nonce))
        return None if used_by is None else used_by.decode()

    def find(self, bet_id: str, user_id: str) -> Fate:
        """Say what is known of a user's bet.

        The database is asked last as well: between the two questions the bet may have been committed. A bet is called
        never placed only once the writer's clock has passed its deadline, since then no commit can bring it any more,
        and only by a database that has all that the writer has committed: a superseded primary has not.
        """
        if ulid_ms(bet_id) is None:
            return Fate(None)
        bet = self._stored(bet_id)
        if bet is not None:
            # Somebody else's bet is unknown here, not "never placed", which would be untrue.
            return Fate(bet if bet.user_id == user_id else None)
        owner, decided_by_ms = self._deadline(bet_id)
        if owner is not None and owner != user_id:
            return Fate(None)
        if decided_by_ms is None:
            return Fate(None)
        clock_ms, commit = self._writer_word()
        if clock_ms <= decided_by_ms:
            return Fate(None, "pending", decided_by_ms)
        rows, [(newest,)] = self.pool.together(
            lambda execute: (execute(SQL["bet"], (bet_id,)), execute(SQL["newest_commit"], ()))
        )
        if not rows:
            return Fate(None, "pending" if newest < commit else "never_placed", decided_by_ms)
        bet = from_row(rows[0])
        return Fate(bet if bet.user_id == user_id else None)

    def bets_of_gesture(self, gesture_id: str, user_id: str) -> dict[int, Bet]:
        """Return a user's stored bets that are of a gesture, by the numbers of their taps; none if it is none."""
        if not may_be_gesture(gesture_id):
            return {}
        bets = map(from_row, self.pool.execute(SQL["bets_by_id"], (json.dumps(ids_of_taps(gesture_id)),)))
        return {gesture_of(bet.id)[1]: bet for bet in bets if bet.user_id == user_id}

    def _stored(self, bet_id: str) -> Bet | None:
        rows = self.pool.execute(SQL["bet"], (bet_id,))
        return from_row(rows[0]) if rows else None

    def _deadline(self, bet_id: str) -> tuple[str | None, int | None]:
        """Return owner and deadline of a bet on its way; without Redis' word the time in the id decides."""
        value: Any = self.client.get(redis_keys.pending(bet_id))
        gesture_id, _ = gesture_of(bet_id)
        if value is None and gesture_id:
            value = self.client.get(redis_keys.pending(gesture_id))
        if value is not None:
            pending = PendingBet.decode(value)
            return pending.user_id, pending.decided_by_ms
        minted_ms = ulid_ms(bet_id)
        if minted_ms is None or minted_ms > self.clock.now_ms() + COMMAND_TTL_MS:
            return None, None
        return None, minted_ms + self.fill_delay_ms + COMMAND_TTL_MS

    def _writer_word(self) -> tuple[int, int]:
        """Return a time before which no further commit will be made, and the number of one that was."""
        alive: Any = self.client.get(redis_keys.of_shard(redis_keys.WRITER_ALIVE, self.shard))
        if alive is not None:
            word = WriterAlive.decode(alive)
            return word.clock_ms, word.commit
        rows = self.pool.execute(SQL["last_commit"])
        return (int(rows[0][1]), int(rows[0][0])) if rows else (0, 0)
