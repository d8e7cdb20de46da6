"""A bot that survives refusals, disconnects and lost answers. docs/clients.md leads through it.

Prints what became of each bet as a line of JSON, and ends once every bet is settled and the statement shows it once.
"""

from __future__ import annotations

import argparse
import json
import random
import secrets
import sys
from collections.abc import Sequence
from pathlib import Path

from taptrade.choice import Offer, offers
from taptrade.client import Account, WantedTap
from taptrade.views import SETTLED, BetView, GridView, SnapshotView
from taptrade.wallet import load, new_wallet

GRID_OLD_MS = 1_000
TOP_UP_CENTS = 10_000
HOPELESS = frozenset({"LIMIT_REACHED", "FORBIDDEN", "INVALID_SIGNATURE", "PLAYER_FORGOTTEN"})


class Bot:
    """Taps cells of the grid, and keeps what became of each bet."""

    def __init__(self, account: Account, bets: int, at_once: int = 1) -> None:
        self.account = account
        self.bets = bets
        self.at_once = at_once
        self.placed: dict[str, BetView] = {}
        self.results: dict[str, BetView] = {}
        self.tapped: set[str] = set()

    def play(self) -> None:
        """Follow the stream until every bet has its result."""
        for event in self.account.events():
            match event.type:
                case "grid" if len(self.placed) < self.bets:
                    self.tap(event.read(GridView))
                case "bet":
                    self.hear(event.read(BetView))
                case "snapshot" | "reset":
                    self.catch_up(event.read(SnapshotView))
            if len(self.placed) == self.bets and self.placed.keys() <= self.results.keys():
                return

    def tap(self, grid: GridView) -> None:
        """Bet on one cell that the grid offers; a refusal costs nothing, and the next grid brings another cell."""
        now_ms = self.account.server_ms()
        free = [offer for offer in offers(grid, now_ms) if offer.cell_id not in self.tapped]
        if not free or now_ms - grid.server_time_ms > GRID_OLD_MS:
            return
        if self.at_once > 1:
            self.tap_many(grid, free)
            return
        offer = random.choice(free)  # noqa: S311 - a strategy is yours to write
        self.tapped.add(offer.cell_id)
        fate = self.account.place(offer.cell_id, stake_cents=grid.presets_cents[0], min_rate_bp=offer.min_rate_bp)
        if fate.bet is not None:
            self.placed[fate.bet.id] = fate.bet
            return
        say(refused=fate.code, cell=offer.cell_id)
        if fate.code == "INSUFFICIENT_FUNDS":
            self.account.deposit(TOP_UP_CENTS, key=secrets.token_hex(16))
        elif fate.code in HOPELESS:
            sys.exit(f"{fate.code}: {fate.detail}")

    def tap_many(self, grid: GridView, free: Sequence[Offer]) -> None:
        """Bet on several cells under one signature; each has its own answer."""
        count = min(self.at_once, self.bets - len(self.placed), len(free))
        taps = [WantedTap(offer.cell_id, grid.presets_cents[0], offer.min_rate_bp) for offer in free[:count]]
        for tap, fate in zip(taps, self.account.place_many(taps), strict=True):
            self.tapped.add(tap.cell_id)
            if fate.bet is not None:
                self.placed[fate.bet.id] = fate.bet
            else:
                say(refused=fate.code, cell=tap.cell_id)

    def hear(self, bet: BetView) -> None:
        """Keep a result, whichever way it came."""
        if bet.status in SETTLED and bet.id not in self.results:
            self.results[bet.id] = bet
            say(bet=bet.id, status=bet.status, payout=bet.payout_amount)

    def catch_up(self, snapshot: SnapshotView) -> None:
        """Ask for the bets that have ended unheard: those that are no longer open."""
        still_open = {bet.id for bet in snapshot.open_bets or ()}
        for bet_id in self.placed.keys() - self.results.keys() - still_open:
            self.hear(self.account.bet(bet_id).bet)

    def recount(self) -> None:
        """Hold the bets against the statement: each has taken its stake once."""
        entries = self.account.statement()
        stakes = sorted(entry.ref_id for entry in entries if entry.ref_type == "BET" and entry.ref_id in self.placed)
        adds_up = stakes == sorted(self.placed) and sum(entry.amount for entry in entries) == entries[0].balance_after
        say(placed=sorted(self.placed), balance=entries[0].balance_after, adds_up=adds_up)


def say(**fields: object) -> None:
    """Print a line of JSON."""
    print(json.dumps(fields), flush=True)


def main() -> None:
    """Play."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url", help="the house, such as http://127.0.0.1:8000")
    parser.add_argument("--bets", type=int, default=5, help="bets to place (default 5)")
    parser.add_argument("--at-once", type=int, default=1, help="cells to tap under one signature (default 1)")
    parser.add_argument("--key", type=Path, help="key file of `taptrade wallet new` (default: a wallet to throw away)")
    parser.add_argument("--domain", help="domain that logins are signed for (default: the url's)")
    args = parser.parse_args()
    wallet = load(args.key) if args.key else new_wallet()
    with Account(args.url, wallet, domain=args.domain, on_wait=lambda why: print(why, file=sys.stderr)) as account:
        say(wallet=wallet.address)
        bot = Bot(account, args.bets, args.at_once)
        bot.play()
        bot.recount()


if __name__ == "__main__":
    main()
