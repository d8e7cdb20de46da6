"""What the open loop sends: sign-ins of players, then signed taps on cells that the newest grid offers.

Each cell is tapped at most once by each player.
"""

from __future__ import annotations

import itertools
import secrets
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from random import Random

import msgspec
from coincurve import PrivateKey

from loadtest.open_loop import head_of, problem_code, request_of
from runtime.addresses import to_checksum_address
from runtime.auth.bet_text import bet_text
from runtime.auth.signatures import address_of, personal_hash, sign
from runtime.clock import Clock
from taptrade.views import GridView, LoginView, SignedLogin
from taptrade.wallet import Audience, login_message, new_nonce

RATE_BP_MIN = 15_000
RATE_BP_MAX = 120_000
"""Mid-range rates: no move of the price within a second takes such a cell off the offer."""
FLOOR_BP = 10_000
COLUMNS = 2
"""The nearest columns that stay open long enough: their bets settle soonest."""
OPEN_FOR_MS = 5_000
STAKE_CENTS = 100


@dataclass(slots=True)
class Player:
    """A wallet and its session key; `head` is the head of its taps once it has signed in."""

    wallet_key: bytes = field(default_factory=partial(secrets.token_bytes, 32))
    session_key: PrivateKey = field(default_factory=PrivateKey)
    head: bytes = b""

    def sign_tap(self, text: bytes) -> str:
        """Sign as personal_sign does, with the session key."""
        raw = self.session_key.sign_recoverable(personal_hash(text), hasher=None)
        return f"0x{raw[:64].hex()}{27 + raw[64]:02x}"


class SignIns:
    """The traffic of players who sign in, each once."""

    def __init__(self, players: Sequence[Player], domain: str, chain_id: int, clock: Clock) -> None:
        self._players = players
        self._clock = clock
        self._domain = domain
        self._place = Audience(domain, f"http://{domain}", chain_id)
        self._head = head_of("POST", "/api/auth/login", domain)
        self._next = 0

    def request(self) -> tuple[bytes, int]:
        """Sign the next player's login."""
        tag = self._next
        self._next += 1
        player = self._players[tag]
        wallet = to_checksum_address(address_of(player.wallet_key))
        delegate = to_checksum_address(address_of(player.session_key.secret))
        message = login_message(wallet, delegate, self._place, new_nonce(), self._clock.now_ms())
        signed = SignedLogin(message, sign(message.encode(), player.wallet_key))
        return request_of(self._head, msgspec.json.encode(signed)), tag

    def answered(self, tag: int, status: int, body: bytes) -> str:
        """Keep the session's token."""
        if status != 200:
            return problem_code(status, body)
        token = msgspec.json.decode(body, type=LoginView).token
        self._players[tag].head = head_of("POST", "/api/bets", self._domain, token)
        return ""


class NothingOffered(Exception):
    """The grid offers no cell that some player could still tap."""


class Board:
    """The cells of the newest grid that are worth tapping."""

    def __init__(self, players: int, rng: Random) -> None:
        self._players = players
        self._rng = rng
        self._left: dict[str, Iterator[int]] = {}
        """By cell, the players who have not tapped it yet; who is first differs from cell to cell."""
        self._open: deque[str] = deque()

    def show(self, grid: GridView) -> None:
        """Take a new grid; cells that were tapped before keep their count."""
        now_ms, width_ms = grid.server_time_ms, grid.column_seconds * 1000
        # A cell's id begins with the second in which it opens.
        self._left = {cell_id: left for cell_id, left in self._left.items() if cell_id >= f"{now_ms // 1000}"}
        self._open.clear()
        # A column takes no more bets once the one before it begins.
        columns = [
            (column, rates)
            for column, rates in zip(grid.columns, grid.rates_bp, strict=True)
            if column.opens_ms - width_ms - now_ms >= OPEN_FOR_MS
        ]
        for column, rates in columns[:COLUMNS]:
            for row, rate in zip(grid.rows, rates, strict=True):
                if rate is not None and RATE_BP_MIN <= rate <= RATE_BP_MAX:
                    self._offer(f"{column.start_s}_{row.low_cents}_{row.high_cents}")

    def _offer(self, cell_id: str) -> None:
        self._open.append(cell_id)
        if cell_id not in self._left:
            first = self._rng.randrange(self._players)
            self._left[cell_id] = itertools.chain(range(first, self._players), range(first))

    def offered(self) -> list[str]:
        """Return the cells of the newest grid that are worth tapping."""
        return list(self._open)

    def next(self) -> tuple[str, int]:
        """Return a cell and a player who has never tapped it; the cells take turns."""
        while self._open:
            cell_id = self._open.popleft()
            player = next(self._left[cell_id], None)
            if player is not None:
                self._open.append(cell_id)
                return cell_id, player
        raise NothingOffered


class Taps:
    """The traffic of players who tap; each tap is signed just before it leaves."""

    def __init__(self, players: Sequence[Player], chain_id: int, clock: Clock, *, signed: bool) -> None:
        self._players = players
        self._chain_id = chain_id
        self._clock = clock
        self._signed = signed
        self.board = Board(len(players), Random(secrets.randbits(64)))
        self._run = secrets.token_hex(8)
        self._count = 0

    def new_nonce(self) -> str:
        """Return a nonce that was not used before."""
        self._count += 1
        return f"{self._run}{self._count:x}"

    def request(self) -> tuple[bytes, int]:
        """Sign the next tap."""
        cell_id, index = self.board.next()
        player = self._players[index]
        nonce = self.new_nonce()
        signed_s = self._clock.now_ms() // 1000
        signature = ""
        if self._signed:
            text = bet_text(cell_id, STAKE_CENTS, FLOOR_BP, nonce, signed_s, self._chain_id)
            signature = player.sign_tap(text.encode())
        body = (
            f'{{"cell_id":"{cell_id}","amount":{STAKE_CENTS},"min_rate_bp":{FLOOR_BP},"nonce":"{nonce}",'
            f'"timestamp":{signed_s},"signature":"{signature}"}}'
        )
        return request_of(player.head, body.encode()), index

    def answered(self, tag: int, status: int, body: bytes) -> str:
        """A bet counts when it is committed; one that is still pending after two seconds does not."""
        del tag
        if status == 201:
            return ""
        return "PENDING" if status == 202 else problem_code(status, body)

    def see_grid(self, status: int, body: bytes) -> None:
        """Take the grid that the errand brought."""
        if status == 200:
            self.board.show(msgspec.json.decode(body, type=GridView))


class Repeated:
    """The traffic of one request over and over."""

    def __init__(self, request: bytes) -> None:
        self._request = request

    def request(self) -> tuple[bytes, int]:
        """Return the request."""
        return self._request, 0

    def answered(self, tag: int, status: int, body: bytes) -> str:
        """Anything but success is an error."""
        del tag
        return "" if status < 300 else problem_code(status, body)
