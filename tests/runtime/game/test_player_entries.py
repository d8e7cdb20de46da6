"""A player's entries are found along their links, exactly, and no more of them are read than are asked for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from random import Random

import pytest
from peewee import IntegrityError

from runtime.clock import ManualClock
from runtime.game.chain import GENESIS
from runtime.game.ids import POSITION_MAX, entry_id, first_id_at, ulid
from runtime.game.ledger import SQL, Commit, Entry
from runtime.game.player_entries import (
    FIRST_ID,
    LAST_ID,
    MILESTONE,
    WALK_MILESTONES,
    entries_newest_first,
    entries_oldest_first,
    entries_picked_out,
    id_after,
    totals_since,
)
from runtime.game.rows import ROWS, entry_row
from runtime.storage.database import (
    LEDGER_MIGRATIONS,
    OPERATIONS_BETWEEN_CHECKS,
    SqliteDatabase,
    open_writer,
)
from runtime.storage.migrate import migrate

NOW_MS = 1_790_000_000_000
LONG = 20_000


@dataclass
class House:
    """A ledger with some users' entries, in commits of several."""

    database: SqliteDatabase
    random: Random = field(default_factory=lambda: Random(7))  # a fixed sequence
    number: int = 0
    now_ms: int = NOW_MS
    written: dict[str, list[Entry]] = field(default_factory=dict)

    def user(self, name: int) -> str:
        """Open an account."""
        user_id, wallet = ulid(NOW_MS, name), f"0x{name:040x}"
        self.database.execute(SQL["insert_user"], (user_id, wallet, None, wallet, None, NOW_MS, NOW_MS, 0, name))
        self.written[user_id] = []
        return user_id

    def enter(self, *users: str) -> None:
        """Write a commit of an entry for each."""
        self.number += 1
        self.now_ms += self.random.choice((0, 1, 400))
        with self.database.transaction():
            commit = Commit(self.database, self.number, GENESIS, self.now_ms, 1)
            for place, user in enumerate(users):
                entry = commit.balance_change(user, 5, "DEPOSIT", f"{self.number}.{place}")
                assert entry is not None
                self.written[user].append(entry)
            commit.close()


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """Return a ledger without users."""
    migrate(tmp_path / "t.db", LEDGER_MIGRATIONS, ManualClock(NOW_MS))
    database = open_writer(tmp_path / "t.db")
    yield House(database)
    database.close()


@pytest.fixture
def mixed(house: House) -> House:
    """Return a ledger in which entries of several users alternate, with several of one in a commit."""
    users = [house.user(name) for name in range(3)]
    house.user(9)
    for _ in range(4 * MILESTONE):
        house.enter(*house.random.choices(users, weights=(6, 2, 1), k=house.random.randrange(1, 4)))
    assert max(map(len, house.written.values())) > 4 * MILESTONE
    return house


def test_every_entry_names_the_one_before_it(mixed: House) -> None:
    rows = mixed.database.execute("SELECT id, user_id, number, previous_id FROM transaction_ledger ORDER BY id")
    for user, written in mixed.written.items():
        ids = [entry.id for entry in written]
        linked = [(row[0], row[2], row[3]) for row in rows if row[1] == user]
        assert linked == list(zip(ids, range(1, len(ids) + 1), [None, *ids], strict=False))
        ((last, version),) = mixed.database.execute("SELECT last_entry_id, version FROM users WHERE id = ?", (user,))
        assert (last, version) == (ids[-1] if ids else None, len(ids))


def test_any_span_is_that_of_the_whole_table(mixed: House) -> None:
    execute = mixed.database.execute
    for user, written in mixed.written.items():
        marks = [FIRST_ID, LAST_ID, first_id_at(0), first_id_at(NOW_MS + 10**9)]
        marks += [entry.id for entry in written[::17]] + [first_id_at(entry.created_at) for entry in written[::29]]
        for from_id, below_id in product(marks, marks):
            expected = [entry for entry in reversed(written) if from_id <= entry.id < below_id]
            assert entries_newest_first(execute, user, from_id, below_id) == expected
            assert entries_newest_first(execute, user, from_id, below_id, limit=3) == expected[:3]


