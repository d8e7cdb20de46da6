"""A player's account over a line that breaks, awaited: each call is answered, refused for good, or given up on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx

from runtime.clock import Clock, SystemClock
from taptrade.client import calls
from taptrade.client.awaiting import AsyncTapClient
from taptrade.client.calls import Call
from taptrade.client.conduct import Conduct
from taptrade.client.delivery import Fate
from taptrade.client.problems import ApiError
from taptrade.client.steps import Pause, SignIn, Steps
from taptrade.client.stream import AsyncEventStream, StreamEvent
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


class AsyncAccount:
    """One wallet at one house; as a context it is signed in, and signs in again whenever the session has ended.

    `domain` is what logins are signed for, by default the host of `url`. `on_wait` hears why a call takes longer.
    Raise ApiError for what no waiting mends, NoAnswerError when nothing came for a minute.
    Bets may be placed side by side.
    """

    def __init__(
        self,
        url: str,
        wallet: Wallet,
        *,
        domain: str | None = None,
        on_wait: Callable[[str], None] = lambda _: None,
        transport: httpx.AsyncBaseTransport | None = None,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
        clock: Clock = _CLOCK,
    ) -> None:
        self._client = AsyncTapClient(url, transport=transport)
        self._conduct = Conduct(url, wallet, domain=domain, clock=clock)
        self._on_wait = on_wait
        self._transport = transport
        self._pause = pause
        self._renewing = asyncio.Lock()

    async def __aenter__(self) -> Self:
        try:
            await self.sign_in()
        except BaseException:
            await self.close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, ex: BaseException | None, at: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections; the session stays."""
        await self._client.close()

    @property
    def rules(self) -> RulesView:
        """What the house plays by, as it was at the last sign-in."""
        return self._conduct.known_rules()

    def server_ms(self) -> int:
        """Return the server's time in Unix milliseconds: what is signed goes by it."""
        return self._conduct.server_ms()

    async def sign_in(self) -> LoginView:
        """Sign in; calls do it by themselves when the session has ended."""
        answer = await self.run(self._conduct.sign_in())
        self._client.token = answer.token
        return answer

    async def ask(self, call: Call[_T]) -> _T:
        """Send one of `taptrade.client.calls` until it is answered."""
        return await self.run(self._conduct.ask(call))

    async def place(self, cell_id: str, *, stake_cents: int, min_rate_bp: int) -> Fate:
        """Bet, once, whatever becomes of the line: the committed bet, or why there is none."""
        return await self.run(self._conduct.place(cell_id, stake_cents=stake_cents, min_rate_bp=min_rate_bp))

    async def place_many(self, taps: Sequence[WantedTap]) -> tuple[Fate, ...]:
        """Bet on many cells, twenty under one signature, each placed once or not at all: what became of each."""
        return await self.run(self._conduct.place_many(taps))

    async def bet(self, bet_id: str) -> BetDetailView:
        """Ask for one own bet, with its evidence once it is settled."""
        return await self.ask(calls.bet(bet_id))

    async def all_bets(self) -> Sequence[BetView]:
        """Return all own bets, newest first; refused ones too, which took no money."""
        return await self.run(self._conduct.all_bets())

    async def statement(self) -> Sequence[EntryView]:
        """Return the whole own statement, newest first."""
        return await self.run(self._conduct.statement())

    async def deposit(self, amount_cents: int, key: str) -> DepositedView:
        """Top up play money, once for each key."""
        return await self.run(self._conduct.deposit(amount_cents, key))

    async def withdraw(self, amount_cents: int, key: str) -> WithdrawnView:
        """Take money out, once for each key."""
        return await self.run(self._conduct.withdraw(amount_cents, key))

    async def limits(self) -> OwnLimitsView:
        """Ask for the own limits, and what counts against them."""
        return await self.ask(calls.limits())

    async def set_limits(self, **wanted: int | None) -> OwnLimitsView:
        """Set own limits, tighter ones at once and looser ones after a day; None lifts one, what is left out stays."""
        return await self.ask(calls.set_limits(wanted))

    def events(self, only: Sequence[str] = ()) -> AsyncGenerator[StreamEvent, None]:
        """Give the stream's events, over any number of connections and sessions."""
        chosen = f"?events={','.join(only)}" if only else ""
        stream = AsyncEventStream(
            f"{self._client.url}/api/stream{chosen}",
            token=lambda: self._client.token,
            renew=self._renew,
            transport=self._transport,
        )
        return stream.events()

    async def run(self, steps: Steps[_T]) -> _T:
        """Carry steps out and return what they come to."""
        try:
            step = next(steps)
            while True:
                try:
                    answer = await self._do(step)
                except (ApiError, httpx.TransportError) as ex:
                    step = steps.throw(ex)
                else:
                    step = steps.send(answer)
        except StopIteration as end:
            value: _T = end.value
            return value

    async def _do(self, step: Call[Any] | Pause | SignIn) -> Any:
        match step:
            case Call():
                return await self._client.send(step)
            case SignIn():
                await self._renew()
            case Pause():
                self._on_wait(step.why)
                await self._pause(step.seconds)
        return None

    async def _renew(self) -> None:
        ended = self._client.token
        async with self._renewing:
            # Of calls that were refused side by side, the first one signs in for all.
            if self._client.token == ended:
                self._on_wait("the session has ended; signing in again")
                await self.sign_in()
