"""From login to payout, twice, over a stop in between: the real processes, a real player, and every cent recounted."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from queue import SimpleQueue
from random import Random
from threading import Event as Flag
from threading import Thread

import msgspec
import pytest

from runtime.clock import SystemClock
from taptrade import player
from taptrade.choice import Chooser
from taptrade.client import ApiError, TapClient
from taptrade.client.stream import EventStream, StreamEvent
from taptrade.statement import faults
from taptrade.views import SETTLED, BetView
from taptrade.wallet import Wallet, new_wallet, sign_bet, sign_login
from tests.acceptance.patience import PatientClient
from tests.acceptance.system import STEADY, System
from tests.postgres import Postgres
from tests.waiting import wait_until

BETS = 5
PASSING = frozenset({"PRICE_FEED_STALE", "RATE_MOVED", "CELL_NOT_OFFERED", "CELL_CLOSED"})
pytestmark = pytest.mark.timeout(180)


def play(system: System) -> int:
    """Let a throw-away player play until all bets are settled; it recounts its own statement. Its exit status."""
    return player.main(["--url", system.url, "--bets", str(BETS), "--plain"])


def check_game(status: int, capsys: pytest.CaptureFixture[str]) -> None:
    out, err = capsys.readouterr()
    assert status == 0, out + err
    assert f"{BETS} bets settled" in out
    assert f"told by the stream: {BETS} of {BETS} results" in out


@contextmanager
def following(client: TapClient) -> Iterator[SimpleQueue[StreamEvent]]:
    """Follow a signed-in player's stream within the block."""
    heard: SimpleQueue[StreamEvent] = SimpleQueue()
    stop = Flag()
    stream = EventStream(f"{client.url}/api/stream?events=bet,balance", token=lambda: client.token, stop=stop)

    def read() -> None:
        for event in stream.events():
            heard.put(event)

    Thread(target=read, daemon=True).start()
    yield heard
    stop.set()


def is_settled(client: TapClient, bet_id: str) -> bool:
    """Tell whether a bet has ended."""
    return client.bet(bet_id).bet.status in SETTLED


def tap(client: TapClient, key: Wallet, system: System, chooser: Chooser) -> BetView:
    """Place one bet that is confirmed; while prices are not fresh yet, or a rate moves away, tap the next cell."""

    def once() -> BetView | None:
        now_ms = SystemClock().now_ms()
        offer = chooser.choose(client.grid(), now_ms)
        if offer is None:
            return None
        chain_id = system.audience.chain_id
        signed = sign_bet(key, offer.cell_id, amount_cents=1000, min_rate_bp=10_000, chain_id=chain_id, now_ms=now_ms)
        try:
            return client.place_bet(signed).bet
        except ApiError as ex:
            if ex.code in PASSING:
                return None
            raise

    bet = wait_until(once)
    assert bet is not None
    assert (bet.status, bet.amount) == ("confirmed", 1000)
    return bet


def check_statement(client: TapClient, system: System, told: dict[str, int]) -> None:
    entries = list(client.statement())[::-1]
    balance = client.me().user.balance
    opening = system.settings.demo_credit_cents
    assert faults(entries, client.all_bets(), opening_cents=opening, balance_cents=balance, told=told) == []
    report = system.audit()
    assert report.ok, report.faults


@pytest.fixture(params=["SQLite", "PostgreSQL"])
def ledger(request: pytest.FixtureRequest) -> dict[str, str]:
    """Return the setting that says what holds the ledger."""
    if request.param == "SQLite":
        return {}
    postgres: Postgres = request.getfixturevalue("postgres")
    return {"database_url": postgres.empty()}


def test_two_games_and_a_restart_add_up(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], ledger: dict[str, str]
) -> None:
    clock = SystemClock()
    with System(tmp_path / "data", **STEADY, **ledger) as system, PatientClient(system.url) as client:
        check_game(play(system), capsys)
        assert system.audit().ok
        wallet, key = new_wallet(), new_wallet()
        client.login(sign_login(wallet, key.address, system.audience, clock.now_ms()))
        chooser = Chooser(Random(1))
        first = tap(client, key, system, chooser)

        system.stop()  # the bet is still open; its column passes while nothing runs
        report = system.audit()
        assert report.ok, report.faults
        system.start()

        told: dict[str, int] = {}
        results: dict[str, str] = {}

        def hear(event: StreamEvent) -> None:
            if event.type == "balance":
                content = msgspec.json.decode(event.data)
                told[content["ledger_id"]] = content["balance"]
            elif event.type == "bet":
                bet = msgspec.json.decode(event.data, type=BetView)
                results[bet.id] = bet.status

        with ThreadPoolExecutor(1) as beside:
            game = beside.submit(play, system)
            wait_until(lambda: is_settled(client, first.id), 20)
            with following(client) as heard:
                assert heard.get(timeout=10).type == "hello"
                second = tap(client, key, system, chooser)

                def settled() -> bool:
                    hear(heard.get(timeout=10))
                    return results.get(second.id) in SETTLED

                wait_until(settled, 30)
            detail = client.bet(second.id)
            assert detail.bet.status == results[second.id]
            assert detail.evidence is not None
            check_game(game.result(timeout=60), capsys)
        check_statement(client, system, told)
