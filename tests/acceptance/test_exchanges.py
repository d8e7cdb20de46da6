"""A house on four live exchanges, one after the other misbehaving, with bets on it and every cent counted."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any

import httpx
import pytest

from runtime.market.models import OF_THE_REPLAY, read_document, version_of
from runtime.storage import ticks_store
from runtime.storage.database import Database, open_reader
from taptrade.choice import Chooser, Offer, offers
from taptrade.client import ApiError, TapClient
from taptrade.statement import faults
from taptrade.views import SETTLED, BetView
from taptrade.wallet import Wallet, new_wallet, sign_bet, sign_login
from tests.acceptance.crowd import CLOCK, NOT_NOW
from tests.acceptance.exchanges import NEAR, OFFSETS, Exchanges
from tests.acceptance.patience import PatientClient
from tests.acceptance.system import System
from tests.waiting import wait_until

STAKE = 1_000
SILENCE_MS = 10_500
"""Longer than a window bears."""
pytestmark = pytest.mark.timeout(240)


class Visitor:
    """A signed-in player who takes what is offered."""

    def __init__(self, system: System, client: TapClient) -> None:
        self.client = client
        self._chain = system.audience.chain_id
        self._key: Wallet = new_wallet()
        self._chooser = Chooser(Random(5))
        self.bets: list[str] = []
        signed = sign_login(new_wallet(), self._key.address, system.audience, CLOCK.now_ms())
        client.login(signed)

    def tap(self, choose: Callable[[], Offer | None] | None = None) -> BetView:
        """Place a bet that is confirmed; where the market has moved on, try the next cell."""
        bet = wait_until(lambda: self._once(choose or self._next), 90, what="a bet that is confirmed")
        assert bet is not None
        assert bet.status == "confirmed"
        self.bets.append(bet.id)
        return bet

    def refusal(self) -> str:
        """Return the code with which a tap is refused now."""
        grid = self.client.grid()
        offer = self._untapped(offers(grid, grid.server_time_ms, columns=20))
        assert offer is not None
        with pytest.raises(ApiError) as refused:
            self._send(offer)
        return refused.value.code

    def far(self) -> Offer | None:
        """Choose a cell whose window begins so late that it is within a silence that begins now."""
        return self._untapped(offers(self.client.grid(), CLOCK.now_ms() + 5_000, columns=20))

    def settled(self, bet_ids: list[str]) -> list[BetView] | None:
        """Return these bets once all are settled."""
        found = [self.client.bet(bet_id).bet for bet_id in bet_ids]
        return found if all(bet.status in SETTLED for bet in found) else None

    def _untapped(self, found: Iterable[Offer]) -> Offer | None:
        taken = {bet.cell_id for bet in self.client.all_bets()}
        return next((offer for offer in found if offer.cell_id not in taken), None)

    def _next(self) -> Offer | None:
        return self._chooser.choose(self.client.grid(), CLOCK.now_ms())

    def _once(self, choose: Callable[[], Offer | None]) -> BetView | None:
        offer = choose()
        try:
            return self._send(offer) if offer else None
        except ApiError as ex:
            if ex.code in NOT_NOW:
                return None
            raise

    def _send(self, offer: Offer) -> BetView:
        now_ms = CLOCK.now_ms()
        signed = sign_bet(
            self._key, offer.cell_id, amount_cents=STAKE, min_rate_bp=10_000, chain_id=self._chain, now_ms=now_ms
        )
        return self.client.place_bet(signed).bet


def health(system: System) -> dict[str, Any]:
    found: dict[str, Any] = httpx.get(f"{system.url}/healthz", trust_env=False).json()
    return found


def seen(system: System, name: str) -> dict[str, Any]:
    """Return what is told of a source; nothing while the feed starts."""
    found: dict[str, Any] = health(system)["sources"].get(name, {})
    return found


@contextmanager
def house(folder: Path, exchanges: Exchanges, **settings: str) -> Iterator[tuple[System, Visitor]]:
    """Run a house that listens to exchanges, and a player in it."""
    system = System(folder / "data", api_workers="1", **exchanges.settings(), **settings)
    exchanges.have_been_heard(system.settings.ticks_database)
    with system, PatientClient(system.url) as client:
        yield system, Visitor(system, client)


def proven_model(path: Path) -> str:
    """Write a model file that a house with these exchanges may go live with, as far as its report says."""
    document = read_document(OF_THE_REPLAY)
    everything = {"rates_bp": [[10_500, 1_000_001, 100]], "columns": list(range(2, 13)), "levels": [[-99, 99]]}
    grid = {"column_seconds": 1, "row_step_cents": 500}
    kind = ",".join(sorted(OFFSETS))
    changed = document | {"kind": kind, "grid": grid, "offered": everything}
    report = {"passes": True, "fill_delay_ms": 500}
    path.write_text(json.dumps(changed | {"version": version_of(changed), "report": report}))
    return str(path)


def operate(system: System, *command: str) -> str:
    """Run a command as the operator does; what it prints."""
    done = subprocess.run(
        [system.python, "-m", "taptrade", *command], env=system.variables, check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def credit(system: System, wallet_address: str) -> None:
    """Credit an account with what the demo gives."""
    cents = str(system.settings.demo_credit_cents)
    operate(system, "deposit", wallet_address, cents, "--reference", "one", "--who", "ann", "--why", "acceptance")


def test_one_exchange_after_the_other_misbehaves_and_a_live_house_goes_on(tmp_path: Path) -> None:
    live = {"mode": "live", "reward_model": proven_model(tmp_path / "model.json")}
    with Exchanges() as exchanges, house(tmp_path, exchanges, **live) as (system, visitor):
        began_ms = CLOCK.now_ms()
        assert system.settings.fill_delay_ms == 500
        credit(system, visitor.client.me().user.wallet_address)
        wait_until(lambda: all(source["counted"] for source in health(system)["sources"].values()), 20)
        visitor.tap()

        # After 24 hours.
        exchanges.servers["binance"].farewell()
        exchanges.servers["binance"].close(1001)
        visitor.tap()
        wait_until(lambda: seen(system, "binance")["reconnects"] >= 1, 20, what="a connection after the farewell")

        # A wick that no other has, and what is no price at all.
        for price in ("187500.00", "1.00", "0.00", "93750.00"):
            exchanges.servers["kraken"].price(price)
        exchanges.servers["coinbase"].send("{{{ what?")
        exchanges.servers["coinbase"].quote("1.00", "1.02", late=True)
        visitor.tap()
        wait_until(lambda: seen(system, "kraken")["dropped"].get("outlier", 0) >= 1, 20, what="a wick that is counted")
        wait_until(
            lambda: seen(system, "coinbase")["dropped"].get("garbage", 0) >= 1, 20, what="garbage that is counted"
        )

        # Half open: there is a connection, and nothing comes.
        exchanges.servers["bitstamp"].freeze()
        wait_until(lambda: not seen(system, "bitstamp")["fresh"], 20, what="a source that is not fresh")
        visitor.tap()
        assert health(system)["checks"]["price_feed"]["ok"]
        wait_until(lambda: seen(system, "bitstamp")["reconnects"] >= 1, 40, what="a connection after the silence")
        wait_until(lambda: seen(system, "bitstamp")["counted"], 20, what="a source that is back")

        wait_until(lambda: visitor.settled(visitor.bets), 60, what="results")
        check_ticks(system, exchanges, began_ms)
        check_money(system, visitor)
        # Each waited for its tick, at a rate of the model's that the wait did not break.
        redone = json.loads(operate(system, "recompute", "--json"))
        assert (redone["bets"], redone["rates"], redone["differences"]) == (len(visitor.bets), len(visitor.bets), [])


def test_with_one_fresh_source_bets_are_refused_and_windows_void(tmp_path: Path) -> None:
    with Exchanges() as exchanges, house(tmp_path, exchanges) as (system, visitor):
        wait_until(lambda: all(source["counted"] for source in health(system)["sources"].values()), 20)
        for _ in range(3):
            visitor.tap(visitor.far)
        for name in ("binance", "coinbase", "kraken"):
            exchanges.servers[name].habit("silent")
        wait_until(lambda: breaker(system) == "DEGRADED", 20, every_s=0.1, what="a breaker that warns")
        check = health(system)["checks"]["price_feed"]
        assert (check["ok"], check["detail"].partition("; ")[2]) == (False, "1 of 4 sources agree, 2 must")
        wait_until(lambda: age_ms(system) > system.settings.max_fill_age_ms, 5)
        assert visitor.refusal() == "PRICE_FEED_STALE"
        wait_until(lambda: age_ms(system) > SILENCE_MS, 30, what="a silence that no window bears")
        wait_until(lambda: breaker(system) == "CRITICAL", 5, what="a breaker that refuses bets")
        for name in ("binance", "coinbase", "kraken"):
            exchanges.servers[name].habit("silent", on=False)
        # Those that gave up their connections come back one by one, with pauses in between.
        bets = wait_until(lambda: visitor.settled(visitor.bets), 90, what="refunds")
        assert bets is not None
        assert [bet.status for bet in bets] == ["void"] * 3
        assert visitor.client.me().user.balance == system.settings.demo_credit_cents
        check_money(system, visitor)


def age_ms(system: System) -> int:
    with ticks_of(system) as reader:
        latest = ticks_store.latest(reader)
    assert latest is not None
    return CLOCK.now_ms() - latest.id


def breaker(system: System) -> str:
    return str(health(system)["checks"]["breaker"]["detail"].partition(",")[0])


@contextmanager
def ticks_of(system: System) -> Iterator[Database]:
    reader = open_reader(system.settings.ticks_database)
    try:
        yield reader
    finally:
        reader.close()


def check_ticks(system: System, exchanges: Exchanges, since_ms: int) -> None:
    """No tick is anywhere but where the market was, and each says who is behind it."""
    with ticks_of(system) as reader:
        ticks = ticks_store.between(reader, since_ms, CLOCK.now_ms(), limit=100_000)
    assert len(ticks) > 50
    assert min(tick.low for tick in ticks) / 100 > exchanges.lowest - NEAR
    assert max(tick.high for tick in ticks) / 100 < exchanges.highest + NEAR
    assert {"binance,bitstamp,coinbase,kraken", "binance,coinbase,kraken"} <= {tick.sources for tick in ticks}


def check_money(system: System, visitor: Visitor) -> None:
    client = visitor.client
    entries = list(client.statement())[::-1]
    balance, opening = client.me().user.balance, system.settings.demo_credit_cents
    assert faults(entries, client.all_bets(), opening_cents=opening, balance_cents=balance, told={}) == []
    report = system.audit()
    assert report.ok, report.faults
