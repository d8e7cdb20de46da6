"""What an operator sees by the page: health, feed, queues, pace, backup and audit, and the exposure."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from jobs.upkeep.backup import make_backup
from jobs.upkeep.integrity import run_audit
from runtime.messaging.redis_keys import FEED_SOURCES, SETTLER_ALIVE, WRITER_ALIVE
from runtime.messaging.redis_values import FeedSources
from tests.attack.arena import Arena
from tests.attack.attacker import Player
from tests.attack.operator import Operator
from tests.feed_sources import source
from tests.jobs.writer_desk import PRICE_CENTS


@pytest.fixture
def player(operated: Arena) -> Player:
    """Return a signed-in player."""
    return Player(operated, b"\x11" * 32).log_in()


def test_the_session_says_who_operates_and_until_when(operated: Arena, operator: Operator) -> None:
    shown = operator.look("session")
    assert (shown["wallet_address"], shown["expires_ms"]) == (operator.shown, operated.now_ms + 3_600_000)


def test_the_checks_are_those_of_healthz(operated: Arena, operator: Operator) -> None:
    health = operated.one.client.simulate_get("/healthz").json
    shown = operator.look("overview")
    assert {name: one["ok"] for name, one in shown["checks"].items()} == {
        name: one["ok"] for name, one in health["checks"].items()
    }
    assert (shown["ok"], shown["mode"]) == (health["ok"], "demo")
    operated.desk.client.mset({SETTLER_ALIVE: "{}", WRITER_ALIVE: "{}"})
    checks = operator.look("overview")["checks"]
    assert (checks["writer"]["ok"], checks["scheduler"]["ok"]) == (True, True)


def test_each_source_is_shown_and_why_it_does_not_count(operated: Arena, operator: Operator) -> None:
    assert operator.look("overview")["feed"]["sources"] == []
    found = (
        source("binance", operated.now_ms),
        source("coinbase", operated.now_ms, counted=False),
        source("kraken", operated.now_ms, fresh=False),
        replace(source("bitstamp", operated.now_ms), offset_ppm=None),
    )
    operated.desk.client.set(FEED_SOURCES, FeedSources(at_ms=operated.now_ms, needed=2, sources=found).encode())
    feed = operator.look("overview")["feed"]
    assert {one["name"]: one["counts"] for one in feed["sources"]} == {
        "binance": "yes",
        "coinbase": "it differs",
        "kraken": "not fresh",
        "bitstamp": "not known yet",
    }
    assert (feed["counted"], feed["needed"], feed["tick_age_ms"]) == (2, 2, 0)
    assert feed["sources"][2]["last_error"] == "ConnectionRefusedError"


def test_queues_tell_what_waits_and_who_works(operated: Arena, operator: Operator, player: Player) -> None:
    player.place(player.bet(), Prefer="respond-async")
    operated.desk.queue(operated.desk.bet(player.user_id, columns=4), name="bets")
    queues = {one["name"]: one for one in operator.look("overview")["queues"]}
    assert list(queues) == ["bets", "commands", "settle", "jobs"]
    assert queues["bets"]["waiting"] > 0
    [worker] = queues["bets"]["workers"]
    assert (worker["name"], worker["state"]) == (operated.desk.writer.inbox.worker.name, "idle")
    assert queues["settle"]["workers"] == []
    operated.desk.work()
    assert [one["waiting"] for one in operator.look("overview")["queues"]] == [0, 0, 0, 0]


def test_the_pace_is_that_of_the_last_minute(operated: Arena, operator: Operator, player: Player) -> None:
    assert operator.look("overview")["bets"] == {"waiting": 0, "last_minute": 0, "per_second": 0.0}
    for row in range(3):
        assert player.place(player.bet(rows=row)).status_code == 201
    operated.advance(30_000)
    for row in range(6):
        player.place(player.bet(rows=row))
    assert operator.look("overview")["bets"] == {"waiting": 0, "last_minute": 9, "per_second": 0.15}
    operated.advance(30_000)
    assert operator.look("overview")["bets"]["last_minute"] == 6
    operated.advance(30_000)
    assert operator.look("overview")["bets"]["last_minute"] == 0


def test_the_last_backup_and_audit_are_told(operated: Arena, operator: Operator) -> None:
    shown = operator.look("overview")
    assert (shown["backup"], shown["audit"]) == (None, None)
    made = make_backup(operated.settings.database, operated.settings.data / "backups", operated.clock)
    run_audit(operated.settings, operated.desk.client, operated.clock)
    operated.advance(1_000)
    shown = operator.look("overview")
    assert (shown["backup"]["file"], shown["backup"]["made_ms"]) == (made.file, operated.now_ms - 1_000)
    assert (shown["audit"]["at_ms"], shown["audit"]["findings"]) == (operated.now_ms - 1_000, 0)
    assert shown["dashboard_domain"] == "127.0.0.1:9181"


def test_the_exposure_is_that_of_the_writer(operated: Arena, operator: Operator, player: Player) -> None:
    assert operator.look("exposure")["columns"] == []
    other = Player(operated, b"\x33" * 32).log_in()
    for one in (player, other):
        for columns, row in ((3, 0), (3, 1), (4, -1)):
            assert one.place(one.bet(columns=columns, rows=row)).status_code == 201
    shown = operator.look("exposure")
    exposure = operated.desk.writer.book.exposure
    assert (shown["complete"], shown["bets"], shown["staked_cents"]) == (True, 6, 600)
    assert shown["payout_cents"] == exposure.total_cents
    assert {one["start_s"]: one["payout_cents"] for one in shown["columns"]} == exposure._columns
    cells = {cell["cell_id"]: cell for column in shown["columns"] for cell in column["cells"]}
    assert {name: cell["payout_cents"] for name, cell in cells.items()} == exposure._cells
    assert {cell["bets"] for cell in cells.values()} == {2}
    assert shown["price_cents"] == PRICE_CENTS
    assert shown["limits"]["column_payout_max_cents"] == operated.settings.column_payout_max_cents


def test_what_has_ended_is_exposed_no_more(operated: Arena, operator: Operator, player: Player) -> None:
    placed: Any = player.place(player.bet()).json["bet"]
    operated.advance(30_000)
    start_s = int(placed["cell_id"].partition("_")[0])
    assert operator.look("exposure")["bets"] == 1
    operated.desk.settle(start_s, PRICE_CENTS, PRICE_CENTS)
    shown = operator.look("exposure")
    assert (shown["bets"], shown["payout_cents"], shown["columns"]) == (0, 0, [])


def test_without_redis_the_overview_says_so(
    operated: Arena, operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("functions.operate_overview.read_status", lambda *_: None)
    result = operator.ask("GET", "overview")
    assert (result.status_code, result.json["code"]) == (503, "UNAVAILABLE")


def test_the_types_of_all_answers_are_in_the_document(operated: Arena) -> None:
    document = operated.one.client.simulate_get("/openapi.json").json
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
