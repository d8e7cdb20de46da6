"""Players for locust: they sign in, tap, look at history and statement, and follow the stream. README.md tells more.

A server is started if none runs, over fresh data, and stopped at the end.
"""

from __future__ import annotations

import atexit
import logging
import os
import re
import secrets
import shutil
import socket
import sys
from collections import Counter
from contextlib import ExitStack
from random import Random
from threading import Event
from urllib.parse import urlsplit

import httpx
import msgspec
from locust import User, constant_throughput, events, task
from locust.env import Environment
from locust.exception import StopUser

from loadtest.measurement import BUILD
from loadtest.processes import BenchFailed
from loadtest.system import NO_RATES, audit, started
from runtime.clock import SystemClock
from runtime.settings import load
from taptrade import wallet as wallets
from taptrade.choice import Chooser
from taptrade.client import ApiError, TapClient, api_error
from taptrade.client.stream import EventStream
from taptrade.statement import faults
from taptrade.views import BetView
from taptrade.wallet import Audience

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
LISTEN_MS = 20_000
RECOUNTS_MAX = 20
BET = re.compile(r"/api/bets/\w+")
# What the game may answer to a tap that came a moment too late, or while the recorded prices pause, as they did when
# they were recorded; anything else is a failure of the house.
GAME_REFUSALS = frozenset(
    {"RATE_MOVED", "CELL_CLOSED", "CELL_NOT_OFFERED", "BET_EXPIRED", "EXPOSURE_LIMIT", "PRICE_FEED_STALE"}
)

log = logging.getLogger("loadtest")
# It would write a line for every request.
logging.getLogger("httpx").setLevel(logging.WARNING)
clock = SystemClock()
chain_id = load().chain_id
server = dict(os.environ)
"""The environment of the server."""
taps: Counter[str] = Counter()
"""What became of all taps of all players: `placed`, or the code of the refusal."""


class Timed(httpx.HTTPTransport):
    """Puts every request of a client into locust's table, the first bytes of a stream as its answer."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send it and time it."""
        response: httpx.Response | None = None
        with events.request.measure(request.method, BET.sub("/api/bets/[id]", request.url.path)) as figures:
            response = super().handle_request(request)
            if "text/event-stream" not in response.headers.get("Content-Type", ""):
                figures["response_length"] = len(response.read())
            if not response.is_success:
                figures["exception"] = failure_of(request, api_error(response))
        if response is None:
            raise figures["exception"]
        return response


def failure_of(request: httpx.Request, refusal: ApiError) -> Exception | None:
    """Return a failure of the house, so written that equal ones are counted together; None if the game said no."""
    is_tap = (request.method, request.url.path) == ("POST", "/api/bets")
    return None if is_tap and refusal.code in GAME_REFUSALS else RuntimeError(f"{refusal.status} {refusal.code}")


class SignedIn(User):
    """A wallet with a session; its session key signs the taps."""

    abstract = True
    host = f"http://127.0.0.1:{load().port}"

    def on_start(self) -> None:
        """Make a wallet and sign in; without a session this user has nothing to do here."""
        self.api = TapClient(self.host, transport=Timed())
        self.session_key = wallets.new_wallet()
        domain = urlsplit(self.host).netloc
        place = Audience(domain, f"http://{domain}", chain_id)
        try:
            self.api.login(wallets.sign_login(wallets.new_wallet(), self.session_key.address, place, clock.now_ms()))
        except (ApiError, httpx.TransportError):
            raise StopUser from None


class Player(SignedIn):
    """Taps most of the time, and looks at what came of it."""

    weight = 4
    wait_time = constant_throughput(1.5)

    def on_start(self) -> None:
        """Sign in and sit down."""
        super().on_start()
        self.chooser = Chooser(Random(secrets.randbits(64)))
        self.placed: dict[str, BetView] = {}

    @task(6)
    def tap(self) -> None:
        """Tap a cell of the present grid."""
        grid = self.api.grid()
        offer = self.chooser.choose(grid, grid.server_time_ms)
        if offer is None:
            taps["nothing offered"] += 1
            return
        signed = wallets.sign_bet(
            self.session_key,
            offer.cell_id,
            amount_cents=grid.presets_cents[0],
            min_rate_bp=offer.min_rate_bp,
            chain_id=chain_id,
            now_ms=grid.server_time_ms,
        )
        try:
            bet = self.api.place_bet(signed).bet
        except ApiError as ex:
            taps[ex.code] += 1
        else:
            taps["placed"] += 1
            self.placed[bet.id] = bet

    @task(2)
    def look_at_history(self) -> None:
        """Look at the newest bets, and at one of them."""
        for bet in self.api.bets().bets[:1]:
            self.api.bet(bet.id)

    @task(1)
    def look_at_statement(self) -> None:
        """Look at the account and the newest ledger entries."""
        self.api.me()
        self.api.ledger()

    def on_stop(self) -> None:
        """Leave only with a statement that adds up and shows every bet that was answered."""
        if self.api.token:
            found = recount(self.api, self.placed)
            report("RECOUNT", "statement", 0, 0, AssertionError("; ".join(found)) if found else None)


