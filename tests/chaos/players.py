"""Players under faults: each taps, tops up and withdraws over HTTP, and goes after every answer that was lost."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from random import Random
from typing import Any, TypeVar

import httpx

from runtime.clock import SystemClock
from taptrade.choice import Chooser, Offer
from taptrade.client import ApiError, calls
from taptrade.views import BetView, DepositedView, GridView, WantedTap, WithdrawnView
from taptrade.wallet import Audience, sign_bet, sign_gesture, sign_withdrawal
from tests.chaos.attempts import LIVE, UNKNOWN, Answer, Attempt, Movement, SentGesture, answer_of
from tests.chaos.hearing import Ear
from tests.chaos.owners import Kind, Owner, OwnersClient

GESTURES = 0.2
"""The share of taps that are gestures of two to six."""
STAKES = (100, 100, 100, 500, 1000)
REPEAT_UNTIL_MS = 25_000
"""A signature is good for 30 s."""
DECIDED_MS = 12_000
"""A bet is decided 10 s after its receipt at the latest."""
MOVEMENT_CENTS = 100
PAGE_ROWS = 500
CLOCK = SystemClock()
T = TypeVar("T")


class Player:
    """One account's owner, its session, its stream, and the log of all that it was answered."""

    def __init__(
        self,
        url: str,
        audience: Audience,
        random: Random,
        *,
        kind: Kind,
        patient: float,
        report: Callable[[str], None],
    ) -> None:
        """`patient` is the share of bets that wait for their commit; `report` takes what no player should see."""
        self.owner = Owner(kind, audience)
        self.client = OwnersClient(url)
        self.audience = audience
        self.random = random
        self.user_id = ""
        self.attempts: list[Attempt] = []
        self.movements: list[Movement] = []
        self.bets: dict[str, BetView] = {}
        """The own bets as listed at the end, by cell."""
        self.balance_cents: int | None = None
        self._heard_with = ""
        self.ear = Ear(url, self._token_to_hear_with)
        self.codes: list[tuple[int, str]] = []
        self.waits_ms: dict[str, list[int]] = {}
        """How long the answers 201 took, by the newest fault when they came."""
        self._patient = patient
        self._report = report
        self._chooser = Chooser(random)
        self._unsure: list[Attempt] = []
        self._pending: list[Attempt] = []

    def turn(self, grid: GridView | None, fault: str) -> None:
        """Do one thing that a player does, and ask for the fate of what is pending."""
        if not self.client.token and not self.log_in():
            return
        self._ask_for_pending()
        unsure = self._unsure.pop(0) if self._unsure else None
        roll = self.random.random()
        if unsure is not None:
            self._send(unsure, fault)
        elif roll < 0.04:
            self._move(self._open_movement("DEPOSIT"))
        elif roll < 0.06 and not self.owner.is_guest:
            self._move(self._open_movement("WITHDRAWAL"))
        elif roll < 0.08 and self.owner.wants_wallet:
            self._get_wallet()
        elif grid is not None:
            self._tap(grid, fault)

    def _token_to_hear_with(self) -> str:
        """Return the session's token; between two sessions that of the one that is gone, which is refused.

        Without any the stream would be a stranger's, for good, and tell of nobody's bets.
        """
        self._heard_with = self.client.token or self._heard_with
        return self._heard_with

    def log_in(self) -> bool:
        """Sign in, with a new signature each time; tell whether it worked."""
        answer = self._try(lambda: self.owner.sign_in(self.client))
        if isinstance(answer, Answer):
            return False
        if self.user_id and answer.user.id != self.user_id:
            self._report(f"the owner of {self.user_id} got the account {answer.user.id}")
        if not self.user_id:
            self.user_id = answer.user.id
            self.ear.start()
        return True

    def _get_wallet(self) -> None:
        """Let the wallet take the guest's account over, with whatever is open or on its way; repeated until it has."""
        answer = self._try(lambda: self.owner.get_wallet(self.client, self.user_id))
        if not isinstance(answer, Answer) and answer.user.id != self.user_id:
            self._report(f"the guest {self.user_id} was given the account {answer.user.id}")

    def _try(self, call: Callable[[], T]) -> T | Answer:
        """Ask once; a session that is gone is noted, so that the next turn signs in again."""
        try:
            result = call()
        except (ApiError, httpx.TransportError) as ex:
            answer = answer_of(ex)
            self.codes.append((answer.status, answer.code))
            if answer.code == "UNAUTHENTICATED":
                self.client.token = ""
            if answer.is_error:
                self._report(f"{answer.status} {ex}")
            return answer
        return result

    def _tap(self, grid: GridView, fault: str) -> None:
        now_ms = CLOCK.now_ms()
        offer = self._chooser.choose(grid, now_ms)
        if offer is None:
            return
        if self.random.random() < GESTURES:
            self._tap_many(grid, offer, now_ms, fault)
            return
        signed = sign_bet(
            self.owner.tapper,
            offer.cell_id,
            amount_cents=self.random.choice(STAKES),
            min_rate_bp=offer.min_rate_bp,
            chain_id=self.audience.chain_id,
            now_ms=now_ms,
        )
        attempt = Attempt(signed, now_ms)
        self.attempts.append(attempt)
        self._send(attempt, fault)

    def _tap_many(self, grid: GridView, first: Offer, now_ms: int, fault: str) -> None:
        chosen = [first, *(self._chooser.choose(grid, now_ms) for _ in range(self.random.randrange(1, 6)))]
        taps = [WantedTap(o.cell_id, self.random.choice(STAKES), o.min_rate_bp) for o in chosen if o is not None]
        signed = sign_gesture(self.owner.tapper, taps, chain_id=self.audience.chain_id, now_ms=now_ms)
        gesture = SentGesture.of(signed, now_ms)
        self.attempts += gesture.attempts
        self._send_gesture(gesture, fault)

    def _send_gesture(self, gesture: SentGesture, fault: str) -> None:
        """Send all of it; each of its bets hears its own part of the answer."""
        call = calls.place_bets(gesture.signed, wait=self.random.random() < self._patient)
        began_ms = CLOCK.monotonic_ms()
        placed = self._try(lambda: self.client.send(call))
        answers = gesture.answers(placed)
        if not isinstance(placed, Answer):
            self.codes.append((answers[0].status, ""))
        for attempt, answer in zip(gesture.attempts, answers, strict=True):
            self._hear(attempt, answer, fault, began_ms)

    def _send(self, attempt: Attempt, fault: str) -> None:
        if attempt.gesture is not None:
            # Others of it may have sent it again since: then its fate is known.
            if not attempt.fate and not attempt.pending:
                self._send_gesture(attempt.gesture, fault)
            return
        wait = self.random.random() < self._patient
        began_ms = CLOCK.monotonic_ms()
        placed = self._try(lambda: self.client.place_bet(attempt.signed, wait=wait))
        if isinstance(placed, Answer):
            answer = placed
        else:
            answer = Answer(202 if placed.bet.status == "pending" else 201, bet=placed.bet)
            self.codes.append((answer.status, answer.code))
        self._hear(attempt, answer, fault, began_ms)

    def _hear(self, attempt: Attempt, answer: Answer, fault: str, began_ms: int) -> None:
        first = not attempt.answers
        attempt.last_sent_ms = CLOCK.now_ms()
        if answer.status == httpx.codes.CREATED:
            attempt.acknowledged_ms = attempt.acknowledged_ms or CLOCK.now_ms()
            self.waits_ms.setdefault(fault, []).append(CLOCK.monotonic_ms() - began_ms)
        if first and answer.code in ("REPLAYED_NONCE", "DUPLICATE_BET"):
            self._report(f"a first bet on {attempt.signed.cell_id} was answered {answer.code}")
        attempt.hear(answer, fault)
        if attempt.pending:
            self._pending.append(attempt)
        elif not attempt.fate and answer.wants_repeat and CLOCK.now_ms() - attempt.first_sent_ms < REPEAT_UNTIL_MS:
            self._unsure.append(attempt)

    def _ask_for_pending(self) -> None:
        """Ask for the oldest bet on its way; one whose fate is still open goes to the end of the line."""
        if not self._pending:
            return
        attempt = self._pending.pop(0)
        for bet_id in sorted(attempt.pending):
            found = self._try(lambda bet_id=bet_id: self.client.bet(bet_id))  # type: ignore[misc]
            if not isinstance(found, Answer):
                if found.bet.status != "pending":
                    attempt.learn(bet_id, found.bet)
            elif found.code == "BET_NEVER_PLACED":
                attempt.learn(bet_id, None)
            elif found.status == httpx.codes.NOT_FOUND:
                self._report(f"the pending bet {bet_id} is {found.code}")
        if attempt.pending:
            self._pending.append(attempt)

    def _open_movement(self, kind: Any) -> Movement:
        """Return the movement that is not done yet, else a new one."""
        for movement in self.movements:
            if movement.kind == kind and not movement.done:
                return movement
        movement = Movement(kind, secrets.token_hex(8), MOVEMENT_CENTS)
        self.movements.append(movement)
        return movement

    def _move(self, movement: Movement) -> None:
        """Send a movement of money, again under the same key if it was sent before."""
        movement.sent += 1
        answer: DepositedView | WithdrawnView | Answer
        if movement.kind == "DEPOSIT":
            answer = self._try(lambda: self.client.deposit(movement.amount_cents, movement.key))
        else:
            signed = sign_withdrawal(self.owner.wallet, movement.amount_cents, self.audience.chain_id, CLOCK.now_ms())
            answer = self._try(lambda: self.client.withdraw(signed, movement.key))
        # Signed anew, a repeat has another body: that the key is taken says that the first one was done.
        movement.done = not isinstance(answer, Answer) or answer.code == "IDEMPOTENCY_KEY_REUSED"

    def settle_up(self, fault: str) -> bool:
        """At the end: find out what is still open; tell whether nothing is."""
        if not self.client.token and not self.log_in():
            return False
        for _ in range(len(self._pending)):
            self._ask_for_pending()
        for _ in range(len(self._unsure)):
            self._send(self._unsure.pop(0), fault)
        for movement in self.movements:
            if not movement.done:
                self._move(movement)
        if self.owner.wants_wallet:
            self._get_wallet()
        listed, account = self._try(self._list_bets), self._try(self.client.me)
        if isinstance(listed, Answer) or isinstance(account, Answer):
            return False
        self.bets, self.balance_cents = listed, account.user.balance
        for attempt in self.attempts:
            if not attempt.fate and not attempt.pending:
                self._look_up(attempt)
        return self.is_through

    def _list_bets(self) -> dict[str, BetView]:
        page = self.client.bets(limit=PAGE_ROWS)
        found = list(page.bets)
        while page.next_cursor:
            page = self.client.bets(page.next_cursor, PAGE_ROWS)
            found += page.bets
        return {bet.cell_id: bet for bet in found if bet.status in LIVE}

    def _look_up(self, attempt: Attempt) -> None:
        """Decide by the list of bets, where a cell names its one bet; that none comes is certain only after a while."""
        if attempt.signed.cell_id in self.bets:
            attempt.end("placed", "LISTED")
        elif attempt not in self._unsure and CLOCK.now_ms() > attempt.last_sent_ms + DECIDED_MS:
            attempt.end("not placed", "NOT_LISTED")

    @property
    def is_through(self) -> bool:
        """Tell whether every fate is known and every bet settled."""
        fates = all(attempt.fate for attempt in self.attempts) and all(movement.done for movement in self.movements)
        return fates and not self.owner.wants_wallet and all(bet.status != "confirmed" for bet in self.bets.values())

    @property
    def unknowns(self) -> int:
        """How many requests were never answered."""
        return sum(status == UNKNOWN for status, _ in self.codes)