def test_a_kind_or_a_reference_is_picked_out(mixed: House) -> None:
    execute = mixed.database.execute
    user, written = max(mixed.written.items(), key=lambda pair: len(pair[1]))
    asked = written[len(written) // 2]
    assert entries_newest_first(execute, user, ref_id=asked.ref_id) == [asked]
    assert entries_newest_first(execute, user, ref_type="DEPOSIT", limit=2) == [written[-1], written[-2]]
    assert entries_newest_first(execute, user, ref_type="PAYOUT") == []


@pytest.mark.parametrize("limit", [1, 2, MILESTONE - 1, MILESTONE, 2 * MILESTONE + 1, 10_000])
def test_the_first_after_any_place_are_those_of_the_whole_table(mixed: House, limit: int) -> None:
    for user, written in mixed.written.items():
        for commit, place in product(range(0, mixed.number + 3, 7), (-1, 0, 1, 2, POSITION_MAX, 10**18)):
            expected = [entry for entry in written if (entry.commit_number, entry.position) > (commit, place)]
            from_id = id_after(mixed.database.execute, commit, place)
            assert entries_oldest_first(mixed.database.execute, user, from_id, limit) == expected[:limit]


def test_totals_are_those_from_an_id_on(mixed: House) -> None:
    user, written = max(mixed.written.items(), key=lambda pair: len(pair[1]))
    execute = mixed.database.execute
    with mixed.database.transaction():
        commit = Commit(mixed.database, mixed.number + 1, GENESIS, mixed.now_ms + 1, 1)
        commit.balance_change(user, 70, "PAYOUT", "p")
        commit.balance_change(user, 20, "REFUND", "r")
        commit.balance_change(user, -30, "BET", "b")
        commit.close()
    assert totals_since(execute, user, written[5].id) == (30, 90)
    assert totals_since(execute, user, entry_id(mixed.now_ms + 1, mixed.number + 1, 1)) == (30, 20)
    assert totals_since(execute, user, LAST_ID) == (0, 0)


def test_a_page_of_a_long_history_reads_no_more_than_the_page(house: House) -> None:
    user = house.user(1)
    house.enter(*[user] * LONG)
    middle = house.written[user][LONG // 2]
    checks = [0]

    def count() -> bool:
        checks[0] += 1
        return False

    house.database.interrupt_when(count)
    execute = house.database.execute
    assert len(entries_newest_first(execute, user, limit=20)) == 20
    assert len(entries_newest_first(execute, user, below_id=middle.id, limit=20)) == 20
    assert len(entries_newest_first(execute, user, house.written[user][-9].id)) == 9
    assert len(entries_oldest_first(execute, user, middle.id, 20)) == 20
    few = checks[0]
    assert len(entries_newest_first(execute, user)) == LONG
    # A page takes some 20 x 50 operations of SQLite's machine, and one in the middle a block more.
    assert few * OPERATIONS_BETWEEN_CHECKS < LONG < checks[0] * OPERATIONS_BETWEEN_CHECKS


def test_what_a_long_history_has_none_of_is_looked_for_in_stretches(house: House) -> None:
    user = house.user(1)
    house.enter(*[user] * LONG)
    stretch = (WALK_MILESTONES + 1) * MILESTONE
    steps = [0]

    def count() -> bool:
        steps[0] += 1
        return False

    house.database.interrupt_when(count)
    looks, most = 0, 0
    below: str | None = LAST_ID
    while below is not None:
        before, steps[0] = below, 0
        found, below = entries_picked_out(house.database.execute, user, (FIRST_ID, below), 20, "PAYOUT", None)
        assert found == []
        assert below is None or below < before
        looks, most = looks + 1, max(most, steps[0])
    assert LONG // stretch <= looks <= LONG // stretch + 2
    steps[0] = 0
    assert entries_newest_first(house.database.execute, user, ref_type="PAYOUT") == []
    assert most < steps[0] / 3
    oldest = house.written[user][0]
    # A page that is full says nothing of a stretch: it goes on below its last row.
    assert entries_picked_out(house.database.execute, user, (FIRST_ID, LAST_ID), 1, "DEPOSIT", None) == (
        [house.written[user][-1]],
        None,
    )
    # Where the span ends within a stretch, there is nothing to go on to.
    assert entries_picked_out(
        house.database.execute, user, (house.written[user][-9].id, LAST_ID), 20, None, oldest.ref_id
    ) == ([], None)


def number_of(house: House, user: str) -> int:
    """Return what stands for a user in the rows."""
    number: int = house.database.execute("SELECT seq FROM users WHERE id = ?", (user,))[0][0]
    return number


def test_a_link_never_leads_on(mixed: House) -> None:
    user, written = max(mixed.written.items(), key=lambda pair: len(pair[1]))
    row = (first_id_at(NOW_MS + 10**6), user, 1, 1, "DEPOSIT", "x", "{}", NOW_MS, 1, 1)
    for link in ((2, LAST_ID), (1, written[0].id), (2, None), (0, written[0].id)):
        with pytest.raises(IntegrityError):
            mixed.database.execute(ROWS["insert_entry"], entry_row(row, number_of(mixed, user), *link))
