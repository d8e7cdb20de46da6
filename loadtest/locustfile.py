"""Players for locust: they sign in, tap, look at history and statement, and follow the stream. README.md tells more."""

from __future__ import annotations

import logging
import secrets
import subprocess
import sys
from collections import Counter
from random import Random
from urllib.parse import urlsplit

import msgspec
from locust import FastHttpUser, constant_throughput, events, task
from locust.env import Environment
from locust.exception import StopUser

from loadtest.recount import Desk, recount
from runtime.clock import SystemClock
from runtime.settings import load
from taptrade import wallet as wallets
from taptrade.choice import Chooser
from taptrade.sse_client import SseParser
from taptrade.views import BetsPage, BetView, GridView, LedgerPage, LoginView, MeView, PlacedView
from taptrade.wallet import Audience

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
GRID_GOOD_MS = 1_000
LISTEN_MS = 20_000
# What the game may answer to a tap that came a moment too late, or while the recorded prices pause, as they did when
# they were recorded; anything else is a failure of the house.
GAME_REFUSALS = frozenset(
    {"RATE_MOVED", "CELL_CLOSED", "CELL_NOT_OFFERED", "BET_EXPIRED", "EXPOSURE_LIMIT", "PRICE_FEED_STALE"}
)
JSON = {"Content-Type": "application/json"}

log = logging.getLogger("loadtest")
clock = SystemClock()
chain_id = load().chain_id
taps: Counter[str] = Counter()
"""What became of all taps of all players: `placed`, or the code of the refusal."""


class Price(msgspec.Struct):
    """A price event; its id is the moment of its last price."""

    id: int


class SignedIn(FastHttpUser):
    """A wallet with a session; its session key signs the taps."""

    abstract = True
    connection_timeout = 10.0
    network_timeout = 30.0

    def on_start(self) -> None:
        """Make a wallet and sign in; without a session this user has nothing to do here."""
        self.session: dict[str, str] = {}
        self.session_key = wallets.new_wallet()
        domain = urlsplit(self.host or "").netloc
        audience = Audience(domain, f"http://{domain}", chain_id)
        signed = wallets.sign_login(wallets.new_wallet(), self.session_key.address, audience, clock.now_ms())
        body = msgspec.json.encode(signed).decode()
        with self.client.post("/api/auth/login", data=body, headers=JSON, catch_response=True) as response:
            if response.status_code != 200:
                response.failure(said(response.status_code, response.content))
                raise StopUser
            token = msgspec.json.decode(response.content, type=LoginView).token
        self.session = {"Authorization": f"Bearer {token}"}


class Player(SignedIn):
    """Taps most of the time, and looks at what came of it."""

    weight = 4
    wait_time = constant_throughput(1.5)

    def on_start(self) -> None:
        """Sign in and sit down."""
        super().on_start()
        self.chooser = Chooser(Random(secrets.randbits(64)))
        self.placed: dict[str, BetView] = {}
        self.grid: GridView | None = None
        self.grid_at_ms = 0

    @task(6)
    def tap(self) -> None:
        """Tap a cell of the present grid."""
        grid = self.present_grid()
        if grid is None:
            return
        now_ms = grid.server_time_ms + clock.monotonic_ms() - self.grid_at_ms
        offer = self.chooser.choose(grid, now_ms)
        if offer is None:
            taps["nothing offered"] += 1
            return
        signed = wallets.sign_bet(
            self.session_key,
            offer.cell_id,
            amount_cents=grid.presets_cents[0],
            min_rate_bp=offer.min_rate_bp,
            chain_id=chain_id,
            now_ms=now_ms,
        )
        self.send(msgspec.json.encode(signed).decode())

    def send(self, body: str) -> None:
        """Send a signed tap and note what became of it."""
        with self.client.post("/api/bets", data=body, headers=self.session | JSON, catch_response=True) as response:
            if response.status_code in (201, 202):
                bet = msgspec.json.decode(response.content, type=PlacedView).bet
                self.placed[bet.id] = bet
                taps["placed"] += 1
                response.success()
                return
            code = code_of(response.content)
            taps[code] += 1
            if code in GAME_REFUSALS:
                self.grid = None
                response.success()
            else:
                response.failure(said(response.status_code, response.content))

    def present_grid(self) -> GridView | None:
        """Return a grid that is not old."""
        if self.grid is None or clock.monotonic_ms() - self.grid_at_ms > GRID_GOOD_MS:
            response = self.client.get("/api/grid")
            self.grid = msgspec.json.decode(response.content, type=GridView) if response.status_code == 200 else None
            self.grid_at_ms = clock.monotonic_ms()
        return self.grid

    @task(2)
    def look_at_history(self) -> None:
        """Look at the newest bets, and at one of them."""
        page = self.client.get("/api/bets?limit=25", headers=self.session)
        if page.status_code == 200:
            bets = msgspec.json.decode(page.content, type=BetsPage).bets
            for bet in bets[:1]:
                self.client.get(f"/api/bets/{bet.id}", headers=self.session, name="/api/bets/[id]")

    @task(1)
    def look_at_statement(self) -> None:
        """Look at the account and the newest ledger entries."""
        self.client.get("/api/me", headers=self.session)
        self.client.get("/api/ledger?limit=25", headers=self.session)

    def on_stop(self) -> None:
        """Leave only with a statement that adds up and shows every bet that was answered."""
        if self.session:
            found = recount(AtTheDesk(self), self.placed)
            report("RECOUNT", "statement", 0, 0, AssertionError("; ".join(found)) if found else None)


