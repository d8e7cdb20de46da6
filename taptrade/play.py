"""One game from login to the last result. One thread plays; another one only reads the stream into a queue."""

from __future__ import annotations

import queue
from dataclasses import dataclass
from random import Random
from threading import Event as Flag
from threading import Thread

import msgspec

from runtime.clock import Clock
from taptrade import wallet as wallets
from taptrade.board import Board
from taptrade.choice import Chooser, Offer
from taptrade.client import ApiError, TapClient
from taptrade.client.delivery import Fate
from taptrade.client.stream import EventStream, StreamEvent
from taptrade.delivery import Delivery, Line, PlayError
from taptrade.record import Record, Tap
from taptrade.views import GridView
from taptrade.wallet import Audience

TAP_EVERY_MS = 500
HEAR_MS = 100
GRID_GOOD_MS = 1_000
LATE_MS = 4_000
"""So long after a column's end a result may take to come by the stream; then the player asks for it."""
ASK_EVERY_MS = 1_000
IDLE_MS_MAX = 150_000
"""Longer than a recovery of the breaker (30 s) and than the wait for a void (60 s)."""
_HOPELESS = frozenset({"INSUFFICIENT_FUNDS", "insufficient_funds", "LIMIT_REACHED", "INVALID_SIGNATURE"})


@dataclass(frozen=True, slots=True)
class Plan:
    """What to play: how many bets, what stake, where, and by which seed."""

    bets: int
    stake_cents: int
    audience: Audience
    seed: int


