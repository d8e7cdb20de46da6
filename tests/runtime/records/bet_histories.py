"""Histories of bets, made at random by the real writer: taken, refused, unpaid, settled by every result."""

from __future__ import annotations

from random import Random

from runtime.game.bets import COLUMNS, Bet, from_row
from runtime.game.grid import column_of
from runtime.records.player_bets import Wanted
from tests.jobs.writer_desk import PRICE_CENTS, RULES, Desk

FAR_CENTS = PRICE_CENTS + 100_000
TURNS = 30


class History:
    """Three players' bets: one has hardly any money, one stakes what no preset allows now and then."""

    def __init__(self, desk: Desk, seed: int) -> None:
        self.desk = desk
        self.random = Random(seed)
        self.users = [desk.player(1), desk.player(2, cents=500), desk.player(3)]
        self.idle = desk.player(4)
        self._settled = column_of(desk.clock.now_ms(), RULES)
        for _ in range(TURNS):
            self._turn()

    def _turn(self) -> None:
        desk, random = self.desk, self.random
        # Most moments see several commits: times alone do not order them.
        desk.clock.advance(random.choice((0, 0, 1, 1_000)))
        desk.show(PRICE_CENTS)
        bets = [
            desk.bet(
                random.choice(self.users),
                columns=random.randint(1, 6),
                rows=random.randint(-1, 1),
                amount=random.choice((100, 100, 100, 123)),
            )
            for _ in range(random.randint(1, 5))
        ]
        desk.place(*bets)
        if random.random() < 0.25:
            desk.clock.advance(RULES.column_seconds * 1000)
            self._settled += RULES.column_seconds
            touched = random.choice((PRICE_CENTS, FAR_CENTS))
            desk.settle(self._settled, touched, touched, covered=random.random() < 0.7)

    def bets(self, user_id: str) -> list[Bet]:
        """Return all bets of a user, oldest first, by a look at the whole table."""
        rows = self.desk.database.execute(f"SELECT {', '.join(COLUMNS)} FROM bets ORDER BY seq")
        return [bet for bet in map(from_row, rows) if bet.user_id == user_id]


def fits(bet: Bet, wanted: Wanted) -> bool:
    """Tell whether a bet is one of those that are asked for."""
    return (
        wanted.status in (None, bet.status)
        and wanted.cell_id in (None, bet.cell_id)
        and (wanted.from_ms is None or bet.placed_at >= wanted.from_ms)
        and (wanted.to_ms is None or bet.placed_at < wanted.to_ms)
    )
