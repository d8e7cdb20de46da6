"""What an operator sees by the page: health, feed, queues, pace, backup and audit, and the exposure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from jobs.upkeep.backup import make_backup
from jobs.upkeep.integrity import run_audit
from runtime.clock import ManualClock
from runtime.messaging.redis_keys import FEED_SOURCES, SETTLER_ALIVE, WRITER_ALIVE
from runtime.messaging.redis_values import FeedSources
from runtime.settings import Settings
from tests.attack.arena import Arena
from tests.attack.attacker import Player
from tests.attack.operator import Operator, open_house
from tests.feed_sources import source
from tests.jobs.writer_desk import PRICE_CENTS


@pytest.fixture
def arena(settings: Settings, clock: ManualClock) -> Iterator[Arena]:
    """Return an arena that two wallets operate."""
    with open_house(settings, clock) as opened:
        yield opened


@pytest.fixture
def operator(arena: Arena) -> Operator:
    """Return an operator who is signed in."""
    return Operator(arena).log_in()


@pytest.fixture
def player(arena: Arena) -> Player:
    """Return a signed-in player."""
    return Player(arena, b"\x11" * 32).log_in()


def test_the_session_says_who_operates_and_until_when(arena: Arena, operator: Operator) -> None:
    shown = operator.look("session")
    assert (shown["wallet_address"], shown["expires_ms"]) == (operator.shown, arena.now_ms + 3_600_000)


def test_the_checks_are_those_of_healthz(arena: Arena, operator: Operator) -> None:
    health = arena.one.client.simulate_get("/healthz").json
    shown = operator.look("overview")
    assert {name: one["ok"] for name, one in shown["checks"].items()} == {
        name: one["ok"] for name, one in health["checks"].items()
    }
    assert (shown["ok"], shown["mode"]) == (health["ok"], "demo")
    arena.desk.client.mset({SETTLER_ALIVE: "{}", WRITER_ALIVE: "{}"})
    checks = operator.look("overview")["checks"]
    assert (checks["writer"]["ok"], checks["scheduler"]["ok"]) == (True, True)


def test_each_source_is_shown_and_why_it_does_not_count(arena: Arena, operator: Operator) -> None:
    assert operator.look("overview")["feed"]["sources"] == []
    found = (
        source("binance", arena.now_ms),
        source("coinbase", arena.now_ms, counted=False),
        source("kraken", arena.now_ms, fresh=False),
        replace(source("bitstamp", arena.now_ms), offset_ppm=None),
    )
    arena.desk.client.set(FEED_SOURCES, FeedSources(at_ms=arena.now_ms, needed=2, sources=found).encode())
    feed = operator.look("overview")["feed"]
    assert {one["name"]: one["counts"] for one in feed["sources"]} == {
        "binance": "yes",
        "coinbase": "it differs",
        "kraken": "not fresh",
        "bitstamp": "not known yet",
    }
    assert (feed["counted"], feed["needed"], feed["tick_age_ms"]) == (2, 2, 0)
    assert feed["sources"][2]["last_error"] == "ConnectionRefusedError"


def test_queues_tell_what_waits_and_who_works(arena: Arena, operator: Operator, player: Player) -> None:
    player.place(player.bet(), Prefer="respond-async")
    arena.desk.queue(arena.desk.bet(player.user_id, columns=4), name="bets")
    queues = {one["name"]: one for one in operator.look("overview")["queues"]}
    assert list(queues) == ["bets", "commands", "settle", "jobs"]
    assert queues["bets"]["waiting"] > 0
    [worker] = queues["bets"]["workers"]
    assert (worker["name"], worker["state"]) == (arena.desk.writer.inbox.worker.name, "idle")
    assert queues["settle"]["workers"] == []
    arena.desk.work()
    assert [one["waiting"] for one in operator.look("overview")["queues"]] == [0, 0, 0, 0]


def test_the_pace_is_that_of_the_last_minute(arena: Arena, operator: Operator, player: Player) -> None:
    assert operator.look("overview")["bets"] == {"waiting": 0, "last_minute": 0, "per_second": 0.0}
    for row in range(3):
        assert player.place(player.bet(rows=row)).status_code == 201
    arena.advance(30_000)
    for row in range(6):
        player.place(player.bet(rows=row))
    assert operator.look("overview")["bets"] == {"waiting": 0, "last_minute": 9, "per_second": 0.15}
    arena.advance(30_000)
    assert operator.look("overview")["bets"]["last_minute"] == 6
    arena.advance(30_000)
    assert operator.look("overview")["bets"]["last_minute"] == 0


def test_the_last_backup_and_audit_are_told(arena: Arena, operator: Operator) -> None:
    shown = operator.look("overview")
    assert (shown["backup"], shown["audit"]) == (None, None)
    made = make_backup(arena.settings.database, arena.settings.data / "backups", arena.clock)
    run_audit(arena.settings, arena.desk.client, arena.clock)
    arena.advance(1_000)
    shown = operator.look("overview")
    assert (shown["backup"]["file"], shown["backup"]["made_ms"]) == (made.file, arena.now_ms - 1_000)
    assert (shown["audit"]["at_ms"], shown["audit"]["findings"]) == (arena.now_ms - 1_000, 0)
    assert shown["dashboard_domain"] == "127.0.0.1:9181"


def test_the_exposure_is_that_of_the_writer(arena: Arena, operator: Operator, player: Player) -> None:
    assert operator.look("exposure")["columns"] == []
    other = Player(arena, b"\x33" * 32).log_in()
    for one in (player, other):
        for columns, row in ((3, 0), (3, 1), (4, -1)):
            assert one.place(one.bet(columns=columns, rows=row)).status_code == 201
    shown = operator.look("exposure")
    exposure = arena.desk.writer.book.exposure
    assert (shown["complete"], shown["bets"], shown["staked_cents"]) == (True, 6, 600)
    assert shown["payout_cents"] == exposure.total_cents
    assert {one["start_s"]: one["payout_cents"] for one in shown["columns"]} == exposure._columns
    cells = {cell["cell_id"]: cell for column in shown["columns"] for cell in column["cells"]}
    assert {name: cell["payout_cents"] for name, cell in cells.items()} == exposure._cells
    assert {cell["bets"] for cell in cells.values()} == {2}
    assert shown["price_cents"] == PRICE_CENTS
    assert shown["limits"]["column_payout_max_cents"] == arena.settings.column_payout_max_cents


def test_what_has_ended_is_exposed_no_more(arena: Arena, operator: Operator, player: Player) -> None:
    placed: Any = player.place(player.bet()).json["bet"]
    arena.advance(30_000)
    start_s = int(placed["cell_id"].partition("_")[0])
    assert operator.look("exposure")["bets"] == 1
    arena.desk.settle(start_s, PRICE_CENTS, PRICE_CENTS)
    shown = operator.look("exposure")
    assert (shown["bets"], shown["payout_cents"], shown["columns"]) == (0, 0, [])


def test_without_redis_the_overview_says_so(arena: Arena, operator: Operator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("functions.operate_overview.read_status", lambda *_: None)
    result = operator.ask("GET", "overview")
    assert (result.status_code, result.json["code"]) == (503, "UNAVAILABLE")


def test_the_types_of_all_answers_are_in_the_document(arena: Arena) -> None:
    document = arena.one.client.simulate_get("/openapi.json").json
    routes = {route: methods for route, methods in document["paths"].items() if route.startswith("/api/operate/")}
    assert len(routes) == 11
    for methods in routes.values():
        for operation in methods.values():
            success = next(one for status, one in operation["responses"].items() if status.startswith("2"))
            if "content" in success:
                [schema] = [one["schema"] for one in success["content"].values()]
                assert "{}" not in msgspec.json.encode(schema).decode()
    secured = [one for methods in routes.values() for one in methods.values() if one.get("security")]
    assert all(one["security"] == [{"operator": []}] for one in secured)
    assert len(secured) == 10