class Watcher(SignedIn):
    """Follows the stream; the figure that counts is how old a price is when it arrives."""

    weight = 1
    wait_time = constant_throughput(1)

    @task
    def listen(self) -> None:
        """Follow the stream for a while, then connect anew."""
        until_ms, stop = clock.monotonic_ms() + LISTEN_MS, Event()
        stream = EventStream(f"{self.host}/api/stream", token=lambda: self.api.token, stop=stop, transport=Timed())
        for event in stream.events():
            if event.type == "price":
                arrived_ms: int = msgspec.json.decode(event.data)["id"]
                report("SSE", "age of a price", clock.now_ms() - arrived_ms, len(event.data), None)
            if clock.monotonic_ms() > until_ms:
                stop.set()


def recount(api: TapClient, placed: dict[str, BetView]) -> list[str]:
    """Say what does not add up. Read between two equal balances: then no settlement came in between."""
    for _ in range(RECOUNTS_MAX):
        balance_cents = api.me().user.balance
        bets = {bet.id: bet for bet in api.all_bets()}
        entries = [*api.statement()][::-1]
        if api.me().user.balance != balance_cents:
            continue
        answered = [bet.id for bet in placed.values() if bet.status == "confirmed"]
        missing = [f"bet {bet_id} was answered and is gone" for bet_id in answered if bet_id not in bets]
        opening_cents = entries[0].balance_after if entries else 0
        return missing + faults(
            entries, bets.values(), opening_cents=opening_cents, balance_cents=balance_cents, told={}
        )
    return [f"the balance did not hold still in {RECOUNTS_MAX} attempts"]


def report(kind: str, name: str, ms: float, size: int, exception: Exception | None) -> None:
    """Put a figure of our own into locust's table."""
    events.request.fire(  # type: ignore[no-untyped-call]
        request_type=kind, name=name, response_time=ms, response_length=size, context={}, exception=exception
    )


@events.init.add_listener  # type: ignore[untyped-decorator]
def find_server(environment: Environment, **_: object) -> None:
    """Use the server that runs, or start one; refuse any but our own: this is no tool to load others with."""
    url = urlsplit(environment.host or SignedIn.host)
    address, data = (url.hostname or "", url.port or 80), BUILD / "loadtest"
    if url.hostname not in LOOPBACK:
        log.error("--host must be a loopback address, such as http://127.0.0.1:8000")
        sys.exit(2)
    try:
        socket.create_connection(address, timeout=5).close()
    except OSError:
        log.info("starting a server on port %d, data in %s", address[1], data)
    else:
        log.info("using the server on port %d", address[1])
        return
    shutil.rmtree(data, ignore_errors=True)
    BUILD.mkdir(exist_ok=True)
    # All players come from one address here; what protects a public server would only measure itself.
    server.update(NO_RATES, TAPTRADE_DATA=str(data), TAPTRADE_PORT=str(address[1]))
    stack = ExitStack()
    atexit.register(stack.close)
    try:
        stack.enter_context(started(data, server))
    except BenchFailed as ex:
        sys.exit(f"load test: {ex}")


@events.quitting.add_listener  # type: ignore[untyped-decorator]
def recount_all(environment: Environment, **_: object) -> None:
    """End with the audit of the whole ledger; its verdict decides the exit code too."""
    log.info("taps: %s", ", ".join(f"{count} {name}" for name, count in taps.most_common()) or "none")
    counted = audit(server)
    log.info("%s", counted.summary)
    if not (counted.adds_up and taps["placed"]):
        environment.process_exit_code = 1
