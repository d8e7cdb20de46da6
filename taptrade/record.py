"""The player's own record: every bet of the game in its newest state, and what the stream told."""

from __future__ import annotations

from dataclasses import dataclass, field

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from taptrade.choice import Offer
from taptrade.client.stream import StreamEvent
from taptrade.views import REFUSED, SETTLED, BetView, GridView, SnapshotView


class TouchedView(Struct, frozen=True):
    """The band that the price has just passed through in the running column; provisional."""

    column_start_s: int
    low_cents: int
    high_cents: int


class BalanceView(Struct, frozen=True):
    """A new balance, and the ledger entry that it came from."""

    balance: int
    ledger_id: str


@dataclass(slots=True)
class Tap:
    """One bet of this game: what was tapped, what became of it, and why."""

    number: int
    offer: Offer
    bet: BetView
    touched: bool = False
    explained: bool = False
    why: str = ""

    @property
    def settled(self) -> bool:
        """Whether its money has moved for the last time."""
        return self.bet.status in SETTLED

    @property
    def state(self) -> str:
        """The bet's status; an open one that the price has touched is `touched`, provisionally."""
        return "touched" if self.touched and self.bet.status == "confirmed" else self.bet.status


@dataclass(slots=True)
class Record:
    """All taps by bet id; `told` are the balances that the stream told, by ledger id."""

    taps: dict[str, Tap] = field(default_factory=dict)
    told: dict[str, int] = field(default_factory=dict)
    streamed: set[str] = field(default_factory=set)
    refusals: list[str] = field(default_factory=list)
    grid: GridView | None = None
    made: int = 0

    @property
    def open_taps(self) -> list[Tap]:
        """Bets whose result is still to come."""
        return [tap for tap in self.taps.values() if not tap.settled]

    def add(self, offer: Offer, bet: BetView) -> Tap:
        """Note a bet that was placed, or may still be."""
        self.made += 1
        tap = self.taps[bet.id] = Tap(self.made, offer, bet)
        return tap

    def drop(self, tap: Tap, code: str) -> None:
        """Forget a pending bet that was never placed."""
        del self.taps[tap.bet.id]
        tap.bet = replace(tap.bet, status="never placed")
        self.refusals.append(code)

    def take(self, bet: BetView) -> Tap | None:
        """Note a bet's newer state; None if it says nothing new, for a settled bet never changes again.

        A pending one that was refused took no money and waits for nothing: another cell is tapped in its stead.
        """
        tap = self.taps.get(bet.id)
        if tap is None or tap.settled or tap.bet.status == bet.status:
            return None
        tap.bet = bet
        if bet.status in REFUSED:
            del self.taps[bet.id]
            self.refusals.append(bet.refusal_code or bet.status)
        return tap

    def hear(self, event: StreamEvent) -> list[Tap]:
        """Note what one event of the stream tells; return the taps that it changed."""
        match event.type:
            case "bet":
                return self._hear_bet(msgspec.json.decode(event.data, type=BetView))
            case "balance":
                balance = msgspec.json.decode(event.data, type=BalanceView)
                self.told[balance.ledger_id] = balance.balance
            case "touched":
                return self._hear_touched(msgspec.json.decode(event.data, type=TouchedView))
            case "grid":
                self.grid = msgspec.json.decode(event.data, type=GridView)
            case "snapshot" | "reset":
                self.grid = msgspec.json.decode(event.data, type=SnapshotView).grid or self.grid
            case _:
                pass  # hello, price, status, column: nothing that a bet's record needs
        return []

    def _hear_bet(self, bet: BetView) -> list[Tap]:
        if bet.status in SETTLED:
            self.streamed.add(bet.id)
        tap = self.take(bet)
        return [] if tap is None else [tap]

    def _hear_touched(self, touched: TouchedView) -> list[Tap]:
        hit = [
            tap
            for tap in self.open_taps
            if not tap.touched
            and tap.offer.column.start_s == touched.column_start_s
            and tap.offer.row.low_cents <= touched.high_cents
            and tap.offer.row.high_cents >= touched.low_cents
        ]
        for tap in hit:
            tap.touched = True
        return hit
