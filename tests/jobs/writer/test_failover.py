"""A failover of Redis under bets, counted by the ledger: nothing acknowledged is lost, no signature counts twice."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import msgspec
import pytest

from loadtest.bets import CREDIT_CENTS, PRICE_CENTS, place_bet, stamped, tick
from loadtest.lone_writer import SETTINGS
from runtime.audit import audit
from runtime.auth.bet_text import WINDOW_FUTURE_S
from runtime.clock import SystemClock
from runtime.game.grid import Cell, column_of
from runtime.market.models import rules_of
from runtime.messaging import queues, redis_keys
from runtime.messaging.commands import OpenAccount, PlaceBet
from runtime.messaging.connection import OUTAGES, connect
from runtime.messaging.queues import Queue, Ticket, decode_outcomes, new_id
from runtime.messaging.redis_values import encode_tick
from runtime.settings import Settings, load
from runtime.storage.database import LEDGER_MIGRATIONS, open_reader
from runtime.storage.migrate import migrate
from tests.chaos.two_writers.count import counted
from tests.sentinel import Watched, watched
from tests.serving import serving
from tests.waiting import wait_until

pytestmark = [pytest.mark.timeout(180), pytest.mark.integration]
ORIGIN = "failover"
EVERY_S = 0.02
PLAYERS = 400
ROWS, AHEAD = 10, 4


class Bettor:
    """One API's part: sends signed bets all the time, takes their answers, and remembers what it was told."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.client = connect(settings.redis_url)
        self.queue = Queue(self.client, queues.BETS, ORIGIN)
        self.sent: dict[str, PlaceBet] = {}
        self.answers: dict[str, str | None] = {}
        self.clock = SystemClock()
        self._rules = rules_of(settings)
        self._players: list[str] = []
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._play)

    def begin(self) -> None:
        """Open the accounts and bet."""
        now_ms = self.clock.now_ms()
        commands = [
            OpenAccount(
                **stamped(now_ms), user_id=new_id(now_ms), wallet_address=f"0x{number:040x}", credit_cents=CREDIT_CENTS
            )
            for number in range(PLAYERS)
        ]
        self._players = [command.user_id for command in commands]
        queues.send_commands(self.client, commands, ORIGIN, now_ms)
        self._thread.start()

    def end(self) -> None:
        """Bet no more."""
        self._over.set()
        if self._thread.is_alive():
            self._thread.join(20)
        self.client.close()

    def placed(self) -> list[str]:
        """Return the bets that were acknowledged so far."""
        return [bet for bet, code in [*self.answers.items()] if code is None]

    def place_more(self) -> None:
        """Wait until a bet is acknowledged that is not sent yet."""
        before = {*self.sent}
        wait_until(lambda: {*self.placed()} - before, 60, what="a bet that is placed from now on")

    def ticket(self, bet: PlaceBet) -> Ticket:
        """Return what the API would queue for a bet."""
        return Ticket(bet, nonce_key=redis_keys.nonce(bet.signer, bet.nonce), signed_at_s=bet.signed_at_s)

    def _play(self) -> None:
        bets = self._bets()
        while not self._over.wait(EVERY_S):
            with suppress(*OUTAGES):
                now_ms = self.clock.now_ms()
                self.client.set(redis_keys.TICK_LATEST, encode_tick(tick(now_ms, 200.0)))
                bet = next(bets)
                self.sent[bet.id] = bet
                [result] = self.queue.enqueue([self.ticket(bet)], now_ms)
                if result.code:
                    self.answers[bet.id] = result.code
                self._listen()

    def _listen(self) -> None:
        found: Any = self.client.lpop(redis_keys.replies(ORIGIN), 500)
        for data in found or ():
            self.answers.update((one.id, one.code) for one in decode_outcomes(data) if one.id in self.sent)

    def _bets(self) -> Iterator[PlaceBet]:
        """Make bets dated as far ahead as a fast clock may date them, no two of a player on one cell."""
        number, step = 0, self._rules.row_step_cents
        while True:
            now_ms = self.clock.now_ms()
            turn, player = divmod(number, PLAYERS)
            start_s = column_of(now_ms, self._rules) + (AHEAD + turn // ROWS) * self._rules.column_seconds
            low = PRICE_CENTS + step * (turn % ROWS - ROWS // 2)
            bet = place_bet(self._players[player], Cell(start_s, low, low + step), now_ms)
            yield msgspec.structs.replace(bet, signed_at_s=now_ms // 1000 + WINDOW_FUTURE_S)
            number += 1


@contextmanager
def playing(house: Watched, data: Path) -> Iterator[Bettor]:
    """Run a writer, and a bettor whose bets are being placed."""
    settings = load({"TAPTRADE_DATA": str(data), "TAPTRADE_REDIS_URL": house.url, **SETTINGS})
    data.mkdir()
    migrate(settings.database, LEDGER_MIGRATIONS, SystemClock())
    with serving("writer", data, house.url, **SETTINGS):
        bettor = Bettor(settings)
        bettor.begin()
        try:
            bettor.place_more()
            yield bettor
        finally:
            bettor.end()


def assert_adds_up(bettor: Bettor) -> None:
    with closing(open_reader(bettor.settings.database)) as ledger:
        stored = {row[0]: row[1] for row in ledger.execute("SELECT id, status FROM bets")}
        assert audit(ledger).findings == []
    unanswered = bettor.sent.keys() - bettor.answers.keys()
    count = counted(bettor.answers, unanswered, stored, [], {})
    assert (count.lost, count.contradicted) == ([], [])
    assert stored.keys() <= bettor.sent.keys()


def assert_no_signature_counts_again(bettor: Bettor, bets: list[str]) -> None:
    with closing(connect(bettor.settings.redis_url)) as client:
        queue, now_ms = Queue(client, queues.BETS, "again"), bettor.clock.now_ms()
        again = [bettor.ticket(place_again(bettor.sent[bet], now_ms)) for bet in bets]
        wait_until(lambda: answers(client), what="a primary")
        codes = {result.code for ticket in again for result in queue.enqueue([ticket], now_ms)}
    assert codes <= {"NONCE", "EPOCH"}
    assert codes


def place_again(bet: PlaceBet, now_ms: int) -> PlaceBet:
    """Return a bet as the API makes it of the same signed words that come once more."""
    return msgspec.structs.replace(bet, **stamped(now_ms))


def answers(client: Any) -> bool:
    with suppress(*OUTAGES):
        return bool(client.ping())
    return False


def test_a_primary_that_is_killed_under_bets(tmp_path: Path) -> None:
    with watched(tmp_path) as house, playing(house, tmp_path / "data") as bettor:
        house.primary.kill()
        before = [*bettor.sent]
        house.promoted()
        bettor.place_more()
        assert_no_signature_counts_again(bettor, before)
        bettor.end()
        assert_adds_up(bettor)


def test_a_primary_that_is_stopped_under_bets_and_wakes_up_replaced(tmp_path: Path) -> None:
    with watched(tmp_path) as house, playing(house, tmp_path / "data") as bettor:
        house.primary.stop()
        before = [*bettor.sent]
        house.promoted()
        house.primary.wake()
        # Until Sentinel has heard from it twice and demotes it, it takes what comes on old connections.
        wait_until(lambda: house.primary.tells()["role"] == "slave", 30, what="a primary that was demoted")
        bettor.place_more()
        assert_no_signature_counts_again(bettor, before)
        bettor.end()
        assert_adds_up(bettor)
