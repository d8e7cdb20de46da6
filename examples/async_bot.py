"""The same bot for asyncio: it hears the stream while several taps are under way. docs/clients.md tells more."""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sys
from contextlib import aclosing

from taptrade.choice import Offer, offers
from taptrade.client import AsyncAccount
from taptrade.views import SETTLED, BetView, GridView, SnapshotView
from taptrade.wallet import new_wallet

UNDER_WAY_MAX = 2
GRID_OLD_MS = 1_000
HOPELESS = frozenset({"INSUFFICIENT_FUNDS", "LIMIT_REACHED", "FORBIDDEN", "INVALID_SIGNATURE", "PLAYER_FORGOTTEN"})


class Bot:
    """Taps side by side, and keeps what became of each bet; a result may be heard before the tap is answered."""

    def __init__(self, account: AsyncAccount, bets: int) -> None:
        self.account = account
        self.bets = bets
        self.placed: set[str] = set()
        self.results: dict[str, BetView] = {}
        self.tapped: set[str] = set()
        self.under_way = 0

    async def play(self) -> None:
        """Follow the stream until every bet has its result; whatever a tap raises ends it."""
        async with asyncio.TaskGroup() as taps, aclosing(self.account.events()) as events:
            async for event in events:
                match event.type:
                    case "grid":
                        self.tap(event.read(GridView), taps)
                    case "bet":
                        self.hear(event.read(BetView))
                    case "snapshot" | "reset":
                        await self.catch_up(event.read(SnapshotView))
                if len(self.placed) == self.bets and self.placed <= self.results.keys():
                    return

    def tap(self, grid: GridView, taps: asyncio.TaskGroup) -> None:
        """Begin another tap, unless enough are under way."""
        now_ms = self.account.server_ms()
        free = [offer for offer in offers(grid, now_ms) if offer.cell_id not in self.tapped]
        if self.under_way >= min(UNDER_WAY_MAX, self.bets - len(self.placed)):
            return
        if not free or now_ms - grid.server_time_ms > GRID_OLD_MS:
            return
        offer = random.choice(free)  # noqa: S311 - a strategy is yours to write
        self.tapped.add(offer.cell_id)
        self.under_way += 1
        taps.create_task(self.place(offer, grid.presets_cents[0]))

    async def place(self, offer: Offer, stake_cents: int) -> None:
        """Bet, and keep what became of it."""
        fate = await self.account.place(offer.cell_id, stake_cents=stake_cents, min_rate_bp=offer.min_rate_bp)
        self.under_way -= 1
        if fate.bet is not None:
            self.placed.add(fate.bet.id)
            return
        say(refused=fate.code, cell=offer.cell_id)
        if fate.code in HOPELESS:
            raise SystemExit(f"{fate.code}: {fate.detail}")

    def hear(self, bet: BetView) -> None:
        """Keep a result, whichever way it came."""
        if bet.status in SETTLED and bet.id not in self.results:
            self.results[bet.id] = bet
            say(bet=bet.id, status=bet.status, payout=bet.payout_amount)

    async def catch_up(self, snapshot: SnapshotView) -> None:
        """Ask for the bets that have ended unheard: those that are no longer open."""
        still_open = {bet.id for bet in snapshot.open_bets or ()}
        for bet_id in self.placed - self.results.keys() - still_open:
            self.hear((await self.account.bet(bet_id)).bet)

    async def recount(self) -> None:
        """Hold the bets against the statement: each has taken its stake once."""
        entries = await self.account.statement()
        stakes = sorted(entry.ref_id for entry in entries if entry.ref_type == "BET")
        say(placed=sorted(self.placed), balance=entries[0].balance_after, adds_up=stakes == sorted(self.placed))


def say(**fields: object) -> None:
    """Print a line of JSON."""
    print(json.dumps(fields), flush=True)


async def main() -> None:
    """Play with a wallet to throw away."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url", help="the house, such as http://127.0.0.1:8000")
    parser.add_argument("--bets", type=int, default=5, help="bets to place (default 5)")
    parser.add_argument("--domain", help="domain that logins are signed for (default: the url's)")
    args = parser.parse_args()
    wallet = new_wallet()
    account = AsyncAccount(args.url, wallet, domain=args.domain, on_wait=lambda why: print(why, file=sys.stderr))
    async with account:
        say(wallet=wallet.address)
        bot = Bot(account, args.bets)
        await bot.play()
        await bot.recount()


if __name__ == "__main__":
    asyncio.run(main())
