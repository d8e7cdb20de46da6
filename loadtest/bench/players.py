"""Players: wallets that sign in through the API, and session keys that sign their taps."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
from coincurve import PrivateKey

from loadtest.bench.http import head_of, problem_code, with_body
from runtime.auth.addresses import to_checksum_address
from runtime.auth.signatures import address_of, personal_hash, sign
from runtime.clock import Clock
from taptrade.views import LoginView, SignedLogin
from taptrade.wallet import Audience, login_message, new_nonce


@dataclass(slots=True)
class Player:
    """A wallet and its session key; `head` is the head of its taps once it has signed in."""

    wallet_key: bytes
    session_key: PrivateKey
    head: bytes = b""

    def sign_tap(self, text: bytes) -> str:
        """Sign as personal_sign does, with the session key."""
        raw = self.session_key.sign_recoverable(personal_hash(text), hasher=None)
        return f"0x{raw[:64].hex()}{27 + raw[64]:02x}"


def new_players(count: int) -> list[Player]:
    """Make wallets and session keys."""
    return [Player(secrets.token_bytes(32), PrivateKey(secrets.token_bytes(32))) for _ in range(count)]


class SignIns:
    """The traffic of players who sign in, each once."""

    def __init__(self, players: Sequence[Player], domain: str, chain_id: int, clock: Clock) -> None:
        self._players = players
        self._clock = clock
        self._domain = domain
        self._audience = Audience(domain, f"http://{domain}", chain_id)
        self._head = head_of("POST", "/api/auth/login", domain)
        self._next = 0

    def request(self) -> tuple[bytes, int]:
        """Sign the next player's login."""
        tag = self._next
        self._next += 1
        player = self._players[tag]
        wallet = to_checksum_address(address_of(player.wallet_key))
        delegate = to_checksum_address(address_of(player.session_key.secret))
        message = login_message(wallet, delegate, self._audience, new_nonce(), self._clock.now_ms())
        signed = SignedLogin(message, sign(message.encode(), player.wallet_key))
        return with_body(self._head, msgspec.json.encode(signed)), tag

    def answered(self, tag: int, status: int, body: bytes) -> str:
        """Keep the session's token."""
        if status != 200:
            return problem_code(status, body)
        token = msgspec.json.decode(body, type=LoginView).token
        self._players[tag].head = head_of("POST", "/api/bets", self._domain, token)
        return ""
