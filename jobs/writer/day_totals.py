"""What players with limits have staked today and what came back: each entry is read once, however long the day is."""

from __future__ import annotations

from runtime.game.player_entries import Execute, totals_and_last


class DayTotals:
    """The totals that were asked for since an id, which is that of the day; kept for as long as the day is asked for.

    Entries are only added behind those that were counted. What a transaction has made is gone after its roll-back, so
    `clear` follows each.
    """

    def __init__(self, execute: Execute) -> None:
        self._execute = execute
        self._from_id = ""
        self._known: dict[str, tuple[int, int, str]] = {}
        """Of each player what was staked and what came back, and the id from which on nothing is counted yet."""

    def since(self, user_id: str, from_id: str) -> tuple[int, int]:
        """Return what a player has staked since an id, and what came back of it, in cents."""
        if from_id != self._from_id:
            self._from_id = from_id
            self._known.clear()
        staked, returned, next_id = self._known.get(user_id, (0, 0, from_id))
        newly_staked, newly_returned, last_id = totals_and_last(self._execute, user_id, next_id)
        if last_id is not None:
            # No id lies between one and the text that is one character longer.
            next_id = f"{last_id}0"
        staked, returned = staked + newly_staked, returned + newly_returned
        self._known[user_id] = staked, returned, next_id
        return staked, returned

    def clear(self) -> None:
        """Count everything anew."""
        self._known.clear()