class Watcher(SignedIn):
    """Follows the stream; the figure that counts is how old a price is when it arrives."""

    weight = 1
    wait_time = constant_throughput(1)

    @task
    def listen(self) -> None:
        """Follow the stream for a while, then connect anew."""
        until_ms = clock.monotonic_ms() + LISTEN_MS
        parser = SseParser()
        response = self.client.get("/api/stream", headers=self.session, stream=True)
        if response.status_code != 200:
            return
        try:
            while clock.monotonic_ms() < until_ms:
                line = response.stream.readline(b"\n")
                if not line:
                    return
                for event in parser.feed(line):
                    if event.type == "price":
                        price = msgspec.json.decode(event.data, type=Price)
                        report("SSE", "age of a price", clock.now_ms() - price.id, len(event.data), None)
        finally:
            response.stream.release()


class AtTheDesk(Desk):
    """A player's own reading of bets, ledger and balance, over locust's client."""

    def __init__(self, player: Player) -> None:
        self._player = player

    def me(self) -> MeView:
        """Ask for the account."""
        return msgspec.json.decode(self._get("/api/me", "recount: /api/me"), type=MeView)

    def bets(self, query: str) -> BetsPage:
        """Ask for a page of bets."""
        return msgspec.json.decode(self._get(f"/api/bets{query}", "recount: /api/bets"), type=BetsPage)

    def ledger(self, query: str) -> LedgerPage:
        """Ask for a page of the ledger."""
        return msgspec.json.decode(self._get(f"/api/ledger{query}", "recount: /api/ledger"), type=LedgerPage)

    def _get(self, path: str, name: str) -> bytes:
        return bytes(self._player.client.get(path, headers=self._player.session, name=name).content or b"{}")


def report(kind: str, name: str, ms: int, size: int, exception: Exception | None) -> None:
    """Put a figure of our own into locust's table."""
    events.request.fire(  # type: ignore[no-untyped-call]
        request_type=kind, name=name, response_time=ms, response_length=size, context={}, exception=exception
    )


def code_of(content: bytes | None) -> str:
    """Return the code of a problem, or that there was none."""
    try:
        return str(msgspec.json.decode(content or b"{}", type=dict[str, object]).get("code", "no answer"))
    except msgspec.DecodeError:
        return "no problem+json"


def said(status: int, content: bytes | None) -> str:
    """Write a failure so that equal ones are counted together."""
    return f"{status} {code_of(content)}"


@events.init.add_listener  # type: ignore[untyped-decorator]
def stay_at_home(environment: Environment, **_: object) -> None:
    """Refuse any server but our own: this is no tool to load others with."""
    if urlsplit(environment.host or "").hostname not in LOOPBACK:
        log.error("--host must be a loopback address, such as http://127.0.0.1:8000")
        sys.exit(2)


@events.quitting.add_listener  # type: ignore[untyped-decorator]
def audit(environment: Environment, **_: object) -> None:
    """End with the audit of the whole ledger; its verdict decides the exit code too."""
    log.info("taps: %s", ", ".join(f"{count} {name}" for name, count in taps.most_common()) or "none")
    done = subprocess.run(
        [sys.executable, "-m", "taptrade", "audit"], capture_output=True, text=True, timeout=120, check=False
    )
    log.info("%s", (done.stdout.strip().splitlines() or ["no output"])[-1])
    if done.returncode or not taps["placed"]:
        log.error("%s%s", done.stdout[-2000:], done.stderr[-2000:])
        environment.process_exit_code = 1
