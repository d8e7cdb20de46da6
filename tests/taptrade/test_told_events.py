"""Functions after a restore: none is ahead of the ledger, and each is told of what the ledger commits next."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from jobs.triggers.attempts import Attempts
from jobs.triggers.deadlines import Deadlines
from jobs.triggers.follow import Follower
from jobs.triggers.positions import Positions
from runtime.metrics.table import Metrics
from runtime.settings import load
from runtime.storage import function_store, ticks_store
from runtime.triggers import Event, Run
from runtime.triggers.declaration import Trigger
from runtime.triggers.kinds import kinds_meant
from runtime.triggers.run import Bench
from runtime.webhooks.subscriptions import Webhooks
from taptrade import litestream
from taptrade.housekeeping import migrate_databases
from tests.jobs.writer_desk import Desk
from tests.taptrade.office import Office
from tests.taptrade.shipping import ship

pytestmark = pytest.mark.integration


class Told:
    """A function of bets in a data folder: it remembers ids, and makes deliveries as webhooks do."""

    def __init__(self, data: Path, desk: Desk) -> None:
        self.ids: list[str] = []
        self.bench = Bench(
            load({"TAPTRADE_DATA": str(data), "TAPTRADE_REDIS_URL": desk.redis_url}), desk.clock, desk.client
        )
        stop = threading.Event()
        trigger = Trigger(self.handle, "event", "event", "Do", 5, 1, 0, 0, kinds=kinds_meant(("bet",)), name="told")
        attempts = Attempts(Deadlines(desk.clock), Metrics("test"), desk.clock, stop)
        follower = Follower(trigger, self.bench, Positions(self.bench.store, "told"), attempts, Metrics("test"))
        self._look: Callable[[], bool] = lambda: follower.look(stop)

    def listen(self) -> None:
        """Look until there is nothing more."""
        while self._look():
            pass

    def handle(self, run: Run[Event]) -> None:
        """Take an event."""
        self.ids.append(run.body.id)
        Webhooks(run.store).note(run.body, run.clock.now_ms())

    def delivered(self) -> list[str]:
        """Return the events that deliveries are of."""
        return sorted(one.event_id for one in Webhooks(self.bench.store).deliveries(None, None, 100))


@contextmanager
def told_in(data: Path, desk: Desk) -> Iterator[Told]:
    told = Told(data, desk)
    try:
        yield told
    finally:
        told.bench.close()


@pytest.fixture
def elsewhere(office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return a replica that functions.db was shipped to later than the ledger: two bets beyond it."""
    desk, url = office.desk, str(tmp_path / "elsewhere")
    monkeypatch.setenv("TAPTRADE_REPLICA_URL", url)
    ticks_store.prepare(tmp_path / "ticks.db", desk.clock)
    function_store.prepare(tmp_path / "functions.db", desk.clock)
    player = desk.player()
    with told_in(tmp_path, desk) as told:
        Webhooks(told.bench.store).subscribe("https://example.com", ("bet",), desk.clock.now_ms())
        desk.place(desk.bet(player, rows=1))
        told.listen()
        ship(tmp_path, url)
        for row in (2, 3):
            desk.place(desk.bet(player, rows=row))
        told.listen()
        assert len(told.delivered()) == 3
    with monkeypatch.context() as only:
        only.setattr(litestream, "databases", lambda data: (data / "functions.db",))
        ship(tmp_path, url)
    return url


def play_on(data: Path, desk: Desk) -> list[str]:
    """Commit more to a ledger than it had lost, then let the function begin; return what it is told."""
    house = Desk(data / "taptrade.db", desk.redis_url, desk.clock)
    player = house.player()
    for row in range(4):
        house.place(house.bet(player, rows=row + 1))
    house.close()
    with told_in(data, desk) as told:
        told.listen()
        assert set(told.ids) <= set(told.delivered())
        return told.ids


def test_a_restored_function_is_told_of_all_that_its_ledger_commits_next(
    office: Office, elsewhere: str, tmp_path: Path
) -> None:
    said = office.run("restore", "--to", tmp_path / "new", "--json")
    assert (said.code, said.json["stepped_back"]) == (0, ["told"])
    told = play_on(tmp_path / "new", office.desk)
    assert [int(one[1:].partition(".")[0]) - said.json["commit"] for one in told] == [1, 2, 3, 4]


def test_so_is_one_beside_a_copy_that_was_put_in_place_by_hand(office: Office, elsewhere: str, tmp_path: Path) -> None:
    said = office.run("restore", "--to", tmp_path / "new", "--json")
    (tmp_path / "functions.db").rename(tmp_path / "new" / "functions.db")
    here = load({"TAPTRADE_DATA": str(tmp_path / "new"), "TAPTRADE_REDIS_URL": office.desk.redis_url})
    migrate_databases(here)
    assert len(play_on(tmp_path / "new", office.desk)) == 4
    assert said.code == 0


def test_a_replica_of_before_has_nothing_of_functions(
    office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = str(tmp_path / "elsewhere")
    monkeypatch.setenv("TAPTRADE_REPLICA_URL", url)
    ticks_store.prepare(tmp_path / "ticks.db", office.desk.clock)
    office.desk.player()
    with monkeypatch.context() as only:
        only.setattr(litestream, "databases", lambda data: (data / "taptrade.db", data / "ticks.db"))
        ship(tmp_path, url)
    said = office.run("restore", "--to", tmp_path / "new")
    assert (said.code, "functions: nothing of them is in the replica" in said.out) == (0, True)
    assert not (tmp_path / "new" / "functions.db").exists()
