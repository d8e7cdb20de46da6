"""Events: told in order, at least once, from a position that outlives crashes and Redis."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from jobs.triggers.attempts import Attempts
from jobs.triggers.deadlines import Deadlines
from jobs.triggers.follow import LOOK_EVERY_S, LOOK_UNWANTED_EVERY_S, Follower
from jobs.triggers.positions import Position, Positions, follow_new_shards, forget_others
from runtime.clock import ManualClock
from runtime.game.breaker import Breaker, State
from runtime.game.shards import begins_after
from runtime.market.breaker import change_breaker
from runtime.messaging.connection import OUTAGES
from runtime.metrics.table import Metrics
from runtime.settings import Settings
from runtime.storage.function_store import prepare
from runtime.triggers import Event, Run
from runtime.triggers.declaration import Trigger
from runtime.triggers.kinds import kinds_meant
from runtime.triggers.run import Bench
from tests.jobs.writer_desk import Desk


class Listener:
    """A function of events, and whoever starts it anew."""

    def __init__(self, settings: Settings, desk: Desk, *kinds: str, **given: Any) -> None:
        self.told: list[tuple[str, str]] = []
        self.fails: Callable[[Event], bool] = lambda _: False
        self.metrics = Metrics("test")
        self.desk = desk
        self.trigger = Trigger(
            self.handle,
            "event",
            "event",
            "Do",
            5,
            1,
            given.pop("retries", 0),
            0,
            kinds=kinds_meant(kinds),
            name="sample",
            **given,
        )
        self.stop = threading.Event()
        self.bench = Bench(settings, desk.clock, desk.client)
        prepare(settings.functions_database, desk.clock)
        self.begin()

    def handle(self, run: Run[Event]) -> None:
        """Take an event."""
        self.told.append((run.body.id, run.body.kind))
        if self.fails(run.body):
            raise ValueError("cannot")

    def begin(self) -> None:
        """Start as a process does that was killed: with what is kept and nothing else."""
        attempts = Attempts(Deadlines(self.desk.clock), self.metrics, self.desk.clock, self.stop)
        positions = Positions(self.bench.store, "sample")
        self.follower = Follower(self.trigger, self.bench, positions, attempts, self.metrics)

    def listen(self) -> list[tuple[str, str]]:
        """Look until there is nothing more; return what was told meanwhile."""
        self.told = []
        while self.follower.look(self.stop):
            pass
        return self.told


@pytest.fixture
def settings_of_desk(settings: Settings, desk: Desk) -> Settings:
    """Return settings whose database is the desk's."""
    settings.data.mkdir()
    settings.database.symlink_to(desk.path)
    return settings


@pytest.fixture
def listen(settings_of_desk: Settings, desk: Desk) -> Iterator[Callable[..., Listener]]:
    """Return what makes a function of events."""
    made: list[Listener] = []

    def make(*kinds: str, **given: Any) -> Listener:
        made.append(Listener(settings_of_desk, desk, *kinds, **given))
        return made[-1]

    yield make
    for one in made:
        one.bench.close()


def test_a_new_function_is_told_of_what_comes_in_the_order_of_commits(
    desk: Desk, listen: Callable[..., Listener]
) -> None:
    player = desk.player()
    desk.place(desk.bet(player, rows=1))
    one = listen("bet", "column")
    bet = desk.bet(player)
    desk.place(bet)
    start_s = int(bet.cell_id.partition("_")[0])
    desk.clock.advance(40_000)
    desk.settle(start_s, *map(int, bet.cell_id.split("_")[1:]))
    assert [kind for _, kind in one.listen()] == ["bet.confirmed", "column", "bet.won", "bet.won"]
    assert len({event_id for event_id, _ in one.told}) == 4
    assert one.listen() == []


def test_a_function_whose_events_nobody_wants_looks_seldom(listen: Callable[..., Listener]) -> None:
    wants: list[frozenset[str]] = [frozenset({"bet.confirmed"}), frozenset(), frozenset({"bet.confirmed"})]
    one, pauses = listen("bet", wanted=lambda _: wants.pop(0)), list[float]()

    class Stopping:
        def wait(self, timeout: float | None = None) -> bool:
            if timeout:
                pauses.append(timeout)
            return not wants

    one.follower.run(Stopping())
    assert pauses == [LOOK_EVERY_S, LOOK_UNWANTED_EVERY_S, LOOK_EVERY_S]


def test_who_dies_amid_a_commit_hears_it_again_with_the_same_ids_and_goes_on(
    desk: Desk, listen: Callable[..., Listener], redis_client: Any
) -> None:
    one, player = listen("bet"), desk.player()
    desk.place(*(desk.bet(player, rows=row) for row in range(3)))
    dies = iter([False, True])

    def fails(_event: Event) -> bool:
        if next(dies):
            raise KeyboardInterrupt
        return False

    one.fails = fails
    with pytest.raises(KeyboardInterrupt):
        one.listen()
    first = list(one.told)
    redis_client.flushall()  # nothing of the position is kept there
    one.fails = lambda _: False
    one.begin()
    again = one.listen()
    assert again[: len(first)] == first
    assert len(again) == 3
    desk.place(desk.bet(player, rows=5))
    one.begin()
    assert len(one.listen()) == 1


