"""A player with a wallet, a session key and real signatures, between a writer's desk and a settler's court."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from msgspec import structs

from runtime.auth.bet_text import bet_text
from runtime.auth.signatures import sign
from runtime.clock import ManualClock
from runtime.explanation import Proof, Reach, Yardstick, find_bet, gather, prove
from runtime.game.rewards import BrownianTouch
from runtime.messaging.commands import Delegation, OpenAccount, PlaceBet
from tests.jobs.court import END_MS, GRACE_MS, Court
from tests.jobs.writer_desk import RULES, Desk
from tests.runtime.auth.logins import KEY, SESSION_KEY, WALLET, delegating, signed

SESSION_SECRET = b"\x22" * 32
YARDSTICK = Yardstick(BrownianTouch(RULES, 500), house_edge_bp=500, chain_ids=(1,))


class SignedPlay:
    """One account whose bets are signed, and the ticks that decide them."""

    def __init__(self, desk: Desk, folder: Path, clock: ManualClock, **login: Any) -> None:
        self.desk = desk
        self.court = Court(desk, folder, clock)
        self.delegation_id = desk.new_id()
        message, signature = signed(delegating(clock.now_ms(), **login).to_text(), KEY)
        opened = desk.do(
            OpenAccount(
                id=desk.new_id(),
                received_ms=clock.now_ms(),
                decided_by_ms=clock.now_ms() + 10_000,
                user_id=desk.new_id(),
                wallet_address=WALLET,
                credit_cents=1_000_000,
                delegation=Delegation(self.delegation_id, SESSION_KEY, message, signature),
            )
        )[0]
        self.user_id: str = opened.data["user_id"]
        self.court.tick(clock.now_ms())

    def bet(self, *, key: bytes = SESSION_SECRET, signer: str = SESSION_KEY, **changes: Any) -> PlaceBet:
        """Return a signed bet."""
        delegation = self.delegation_id if signer == SESSION_KEY else None
        bet = self.desk.bet(self.user_id, signer=signer, delegation_id=delegation, **changes)
        text = bet_text(bet.cell_id, bet.amount, bet.min_rate_bp, bet.nonce, bet.signed_at_s, 1)
        return bet if "signature" in changes else structs.replace(bet, signature=sign(text.encode(), key))

    def place(self, **changes: Any) -> str:
        """Place a signed bet; its id."""
        bet = self.bet(**changes)
        self.desk.place(bet)
        return bet.id

    def end(self, *prices: int, following: bool = True) -> None:
        """Let the column pass with these prices in it, and settle it by the real settler and writer."""
        self.court.path(*prices, following=following)
        self.court.at(END_MS + (GRACE_MS + 500 if following else 61_000))
        assert self.court.settler.run() == 1
        self.desk.work()

    def prove(self, bet_id: str, *, reach: Reach = "all", yardstick: Yardstick = YARDSTICK) -> Proof:
        """Prove a bet down to the recorded ticks."""
        bet = find_bet(self.desk.database.execute, bet_id)
        assert bet is not None
        return prove(gather(self.desk.database.execute, bet, reach), yardstick, self.court.ticks)

    def parts(self, bet_id: str, **how: Any) -> dict[str, bool | None]:
        """Return what holds of a bet's proof."""
        proof = self.prove(bet_id, **how)
        names = ("signed", "rate", "window", "decision", "money", "chain")
        return {name: getattr(proof, name).ok for name in names}

    def by_hand(self, sql: str) -> None:
        """Change the database behind the writer's back."""
        for trigger in ("ledger_is_append_only", "ledger_keeps_its_rows"):
            self.desk.database.execute(f"DROP TRIGGER IF EXISTS {trigger}")
        self.desk.database.execute("PRAGMA foreign_keys = 0")
        self.desk.database.execute(sql)
