"""A player's account over a line that breaks, blocking: each call is answered, refused for good, or given up on."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from threading import Event as Flag
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx

from runtime.clock import Clock, SystemClock
from taptrade.client import calls
from taptrade.client.blocking import TapClient
from taptrade.client.calls import Call
from taptrade.client.conduct import Conduct
from taptrade.client.delivery import Fate
from taptrade.client.steps import Pause, SignIn, Steps, carry_out
from taptrade.client.stream import EventStream, StreamEvent
from taptrade.views import (
    BetDetailView,
    BetView,
    DepositedView,
    EntryView,
    LoginView,
    OwnLimitsView,
    RulesView,
    WantedTap,
    WithdrawnView,
)
from taptrade.wallet import Wallet

_T = TypeVar("_T")
_CLOCK = SystemClock()


class Account:
    """One wallet at one house; as a context it is signed in, and signs in again whenever the session has ended.

    `domain` is what logins are signed for, by default the host of `url`. `on_wait` hears why a call takes longer.
    Raise ApiError for what no waiting mends, NoAnswerError when nothing came for a minute. One thread each.
    """

    def __init__(
        self,
        url: str,
        wallet: Wallet,
        *,
        domain: str | None = None,
        on_wait: Callable[[str], None] = lambda _: None,
        transport: httpx.BaseTransport | None = None,
        pause: Callable[[float], None] = time.sleep,
        clock: Clock = _CLOCK,
    ) -> None:
        self._client = TapClient(url, transport=transport)
        self._conduct = Conduct(url, wallet, domain=domain, clock=clock)
        self._on_wait = on_wait
        self._transport = transport
        self._pause = pause
        self._stop = Flag()

    def __enter__(self) -> Self:
        try:
            self.sign_in()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, ex: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections and end the stream; the session stays."""
        self._stop.set()
        self._client.close()

    @property
    def rules(self) -> RulesView:
        """What the house plays by, as it was at the last sign-in."""
        return self._conduct.known_rules()

    def server_ms(self) -> int:
        """Return the server's time in Unix milliseconds: what is signed goes by it."""
        return self._conduct.server_ms()

    def sign_in(self) -> LoginView:
        """Sign in; calls do it by themselves when the session has ended."""
        answer = self.run(self._conduct.sign_in())
        self._client.token = answer.token
        return answer

    def ask(self, call: Call[_T]) -> _T:
        """Send one of `taptrade.client.calls` until it is answered."""
        return self.run(self._conduct.ask(call))

    def place(self, cell_id: str, *, stake_cents: int, min_rate_bp: int) -> Fate:
        """Bet, once, whatever becomes of the line: the committed bet, or why there is none."""
        return self.run(self._conduct.place(cell_id, stake_cents=stake_cents, min_rate_bp=min_rate_bp))

    def place_many(self, taps: Sequence[WantedTap]) -> tuple[Fate, ...]:
        """Bet on many cells, twenty under one signature, each placed once or not at all: what became of each."""
        return self.run(self._conduct.place_many(taps))

    def bet(self, bet_id: str) -> BetDetailView:
        """Ask for one own bet, with its evidence once it is settled."""
        return self.ask(calls.bet(bet_id))

    def all_bets(self) -> Sequence[BetView]:
        """Return all own bets, newest first; refused ones too, which took no money."""
        return self.run(self._conduct.all_bets())

    def statement(self) -> Sequence[EntryView]:
        """Return the whole own statement, newest first."""
        return self.run(self._conduct.statement())

    def deposit(self, amount_cents: int, key: str) -> DepositedView:
        """Top up play money, once for each key."""
        return self.run(self._conduct.deposit(amount_cents, key))

    def withdraw(self, amount_cents: int, key: str) -> WithdrawnView:
        """Take money out, once for each key."""
        return self.run(self._conduct.withdraw(amount_cents, key))

    def limits(self) -> OwnLimitsView:
        """Ask for the own limits, and what counts against them."""
        return self.ask(calls.limits())

    def set_limits(self, **wanted: int | None) -> OwnLimitsView:
        """Set own limits, tighter ones at once and looser ones after a day; None lifts one, what is left out stays."""
        return self.ask(calls.set_limits(wanted))

    def events(self, only: Sequence[str] = ()) -> Iterator[StreamEvent]:
        """Give the stream's events, over any number of connections and sessions, until `close`."""
        chosen = f"?events={','.join(only)}" if only else ""
        stream = EventStream(
            f"{self._client.url}/api/stream{chosen}",
            token=lambda: self._client.token,
            stop=self._stop,
            renew=lambda: self._do(SignIn()),
            transport=self._transport,
        )
        return stream.events()

    def run(self, steps: Steps[_T]) -> _T:
        """Carry steps out and return what they come to."""
        return carry_out(steps, self._do)

    def _do(self, step: Call[Any] | Pause | SignIn) -> Any:
        match step:
            case Call():
                return self._client.send(step)
            case SignIn():
                self._on_wait("the session has ended; signing in again")
                self.sign_in()
            case Pause():
                self._on_wait(step.why)
                self._pause(step.seconds)
        return None
