"""A player with a wallet, a session key and real signatures, between a writer's desk and a settler's court."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from msgspec import structs

from runtime.auth.bet_text import bet_text
from runtime.auth.guests import guest_text
from runtime.auth.p256 import address_of_key
from runtime.auth.siwe import SESSION_KEY_URN
from runtime.clock import ManualClock
from runtime.explanation import Proof, Reach, Yardstick, find_bet, gather, prove
from runtime.game.rewards import BrownianTouch
from runtime.messaging.commands import Delegation, OpenAccount, PlaceBet, PlaceBets
from tests.by_hand import loosen
from tests.jobs.court import END_MS, GRACE_MS, Court
from tests.jobs.gestures import gesture_of_bets
from tests.jobs.writer_desk import RULES, Desk
from tests.runtime.auth.browser import Key, name_of, signature_by
from tests.runtime.auth.logins import DOMAIN, KEY, WALLET, signed
from tests.runtime.auth.logins import message as login_message

SESSION_SECRET = b"\x22" * 32
YARDSTICK = Yardstick(BrownianTouch(RULES, 500), house_edge_bp=500, chain_ids=(1,))


class SignedPlay:
    """One account whose bets are signed, and the ticks that decide them."""

    def __init__(
        self,
        desk: Desk,
        folder: Path,
        clock: ManualClock,
        *,
        key: Key = SESSION_SECRET,
        guest: bool = False,
        **login: Any,
    ) -> None:
        self.desk = desk
        self.key, self.signer = key, name_of(key)
        self.court = Court(desk, folder, clock)
        self.delegation_id = desk.new_id()
        if guest:
            message = guest_text(DOMAIN, self.signer, "guest0001", clock.now_ms() // 1000)
            signature = signature_by(key, message.encode())
        else:
            resources = (SESSION_KEY_URN + self.signer,)
            message, signature = signed(login_message(clock.now_ms(), resources=resources, **login).to_text(), KEY)
        opened = desk.do(
            OpenAccount(
                id=desk.new_id(),
                received_ms=clock.now_ms(),
                decided_by_ms=clock.now_ms() + 10_000,
                user_id=desk.new_id(),
                wallet_address=address_of_key(self.signer) if guest else WALLET,
                guest_key=self.signer if guest else None,
                credit_cents=1_000_000,
                delegation=Delegation(self.delegation_id, self.signer, message, signature),
            )
        )[0]
        self.user_id: str = opened.data["user_id"]
        self.court.tick(clock.now_ms())

    def bet(self, *, key: Key | None = None, signer: str = "", **changes: Any) -> PlaceBet:
        """Return a signed bet."""
        signer = signer or self.signer
        delegation = self.delegation_id if signer == self.signer else None
        bet = self.desk.bet(self.user_id, signer=signer, delegation_id=delegation, **changes)
        text = bet_text(bet.cell_id, bet.amount, bet.min_rate_bp, bet.nonce, bet.signed_at_s, 1)
        return (
            bet
            if "signature" in changes
            else structs.replace(bet, signature=signature_by(key or self.key, text.encode()))
        )

    def gesture(self, *bets: PlaceBet) -> PlaceBets:
        """Return a signed gesture of what bets say."""
        return gesture_of_bets(bets, lambda text: signature_by(self.key, text.encode()))

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
        loosen(self.desk.database).execute(sql)