def test_an_event_that_cannot_be_taken_is_set_aside_and_the_next_is_told(
    desk: Desk, listen: Callable[..., Listener]
) -> None:
    one, player = listen("bet.confirmed", retries=2), desk.player()
    desk.place(desk.bet(player, rows=1), desk.bet(player, rows=2))
    poison: list[str] = []

    def fails(event: Event) -> bool:
        poison[:] = poison or [event.id]
        return event.id in poison

    one.fails = fails
    assert [event_id for event_id, _ in one.listen()].count(poison[0]) == 3
    assert len(one.told) == 4
    [(function, event_id, error)] = one.bench.store.execute("SELECT function, event_id, error FROM set_aside")
    assert (function, event_id, error) == ("sample", poison[0], "ValueError: cannot")


def test_while_redis_is_away_nothing_is_set_aside_and_the_event_comes_again(
    desk: Desk, listen: Callable[..., Listener]
) -> None:
    one, player = listen("bet.confirmed"), desk.player()
    desk.place(desk.bet(player))

    def away(_event: Event) -> bool:
        raise OUTAGES[0]

    one.fails = away
    first = one.listen()
    assert one.listen() == first
    assert one.bench.store.execute("SELECT count(*) FROM set_aside") == [(0,)]
    one.fails = lambda _: False
    assert one.listen() == first
    assert (len(first), one.listen()) == (1, [])


def test_after_an_older_ledger_was_restored_what_comes_is_told(desk: Desk, listen: Callable[..., Listener]) -> None:
    one, player = listen("bet.confirmed"), desk.player()
    one.bench.store.execute("UPDATE positions SET commit_number = 1000")
    one.begin()
    desk.place(desk.bet(player))
    assert [kind for _, kind in one.listen()] == ["bet.confirmed"]


def test_where_nothing_is_wanted_nothing_is_read_and_the_position_moves_on(
    desk: Desk, listen: Callable[..., Listener], monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted: set[str] = set()
    one, player = listen("bet", wanted=lambda _run: wanted), desk.player()
    monkeypatch.setattr("jobs.triggers.follow.events_of_commit", None)
    desk.place(desk.bet(player))
    assert one.listen() == []
    monkeypatch.undo()
    wanted.add("bet.confirmed")
    assert one.listen() == []
    desk.place(desk.bet(player, rows=1))
    assert [kind for _, kind in one.listen()] == ["bet.confirmed"]


def turn(desk: Desk, state: State) -> None:
    """Let the breaker change."""
    now_ms = desk.clock.now_ms()
    change_breaker(desk.client, lambda _, note: (Breaker(state, since_ms=now_ms), note), now_ms)


def test_each_change_of_the_breaker_is_told_also_those_while_nobody_listened(
    desk: Desk, listen: Callable[..., Listener]
) -> None:
    turn(desk, State.HEALTHY)
    one = listen("breaker")
    turn(desk, State.DEGRADED)
    turn(desk, State.CRITICAL)
    one.begin()
    first = one.listen()
    assert [kind for _, kind in first] == ["breaker", "breaker"]
    one.begin()
    assert one.listen() == []


def test_after_the_loss_of_redis_the_breaker_is_told_as_it_is_now(
    desk: Desk, listen: Callable[..., Listener], redis_client: Any
) -> None:
    turn(desk, State.HEALTHY)
    one = listen("breaker")
    redis_client.flushall()
    desk.clock.advance(1_000)
    turn(desk, State.CRITICAL)
    redis_client.delete("bus:public")
    assert one.listen() == [(f"breaker-{desk.clock.now_ms()}", "breaker")]


def test_what_is_not_declared_any_more_is_forgotten(tmp_path: Path, clock: ManualClock, listen: Any) -> None:
    one = listen("bet")
    assert forget_others(one.bench.store, ["sample"]) == []
    assert forget_others(one.bench.store, ["another"]) == ["sample"]
    assert forget_others(one.bench.store, []) == []


def test_a_function_that_is_told_already_is_told_all_of_a_new_shard_and_a_new_one_what_comes(
    listen: Callable[..., Listener],
) -> None:
    store = listen("bet").bench.store
    old, now = Positions(store, "sample", 2), Position(begins_after(2) + 7, "", "")
    for _ in range(2):
        follow_new_shards(store, ["sample", "new"], 2)
        assert old.begin(now).commit == begins_after(2) + 1
    assert Positions(store, "new", 2).begin(now) == now
    old.move(now)
    follow_new_shards(store, ["sample", "new"], 2)
    assert old.begin(now) == now
