"""A sitting is counted as a look at all entries counts it, however it is sliced and whatever was counted before."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any

import pytest

from runtime.game.ids import entry_id
from runtime.game.player_entries import Rows
from runtime.records import sittings
from runtime.records.sittings import PAUSE_MS, Sitting, Sittings, count, open_stake_cents
from tests.jobs.writer_desk import PRICE_CENTS, RULES, Desk
from tests.runtime.records.bet_histories import History

pytestmark = pytest.mark.engines

START_MS = 1_790_000_000_000
USER = "0" * 26
MINUTE_MS = 60_000
Line = tuple[int, str, int]
"""An entry: its time, its kind and what it moves."""


class Entries:
    """Entries of one player as the database gives them."""

    def __init__(self) -> None:
        self.lines: list[Line] = []
        self.read = 0

    def add(self, ms: int, kind: str, amount: int) -> None:
        """Enter something."""
        self.lines.append((ms, kind, amount))

    def execute(self, sql: str, params: Sequence[Any]) -> Rows:
        """Answer entries_newest_first: the parameters are those of entries_back and the limit."""
        del sql
        from_id, below_id, limit = params[4], params[5], params[-1]
        rows = [
            (entry_id(ms, number, 0), USER, amount, 0, kind, "", "{}", ms, number, 0)
            for number, (ms, kind, amount) in enumerate(self.lines)
        ]
        found = [row for row in reversed(rows) if from_id <= row[0] < below_id][:limit]
        self.read += len(found)
        return found


def by_rule(lines: Sequence[Line], now_ms: int) -> tuple[int, int, int, int] | None:
    """Return begin, bets, stakes and returns of the sitting that ends now, by a look at all there is."""
    bets = [at for at, (_, kind, _) in enumerate(lines) if kind == "BET"]
    first, later_ms = None, now_ms
    for at in reversed(bets):
        if later_ms - lines[at][0] > PAUSE_MS:
            break
        first, later_ms = at, lines[at][0]
    if first is None:
        return None
    inside = lines[first:]
    staked = -sum(amount for _, kind, amount in inside if kind == "BET")
    returned = sum(amount for _, kind, amount in inside if kind in ("PAYOUT", "REFUND"))
    return lines[first][0], sum(kind == "BET" for _, kind, _ in inside), staked, returned


def told(sitting: Sitting | None) -> tuple[int, int, int, int] | None:
    if sitting is None:
        return None
    return sitting.since_ms, sitting.bets, sitting.staked_cents, sitting.returned_cents


@pytest.mark.parametrize("slice_entries", [1, 3, 2_000])
@pytest.mark.parametrize("seed", range(4))
def test_it_is_what_the_rule_says_however_it_is_read(
    seed: int, slice_entries: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sittings, "SLICE_ENTRIES", slice_entries)
    monkeypatch.setattr(sittings, "SLICES_MAX", 10_000)
    random, entries, remembering, now_ms = Random(seed), Entries(), Sittings(), START_MS
    seen = set()
    for _ in range(150):
        now_ms += random.choice([0, 1, MINUTE_MS, MINUTE_MS, PAUSE_MS // 2, PAUSE_MS, PAUSE_MS + 1])
        for _ in range(random.randint(0, 4)):
            kind, amount = random.choice(
                [("BET", -100), ("BET", -500), ("PAYOUT", 700), ("REFUND", 100), ("DEPOSIT", 9)]
            )
            entries.add(now_ms, kind, amount)
        if random.random() < 0.6:
            expected = by_rule(entries.lines, now_ms)
            assert told(count(entries.execute, USER, now_ms)) == expected
            assert told(remembering.present(entries.execute, USER, now_ms)) == expected
            seen.add(expected is None)
    assert seen == {True, False}


def test_what_was_counted_is_not_read_again() -> None:
    entries, remembering = Entries(), Sittings()
    for number in range(5_000):
        entries.add(START_MS + number * 1_000, "BET", -100)
    now_ms = START_MS + 5_000_000
    assert told(remembering.present(entries.execute, USER, now_ms)) == (START_MS, 5_000, 500_000, 0)
    read = entries.read
    entries.add(now_ms, "PAYOUT", 900)
    assert told(remembering.present(entries.execute, USER, now_ms)) == (START_MS, 5_000, 500_000, 900)
    assert entries.read - read == 1


def test_a_sitting_beyond_all_slices_is_told_in_its_newest_part(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sittings, "SLICE_ENTRIES", 10)
    entries, remembering = Entries(), Sittings()
    for number in range(150):
        entries.add(START_MS + number * 1_000, "BET", -100)
    now_ms = START_MS + 150_000
    assert told(remembering.present(entries.execute, USER, now_ms)) == (START_MS + 50_000, 100, 10_000, 0)
    entries.add(now_ms, "BET", -100)
    assert told(remembering.present(entries.execute, USER, now_ms)) == (START_MS + 50_000, 101, 10_100, 0)


def test_only_so_many_players_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sittings, "REMEMBERED_MAX", 2)
    entries, remembering = Entries(), Sittings()
    entries.add(START_MS, "BET", -100)
    for user in "abcab":
        assert told(remembering.present(entries.execute, user, START_MS)) == (START_MS, 1, 100, 0)
    assert len(remembering._counted) == 2


def test_on_the_database_it_is_the_same(desk: Desk) -> None:
    history = History(desk, 3)
    execute, now_ms = desk.database.execute, desk.clock.now_ms()
    for user in [*history.users, history.idle]:
        rows = execute(
            "SELECT created_at, ref_type, amount FROM transaction_ledger WHERE user_id = ? ORDER BY id", (user,)
        )
        lines: list[Line] = [(ms, kind, amount) for ms, kind, amount in rows]
        assert told(count(execute, user, now_ms)) == by_rule(lines, now_ms)
        assert count(execute, user, now_ms + 31 * MINUTE_MS) is None


def test_open_stakes_are_those_of_bets_that_have_not_ended(desk: Desk) -> None:
    user, execute = desk.player(), desk.database.execute
    assert open_stake_cents(execute, user, RULES) == 0
    first = desk.bet(user, amount=500)
    desk.place(first, desk.bet(user, columns=6, amount=1000), desk.bet(user, columns=6, rows=1, amount=7))
    assert open_stake_cents(execute, user, RULES) == 1_500
    start_s = int(first.cell_id.split("_")[0])
    desk.settle(start_s, PRICE_CENTS, PRICE_CENTS)
    assert open_stake_cents(execute, user, RULES) == 1_000
    desk.settle(start_s + 3 * RULES.column_seconds, PRICE_CENTS, PRICE_CENTS)
    assert open_stake_cents(execute, user, RULES) == 0
