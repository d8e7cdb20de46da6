"""The audit of a house of two ledgers: what they have once, and the roots that were kept outside."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from jobs.upkeep.house_audit import audit_house, keep_heads
from runtime.audit.heads import HEADS_FILE, read_heads
from runtime.audit.roots import ROOTS_FOLDER, Roots, read_roots
from runtime.clock import ManualClock
from runtime.game.merkle import root_of
from runtime.postgresql import choice
from runtime.postgresql.adding import add_shard
from runtime.postgresql.connection import PostgresDatabase
from runtime.settings import Settings
from runtime.storage.database import Database
from tests.jobs.writer_desk import PRICE_CENTS, RISK, Desk
from tests.postgres import Postgres
from tests.runtime.postgresql.test_pages import AVAILABLE, SORTED_OTHERWISE, damage

DAY_MS = 86_400_000


@pytest.fixture
def desks(tmp_path: Path, redis_url: str, clock: ManualClock, postgres: Postgres) -> Iterator[tuple[Desk, Desk]]:
    """Return both writers, each with a bet that has ended and one that is open."""
    url = postgres.house()
    add_shard(url, clock, RISK)
    (tmp_path / "2").mkdir()
    one = Desk(tmp_path / "taptrade.db", redis_url, clock, database_url=url)
    two = Desk(tmp_path / "2" / "taptrade.db", redis_url, clock, database_url=url, shard=2)
    for number, desk in enumerate((one, two), 1):
        user = desk.player(number)
        ended = desk.bet(user, columns=3)
        assert [each.code for each in desk.place(ended, desk.bet(user, columns=9))] == [None, None]
        desk.settle(int(ended.cell_id.split("_")[0]), PRICE_CENTS, PRICE_CENTS)
    yield one, two
    one.close()
    two.close()


def faults(settings: Settings) -> list[str]:
    return audit_house(settings, lambda _done, _total: None).faults


def keep_root(settings: Settings, now_ms: int) -> None:
    with closing(choice.open_reader(settings)) as reader:
        heads = choice.heads(reader)
    assert heads is not None
    Roots(settings.data / ROOTS_FOLDER).keep(heads, now_ms)


def test_both_ledgers_are_counted_as_one_house(desks: tuple[Desk, Desk], clock: ManualClock) -> None:
    settings = desks[0].settings
    walked: list[int] = []
    report = audit_house(settings, lambda done, _total: walked.append(done))
    assert (report.faults, report.users, report.bets) == ([], 2, 4)
    assert report.commits == len(walked)
    assert keep_heads(settings, clock) > 2**40
    assert len(read_heads(settings.data / HEADS_FILE)) == 2
    assert faults(settings) == []


DAMAGES = {
    "a name that is another shard's": (
        "UPDATE taptrade_house.names SET shard = 1 WHERE name = '0x0000000000000000000000000000000000000002'",
        "names key 0x0000000000000000000000000000000000000002: shard 2 uses it, and it is not that shard's",
    ),
    "a lease that is smaller than the open bets": (
        "UPDATE taptrade_house.leases SET granted = 1 WHERE shard = 2 AND scope = 'house'",
        "leases 2 house: open bets may pay",
    ),
    "evidence that is another": (
        "UPDATE taptrade_house.evidence SET said = replace(said, '\"low\":9', '\"low\":8')",
        "it is not what decided the column for the house",
    ),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_what_the_house_has_once_is_held_against_its_shards(desks: tuple[Desk, Desk], damage: str) -> None:
    sql, said = DAMAGES[damage]
    with closing(PostgresDatabase(desks[0].database_url, prepare="")) as by_hand:
        by_hand.execute(sql)
    found = faults(desks[0].settings)
    assert found
    assert any(said in one for one in found)


def test_the_pages_of_what_the_house_has_once_are_looked_into(desks: tuple[Desk, Desk]) -> None:
    with closing(PostgresDatabase(desks[0].database_url, prepare="")) as by_hand:
        if by_hand.execute(AVAILABLE) == [(0,)]:
            pytest.skip("this PostgreSQL came without amcheck")
        by_hand.execute("CREATE EXTENSION amcheck")
        damage(by_hand, SORTED_OTHERWISE, "ALTER TABLE odd SET SCHEMA taptrade_house;")
    assert [one for one in faults(desks[0].settings) if "odd" in one] == [
        'odd odd_names: item order invariant violated for index "odd_names"'
    ]


def test_a_chain_that_was_cut_short_does_not_lead_to_its_root(desks: tuple[Desk, Desk], clock: ManualClock) -> None:
    one, two = desks
    keep_root(one.settings, clock.now_ms())
    assert faults(one.settings) == []
    with closing(two.reopened()) as by_hand:
        by_hand.execute("DELETE FROM commit_rows WHERE number = (SELECT max(number) FROM commit_rows)")
    assert any("the root kept at" in fault for fault in faults(one.settings))


def test_a_root_that_is_kept_while_the_audit_looks_is_not_held_against_it(
    desks: tuple[Desk, Desk], clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, _ = desks
    looked_into = choice.faults_of_house

    def play_on(whole: Database) -> list[tuple[str, str, str]]:
        found = list(looked_into(whole))
        assert one.player(3)
        keep_root(one.settings, clock.now_ms())
        return found

    monkeypatch.setattr(choice, "faults_of_house", play_on)
    assert faults(one.settings) == []
    assert list(read_roots(one.settings.data / ROOTS_FOLDER))


def test_roots_are_kept_a_file_a_day_for_some_days(tmp_path: Path) -> None:
    folder = tmp_path / "roots"
    heads = [(number, f"{number:064x}") for number in (1, 2)]
    for day in range(9):
        roots = Roots(folder)
        roots.keep(heads, day * DAY_MS)
        roots.keep(heads, day * DAY_MS + 1)
    newest = sorted(folder.glob("*.jsonl"))
    assert [file.name for file in newest] == [f"1970-01-0{day}.jsonl" for day in range(3, 10)]
    with newest[-1].open("ab") as file:
        file.write(b'{"at_ms":')
    Roots(folder).keep(heads, 8 * DAY_MS + 2)
    found = list(read_roots(folder))
    assert len(found) == 8
    assert {one.root for one in found} == {root_of([head for _, head in heads])}


def test_a_root_tells_leaves_from_nodes_and_order() -> None:
    one, two, three = (f"{number:064x}" for number in (1, 2, 3))
    roots = {root_of(heads) for heads in ([one], [one, two], [two, one], [one, two, three], [one, two, three, three])}
    assert len(roots) == 5
    assert root_of([root_of([one, two])]) != root_of([one, two])
