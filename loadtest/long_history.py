"""What a player's own lists cost with a long history: pages anywhere in it, filtered ones, and the totals of a day."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jobs.writer.day_totals import DayTotals
from loadtest import bets as made
from loadtest.bets import BETS_PER_COMMIT
from loadtest.medians import median_us
from loadtest.processes import BenchFailed
from runtime.clock import Clock, ManualClock
from runtime.game.ids import entry_id, first_id_at
from runtime.game.ledger import RefType
from runtime.game.player_entries import LAST_ID, entries_oldest_first, totals_since
from runtime.history.past import Page, Past
from runtime.history.shelves import Shelves
from runtime.records.player_bets import Wanted
from runtime.storage.database import open_writer
from runtime.storage.read_pool import ReadPool

ENTRIES_PER_BET = 2
"""Every bet of the player was won."""
PAGE_ROWS = 50
REPEATS = 101
KIND: RefType = "DEPOSIT"
DAY_ENTRIES = 500
ANYTHING = Wanted()
BYTES_PER_ENTRY = 400
PLACES = ("first", "middle", "last")
STATEMENT = "the {} page of a statement, of 50 entries"
BETS = "the {} page of the list of bets, of 50"
ONWARD = "50 entries from one in the middle on, for a stream that goes on"
NO_DEPOSIT = "a page of the entries of a kind that the player has none of"
NONE_LOST = "a page of the bets of a status that none has"
DAY = "the totals of a day with 500 entries"
LIMIT = "the same at a bet, where all entries are of the day"
PAGES = frozenset([*(what.format(place) for what in (STATEMENT, BETS) for place in PLACES), NO_DEPOSIT, NONE_LOST])


def measure(path: Path, entries: int, clock: Clock) -> dict[str, float]:
    """Return the median microseconds of each, for a player with so many entries."""
    # By a clock that stands still no query is given up: what takes long is told, not refused.
    still = ManualClock(clock.now_ms())
    pool, user_id = ReadPool(path, still), made.user_id(0)
    past = Past(Shelves(pool, path.parent, still))

    def statement(below_id: str) -> Page[Any]:
        return _whole(past.entries(user_id, (None, None), below_id, PAGE_ROWS, None, None))

    def listed(before: int | None) -> Page[Any]:
        return _whole(past.bets(user_id, ANYTHING, before, PAGE_ROWS))

    bets = entries // ENTRIES_PER_BET
    middle_id, day_id = _stake_id(bets // 2), _stake_id(bets - DAY_ENTRIES // ENTRIES_PER_BET + 1)
    last_id = _stake_id(PAGE_ROWS // ENTRIES_PER_BET + 1)
    found = {}
    for place, below_id in zip(PLACES, (LAST_ID, middle_id, last_id), strict=True):
        found[STATEMENT.format(place)] = median_us(statement, [below_id] * REPEATS)
    for place, before in zip(PLACES, (None, bets // 2, PAGE_ROWS + 1), strict=True):
        found[BETS.format(place)] = median_us(listed, [before] * REPEATS)
    found[ONWARD] = median_us(
        lambda from_id: entries_oldest_first(pool.execute, user_id, from_id, PAGE_ROWS), [middle_id] * REPEATS
    )
    found[DAY] = median_us(lambda from_id: totals_since(pool.execute, user_id, from_id), [day_id] * REPEATS)
    found[LIMIT] = _at_a_bet(path, user_id)
    found |= _picked_out(past, user_id)
    pool.close()
    return found


def _stake_id(bet: int) -> str:
    """Return the id of the entry of a bet's stake, as bets.sql makes it."""
    return entry_id(made.ENTERED_MS, bet // BETS_PER_COMMIT + 1, 4 * (bet % BETS_PER_COMMIT) + 1)


def _at_a_bet(path: Path, user_id: str) -> float:
    """Ask as the writer does: it has counted the day once, and reads what is new at each bet."""
    database = open_writer(path)
    totals = DayTotals(database.execute)
    day_id = first_id_at(made.ENTERED_MS)
    expected = totals_since(database.execute, user_id, day_id)
    found_us = median_us(lambda from_id: totals.since(user_id, from_id), [day_id] * REPEATS)
    if totals.since(user_id, day_id) != expected:
        raise BenchFailed("the day's totals are not those of its entries")
    database.close()
    return found_us


def _picked_out(past: Past, user_id: str) -> dict[str, float]:
    """Ask for what is not there: an empty page that says where to go on, but where the history is short."""
    lost = Wanted(status="lost")

    def deposits(kind: RefType) -> Page[Any]:
        return _empty(past.entries(user_id, (None, None), LAST_ID, PAGE_ROWS, kind, None))

    def listed(wanted: Wanted) -> Page[Any]:
        return _empty(past.bets(user_id, wanted, None, PAGE_ROWS))

    return {NO_DEPOSIT: median_us(deposits, [KIND] * REPEATS), NONE_LOST: median_us(listed, [lost] * REPEATS)}


def _whole(page: Page[Any]) -> Page[Any]:
    if len(page.rows) != PAGE_ROWS:
        raise BenchFailed(f"a page has {len(page.rows)} rows")
    return page


def _empty(page: Page[Any]) -> Page[Any]:
    if page.rows:
        raise BenchFailed(f"a page that should be empty has {len(page.rows)} rows")
    return page
