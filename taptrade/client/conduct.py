"""What a player does at a house and in which order, as steps: sign in, keep the server's time, bet, move money."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar
from urllib.parse import urlsplit

import httpx

from runtime.clock import Clock
from runtime.game.gestures import TAPS_MAX
from taptrade import wallet as wallets
from taptrade.client import calls
from taptrade.client.calls import PAGE_ROWS_MAX, Call
from taptrade.client.delivery import DECIDED_MS, Delivery, Fate
from taptrade.client.gestures import GestureDelivery
from taptrade.client.problems import ApiError, NoAnswerError
from taptrade.client.steps import OUTAGE_MS, PAUSE_S, Pause, Steps, delay_s, insist, jittered, sent, told
from taptrade.views import (
    BetsPage,
    BetView,
    DepositedView,
    EntryView,
    LedgerPage,
    LoginView,
    RulesView,
    WantedTap,
    WithdrawnView,
)
from taptrade.wallet import Audience, Wallet

EXPIRED = "SIGNATURE_EXPIRED"
_T = TypeVar("_T")
_Page = TypeVar("_Page")


class Conduct:
    """The steps of one wallet at one house; a session key of its own signs the taps.

    `domain` is what logins are signed for: the host of the address, unless the house goes by another name.
    """

    def __init__(self, url: str, wallet: Wallet, *, domain: str | None, clock: Clock) -> None:
        parts = urlsplit(url)
        host = domain or parts.netloc.rpartition("@")[2]
        self.wallet = wallet
        self.delivery = Delivery(clock)
        self.gestures = GestureDelivery(clock)
        self._rules: RulesView | None = None
        self._host, self._uri = host, f"{parts.scheme}://{host}"
        self._session_key = wallets.new_wallet()
        self._clock = clock
        self._ahead_ms = clock.now_ms() - clock.monotonic_ms()

    def server_ms(self) -> int:
        """Return the server's time, as it was last learned, in Unix milliseconds."""
        return self._clock.monotonic_ms() + self._ahead_ms

    def ask(self, call: Call[_T]) -> Steps[_T]:
        """Send a call until it is answered."""
        return insist(call, self._clock)

    def sign_in(self) -> Steps[LoginView]:
        """Learn rules and time, and sign in; each attempt is signed anew, since a login's nonce counts once."""
        self._rules = yield from self.ask(calls.rules())
        yield from self._learn_time()
        give_up_ms = self._clock.monotonic_ms() + OUTAGE_MS
        while True:
            audience = Audience(self._host, self._uri, self._chain_id())
            signed = wallets.sign_login(self.wallet, self._session_key.address, audience, self.server_ms())
            try:
                return (yield from sent(calls.login(signed)))
            except httpx.TransportError as ex:
                wait_s, why = jittered(2 * PAUSE_S), told(ex)
            except ApiError as ex:
                again_s = PAUSE_S if ex.code == EXPIRED else delay_s(ex)
                if again_s is None:
                    raise
                self._correct_time(ex)
                wait_s, why = again_s, str(ex)
            if self._clock.monotonic_ms() > give_up_ms:
                raise NoAnswerError(f"no login for {OUTAGE_MS // 1000} s ({why})")
            yield Pause(wait_s, why)

    def place(self, cell_id: str, *, stake_cents: int, min_rate_bp: int) -> Steps[Fate]:
        """Bet on a cell and learn what became of it: committed, or not and why; never pending.

        A signature that the server calls too old is made anew by the server's time; the first cannot count any more.
        """
        fate = yield from self._place(cell_id, stake_cents, min_rate_bp)
        if fate.code == EXPIRED:
            self._take_time(fate.extras.get("server_time_ms"))
            fate = yield from self._place(cell_id, stake_cents, min_rate_bp)
        return fate

    def _place(self, cell_id: str, stake_cents: int, min_rate_bp: int) -> Steps[Fate]:
        signed = wallets.sign_bet(
            self._session_key,
            cell_id,
            amount_cents=stake_cents,
            min_rate_bp=min_rate_bp,
            chain_id=self._chain_id(),
            now_ms=self.server_ms(),
        )
        fate = yield from self.delivery.place(signed)
        return (yield from self.delivery.decided(fate))

    def place_many(self, taps: Sequence[WantedTap]) -> Steps[tuple[Fate, ...]]:
        """Bet on many cells, twenty under each signature, and learn what became of each; never pending."""
        found: tuple[Fate, ...] = ()
        for start in range(0, len(taps), TAPS_MAX):
            some = taps[start : start + TAPS_MAX]
            fates = yield from self._take_gesture(some)
            if fates[0].code == EXPIRED:
                self._take_time(fates[0].extras.get("server_time_ms"))
                fates = yield from self._take_gesture(some)
            found += fates
        return found

    def _take_gesture(self, taps: Sequence[WantedTap]) -> Steps[tuple[Fate, ...]]:
        signed = wallets.sign_gesture(self._session_key, taps, chain_id=self._chain_id(), now_ms=self.server_ms())
        fates = yield from self.gestures.place(signed)
        return (yield from self.gestures.decided(fates))

    def all_bets(self) -> Steps[tuple[BetView, ...]]:
        """Return all own bets, newest first; refused ones too, which took no money."""

        def rows(page: BetsPage) -> tuple[BetView, ...]:
            return page.bets

        return self._pages(calls.bets, rows, lambda page: page.next_cursor)

    def statement(self) -> Steps[tuple[EntryView, ...]]:
        """Return the whole own statement, newest first."""

        def rows(page: LedgerPage) -> tuple[EntryView, ...]:
            return page.entries

        return self._pages(calls.ledger, rows, lambda page: page.next_cursor)

    def deposit(self, amount_cents: int, key: str) -> Steps[DepositedView]:
        """Top up play money, once for each key."""
        return self.ask(calls.deposit(amount_cents, key))

    def withdraw(self, amount_cents: int, key: str) -> Steps[WithdrawnView]:
        """Take money out, once for each key: the very same body is sent until it is answered.

        REPLAYED_NONCE says that it is still under way; raised, that it has come to nothing.
        """
        signed = wallets.sign_withdrawal(self.wallet, amount_cents, self._chain_id(), self.server_ms())
        decided_ms = self._clock.monotonic_ms() + DECIDED_MS
        while True:
            try:
                return (yield from self.ask(calls.withdraw(signed, key)))
            except ApiError as ex:
                if ex.code != "REPLAYED_NONCE" or self._clock.monotonic_ms() > decided_ms:
                    raise
            yield Pause(2 * PAUSE_S, "the withdrawal is under way")

    def _pages(
        self,
        page_of: Callable[[str | None, int], Call[_Page]],
        rows: Callable[[_Page], tuple[_T, ...]],
        cursor: Callable[[_Page], str | None],
    ) -> Steps[tuple[_T, ...]]:
        page = yield from self.ask(page_of(None, PAGE_ROWS_MAX))
        found = rows(page)
        while following := cursor(page):
            page = yield from self.ask(page_of(following, PAGE_ROWS_MAX))
            found += rows(page)
        return found

    def known_rules(self) -> RulesView:
        """Return what the house plays by; raise RuntimeError before the first sign-in, which asks for it."""
        if self._rules is None:
            raise RuntimeError("sign in first: then the house says what it plays by")
        return self._rules

    def _chain_id(self) -> int:
        return self.known_rules().chain_ids[0]

    def _learn_time(self) -> Steps[None]:
        asked_ms = self._clock.monotonic_ms()
        told_ms = (yield from self.ask(calls.time())).server_time_ms
        # Half of the way lies between the server's reading and its arrival.
        self._ahead_ms = told_ms - (asked_ms + self._clock.monotonic_ms()) // 2

    def _correct_time(self, ex: ApiError) -> None:
        self._take_time(ex.arguments.get("server_time_ms"))

    def _take_time(self, told_ms: object) -> None:
        if isinstance(told_ms, int):
            self._ahead_ms = told_ms - self._clock.monotonic_ms()
