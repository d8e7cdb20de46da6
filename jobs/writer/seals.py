"""The keys of the players whose rows the writer seals, kept in memory for those who came last."""

from __future__ import annotations

from collections.abc import Callable

from runtime.game.rows import LedgerBroken
from runtime.personal.seal import KEY_BYTES, PERSONAL, Seal, key_of
from runtime.storage.database import Database

SEALS_MAX = 16_384
"""Players whose keys are kept ready, some 4 KB each; of more, the one that was read first goes. One that is not ready
costs a bet some 25 microseconds."""


class Seals:
    """The seal of each player; a key is made when it is needed for the first time.

    What a transaction has made is gone after its roll-back, so `clear` follows each.
    """

    def __init__(self, database: Database, random_bytes: Callable[[int], bytes]) -> None:
        self._database = database
        self._random_bytes = random_bytes
        self._known: dict[str, Seal] = {}

    def of(self, user_id: str) -> Seal | None:
        """Return a player's seal, None if the player was forgotten."""
        seal = self._known.get(user_id)
        if seal is not None:
            return seal
        key = key_of(self._database.execute, user_id)
        if key is None:
            key = self._random_bytes(KEY_BYTES)
            self._database.execute(PERSONAL["insert_key"], (user_id, key))
        if not any(key):
            return None
        if len(self._known) >= SEALS_MAX:
            del self._known[next(iter(self._known))]
        seal = self._known[user_id] = Seal(key)
        return seal

    def has(self, user_id: str) -> bool:
        """Tell whether a player's key is ready."""
        return user_id in self._known

    def needed(self, user_id: str) -> Seal:
        """Return a player's seal; raise LedgerBroken if the player was forgotten, and should not have come this far."""
        seal = self.of(user_id)
        if seal is None:
            raise LedgerBroken(f"the key of user {user_id} was destroyed")
        return seal

    def drop(self, user_id: str) -> None:
        """Keep a player's key no longer."""
        self._known.pop(user_id, None)

    def clear(self) -> None:
        """Read every key anew."""
        self._known.clear()