class Play:
    """The game of one throw-away wallet."""

    def __init__(self, client: TapClient, plan: Plan, clock: Clock, board: Board) -> None:
        self.wallet = wallets.new_wallet()
        self.record = Record()
        self.opening_cents = 0
        self.line = Line(client, clock, login=self._log_in, pause=self._pause)
        self._client = client
        self._plan = plan
        self._clock = clock
        self._board = board
        self._session_key = wallets.new_wallet()
        self.delivery = Delivery(self.line, on_wait=board.say)
        self._chooser = Chooser(Random(plan.seed))  # noqa: S311 - chooses cells, guards nothing
        self._events: queue.SimpleQueue[StreamEvent | ApiError] = queue.SimpleQueue()
        self._ahead_ms = -(10**18)
        self._grid_at_ms = 0
        self._next_tap_ms = 0
        self._next_ask_ms = 0
        self._progress_ms = clock.monotonic_ms()

    def run(self) -> None:
        """Play until every bet is settled; raise PlayError when that cannot be reached."""
        self.opening_cents = self.line.ask(lambda client: client.me()).user.balance
        stop = Flag()
        stream = EventStream(f"{self._client.url}/api/stream", token=lambda: self._client.token, stop=stop)
        reader = Thread(target=self._read, args=(stream,), name="stream", daemon=True)
        reader.start()
        try:
            while not self._ended():
                self._run_once()
        finally:
            stop.set()
            reader.join(timeout=1.0)

    def _run_once(self) -> None:
        now_ms = self._clock.monotonic_ms()
        if len(self.record.taps) < self._plan.bets and now_ms >= self._next_tap_ms:
            self._next_tap_ms = now_ms + TAP_EVERY_MS
            self._tap()
        if now_ms >= self._next_ask_ms:
            self._next_ask_ms = now_ms + ASK_EVERY_MS
            self._ask_for_late_results()
        self._explain()
        if now_ms - self._progress_ms > IDLE_MS_MAX:
            raise PlayError(
                f"nothing has moved for {IDLE_MS_MAX // 1000} s: {len(self.record.taps)} of {self._plan.bets} bets "
                f"placed, {len(self.record.open_taps)} without a result"
            )
        self._hear(HEAR_MS)

    def _ended(self) -> bool:
        taps = self.record.taps.values()
        return len(taps) >= self._plan.bets and all(tap.explained for tap in taps)

    def _log_in(self) -> None:
        """Sign in and delegate taps to the session key; done again when a restart has lost the session."""
        # The old token stays until there is another: a stream that is opened with none meanwhile would be a stranger's.
        signed = wallets.sign_login(self.wallet, self._session_key.address, self._plan.audience, self._clock.now_ms())
        try:
            self._client.login(signed)
        except ApiError as ex:
            if ex.status in {400, 401, 403} and ex.code != "SIGNATURE_EXPIRED":
                raise PlayError(f"the login was refused: {ex}") from ex
            raise

    def _tap(self) -> None:
        """Tap one cell and learn its fate; a refusal costs nothing, the next tap takes a fresh grid."""
        grid = self._fresh_grid()
        if self._plan.stake_cents not in grid.presets_cents:
            allowed = ", ".join(map(str, grid.presets_cents))
            raise PlayError(f"a stake of {self._plan.stake_cents} cents is not allowed; allowed are {allowed}")
        now_ms = self._server_ms()
        offer = self._chooser.choose(grid, now_ms)
        if offer is None:
            self._board.say("no cell is offered right now; waiting for the next grid")
            return
        signed = wallets.sign_bet(
            self._session_key,
            offer.cell_id,
            amount_cents=self._plan.stake_cents,
            min_rate_bp=offer.min_rate_bp,
            chain_id=self._plan.audience.chain_id,
            now_ms=now_ms,
        )
        self._note(offer, self.delivery.deliver(signed))

    def _note(self, offer: Offer, answer: Fate) -> None:
        if answer.bet is not None:
            self._show(self.record.add(offer, answer.bet))
            return
        if answer.code in _HOPELESS:
            raise PlayError(f"the bet was refused: {answer.code}: {answer.detail}")
        self.record.refusals.append(answer.code)
        self.record.grid = None
        self._board.say(f"     {answer.code}: {answer.detail or 'refused'}; trying another cell")

    def _fresh_grid(self) -> GridView:
        """Take the grid that the stream brought last; ask for one when that is old or its bet was refused."""
        grid = self.record.grid
        if grid is None or self._clock.monotonic_ms() - self._grid_at_ms > GRID_GOOD_MS:
            grid = self.record.grid = self.line.ask(lambda client: client.grid())
            self._set_time(grid)
        return grid

    def _set_time(self, grid: GridView) -> None:
        """Learn the server's time: what was longest under way says too little, so the greatest difference counts."""
        self._grid_at_ms = self._clock.monotonic_ms()
        self._ahead_ms = max(self._ahead_ms, grid.server_time_ms - self._grid_at_ms)

    def _server_ms(self) -> int:
        return self._clock.monotonic_ms() + self._ahead_ms

    def _show(self, tap: Tap) -> None:
        self._progress_ms = self._clock.monotonic_ms()
        # A result is shown together with its reason, which is asked for first.
        if not tap.settled:
            self._board.show(tap)

    def _explain(self) -> None:
        for tap in [tap for tap in self.record.taps.values() if tap.settled and not tap.explained]:
            tap.why = self._ask_for(tap).why
            tap.explained = True
            self._board.show(tap)

    def _ask_for_late_results(self) -> None:
        """Ask for bets whose result should have come by the stream, and for pending ones."""
        now_ms = self._server_ms()
        for tap in self.record.open_taps:
            if tap.bet.status == "pending" or now_ms > tap.offer.column.closes_ms + LATE_MS:
                try:
                    self._ask_for(tap)
                except ApiError as ex:
                    if ex.code != "BET_NEVER_PLACED":
                        raise
                    self.record.drop(tap, ex.code)
                    self._board.show(tap)

    def _ask_for(self, tap: Tap) -> Tap:
        answer = self.line.ask(lambda client: client.bet(tap.bet.id))
        if self.record.take(answer.bet) is not None:
            self._show(tap)
        # An open bet's sentence would say what the player sees anyway.
        tap.why = answer.explanation if tap.settled else ""
        return tap

    def _read(self, stream: EventStream) -> None:
        try:
            for event in stream.events():
                self._events.put(event)
        except ApiError as ex:
            self._events.put(ex)

    def _pause(self, seconds: float) -> None:
        until_ms = self._clock.monotonic_ms() + int(seconds * 1000)
        while (left_ms := until_ms - self._clock.monotonic_ms()) > 0:
            self._hear(left_ms)

    def _hear(self, wait_ms: int) -> None:
        """Wait for events, then take all that is there."""
        try:
            self._take_events(self._events.get(timeout=wait_ms / 1000))
            while True:
                self._take_events(self._events.get_nowait())
        except queue.Empty:
            return

    def _take_events(self, event: StreamEvent | ApiError) -> None:
        if isinstance(event, ApiError):
            raise PlayError(f"the stream was refused: {event}")
        grid = self.record.grid
        try:
            changed = self.record.hear(event)
        except msgspec.MsgspecError as ex:
            raise PlayError(f"the stream's {event.type} event cannot be read: {ex}") from ex
        if self.record.grid is not None and self.record.grid is not grid:
            self._set_time(self.record.grid)
        for tap in changed:
            self._show(tap)
