"""The worst that each route can be sent, whatever it is answered: what costs most, or leaves most behind."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import msgspec

from runtime.auth.bet_text import bet_text, withdraw_text
from runtime.auth.nonces import CHARACTERS_MAX
from runtime.auth.processors import SIGNATURE_HEADER, TIMESTAMP_HEADER
from runtime.auth.siwe import MESSAGE_CHARACTERS_MAX
from runtime.betting.idempotency import KEY_LENGTH_MAX
from runtime.clock import SystemClock
from runtime.game.gestures import TAPS_MAX
from runtime.settings import Settings
from runtime.web.incoming import BODY_BYTES_MAX
from taptrade.views import WantedTap
from taptrade.wallet import Audience, Wallet, login_message, new_wallet, sign_gesture
from tests.runtime.auth.browser import BrowserKey, guest_body

CLOCK = SystemClock()
SIGNATURE = "0x" + "11" * 64 + "1b"
"""Of the right form, and of somebody unknown."""
FILLING = "I agree. "
NO_REQUEST = b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: much\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Ask:
    """One request."""

    path: str
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    is_stream: bool = False


class Target(Protocol):
    """What an attacker needs to know of a system."""

    @property
    def settings(self) -> Settings:
        """Its settings."""
        ...

    @property
    def audience(self) -> Audience:
        """For whom a login is signed."""
        ...


class Attacker:
    """A wallet with a session, and what it needs to ask for the worst."""

    def __init__(self, target: Target, address: str) -> None:
        self.target = target
        self.address = address
        self.wallet, self.key = new_wallet(), new_wallet()
        self.browser_key = BrowserKey(secrets.randbits(128) + 1)
        self.token = ""
        self.bet_id = "0" * 26
        self.column_s = 0
        self._asked = 0

    @property
    def headers(self) -> dict[str, str]:
        """What each request carries."""
        return {"Authorization": f"Bearer {self.token}", "X-Forwarded-For": self.address}

    @property
    def number(self) -> int:
        """Another number each time."""
        self._asked += 1
        return self._asked

    def login(self, wallet: Wallet, session_key: str) -> bytes:
        """Return a signed login that is as long as it may be."""
        short = login_message(wallet.address, session_key, self.target.audience, _nonce(), CLOCK.now_ms())
        head, _, tail = short.partition("\n\n")
        statement, _, rest = tail.partition("\n\n")
        left = MESSAGE_CHARACTERS_MAX - len(short) - 1
        text = f"{head}\n\n{statement} {(FILLING * left)[:left]}\n\n{rest}"
        return _json({"message": text, "signature": wallet.sign(text)})

    def guest(self, key: BrowserKey) -> bytes:
        """Return a guest's sign-in."""
        return _json(guest_body(key, self.target.settings.domain, CLOCK.now_ms(), _nonce()))

    def bet(self, signer: Wallet | None) -> bytes:
        """Return a bet on a cell far from the price, which the writer judges, refuses and keeps."""
        now_s, settings = CLOCK.now_ms() // 1000, self.target.settings
        width, step = settings.column_seconds, settings.row_step_cents
        low = step * (1_000 + self.number)
        cell = f"{now_s // width * width + 6 * width}_{low}_{low + step}"
        body: dict[str, Any] = {
            "cell_id": cell,
            "amount": 100,
            "min_rate_bp": 10_000,
            "nonce": _nonce(),
            "timestamp": now_s,
        }
        text = bet_text(body["cell_id"], body["amount"], body["min_rate_bp"], body["nonce"], now_s, settings.chain_id)
        return _json(body | {"signature": signer.sign(text) if signer else SIGNATURE})

    def gesture(self) -> bytes:
        """Return as many of these as go under one signature."""
        now_s, settings = CLOCK.now_ms() // 1000, self.target.settings
        width, step = settings.column_seconds, settings.row_step_cents
        lows = [step * (1_000 + TAPS_MAX * self.number + row) for row in range(TAPS_MAX)]
        taps = [WantedTap(f"{now_s // width * width + 6 * width}_{low}_{low + step}", 100, 10_000) for low in lows]
        signed = sign_gesture(self.key, taps, chain_id=settings.chain_id, now_ms=now_s * 1000)
        return _json(msgspec.to_builtins(signed))

    def withdrawal(self) -> bytes:
        """Return a withdrawal of the least amount."""
        now_s, settings, nonce = CLOCK.now_ms() // 1000, self.target.settings, _nonce()
        text = withdraw_text(settings.withdrawal_min_cents, nonce, now_s, settings.chain_id)
        return _json(
            {
                "amount": settings.withdrawal_min_cents,
                "nonce": nonce,
                "timestamp": now_s,
                "signature": self.wallet.sign(text),
            }
        )


def _nonce() -> str:
    return secrets.token_hex(CHARACTERS_MAX // 2)


def _json(body: object) -> bytes:
    return json.dumps(body, separators=(",", ":")).encode()


def _long_key() -> dict[str, str]:
    return {"Idempotency-Key": secrets.token_hex(KEY_LENGTH_MAX // 2)}


def _get(path: str) -> tuple[Callable[[Attacker], Ask], ...]:
    return (lambda _: Ask(path),)


def _new_wallet(attacker: Attacker) -> Ask:
    return Ask("/api/auth/login", attacker.login(new_wallet(), new_wallet().address))


def _known_wallet(attacker: Attacker) -> Ask:
    return Ask("/api/auth/login", attacker.login(attacker.wallet, attacker.key.address))


def _wrong_login(attacker: Attacker) -> Ask:
    signed = json.loads(attacker.login(attacker.wallet, attacker.key.address))
    return Ask("/api/auth/login", _json(signed | {"signature": SIGNATURE}))


def _new_guest(attacker: Attacker) -> Ask:
    return Ask("/api/auth/guest", attacker.guest(BrowserKey(secrets.randbits(128) + 1)))


def _known_guest(attacker: Attacker) -> Ask:
    return Ask("/api/auth/guest", attacker.guest(attacker.browser_key))


def _wrong_guest(attacker: Attacker) -> Ask:
    signed = json.loads(attacker.guest(BrowserKey(secrets.randbits(128) + 1)))
    return Ask("/api/auth/guest", _json(signed | {"nonce": _nonce()}))


def _new_adoption(attacker: Attacker) -> Ask:
    """Ask as a wallet's session: a guest can give the account away once, and then has such a session."""
    return Ask("/api/me/wallet", attacker.login(new_wallet(), new_wallet().address))


def _guessed_secret(_: Attacker) -> Ask:
    body = _json({"amount": 1, "reference": "r" * 200, "user_id": "x" * 26})
    headers = {TIMESTAMP_HEADER: str(CLOCK.now_ms() // 1000), SIGNATURE_HEADER: "0" * 64}
    return Ask("/api/processor/deposits", body.ljust(BODY_BYTES_MAX), headers)


OPERATORS_LOOKS = ("buckets", "exposure", "overview", "session", "withdrawals")
OPERATORS_WORDS: dict[str, Any] = {
    "breaker": {"override": "open", "why": "y" * 200},
    "buckets/open": {"bucket": "20-50x/all", "why": "y" * 200},
    "logout": None,
    "withdrawals/{withdrawal_id}/complete": {"reference": "r" * 200, "why": "y" * 200},
    "withdrawals/{withdrawal_id}/reverse": {"reference": "r" * 200, "why": "y" * 200},
}


def _as_operator(path: str, body: Any = None) -> Callable[[Attacker], Ask]:
    """Return what asks with a guessed session of an operator's, beside the player's own."""
    sent = b"" if body is None else _json(body)
    url = "/api/operate/" + path.replace("{withdrawal_id}", "0" * 26)

    def ask(_: Attacker) -> Ask:
        guess = secrets.token_urlsafe(32)
        return Ask(url, sent, {"Cookie": f"taptrade_operator={guess}", "Sec-Fetch-Site": "same-origin"})

    return ask


def _operators_login(attacker: Attacker) -> Ask:
    return Ask("/api/operate/login", attacker.login(attacker.wallet, attacker.key.address))


WORST: dict[str, tuple[Callable[[Attacker], Ask], ...]] = {
    "GET /": _get("/"),
    "POST /api/auth/guest": (_new_guest, _known_guest, _wrong_guest),
    "POST /api/auth/login": (_new_wallet, _known_wallet, _wrong_login),
    "POST /api/auth/logout": (lambda _: Ask("/api/auth/logout", headers={"Authorization": f"Bearer {'A' * 43}"}),),
    "GET /api/bets": (
        lambda _: Ask("/api/bets?limit=500&status=void"),
        lambda _: Ask("/api/bets?limit=500", headers={"Accept": "text/csv"}),
    ),
    "POST /api/bets": (
        lambda attacker: Ask("/api/bets", attacker.bet(None)),
        lambda attacker: Ask("/api/bets", attacker.bet(attacker.key), {"Prefer": "respond-async"}),
        lambda attacker: Ask("/api/bets", attacker.gesture(), {"Prefer": "respond-async"}),
        lambda _: Ask("/api/bets", b"[" * BODY_BYTES_MAX),
        lambda attacker: Ask("/api/bets", attacker.bet(None), {"Authorization": f"Bearer {secrets.token_hex(21)}A"}),
    ),
    "GET /api/bets/{bet_id}": (lambda attacker: Ask(f"/api/bets/{attacker.bet_id}?verify=true"),),
    "GET /api/columns/{start}": (lambda attacker: Ask(f"/api/columns/{attacker.column_s}"),),
    "GET /api/deposits": _get("/api/deposits?limit=500"),
    "POST /api/deposits": (lambda _: Ask("/api/deposits", b'{"amount":1}', _long_key()),),
    "GET /api/grid": _get("/api/grid"),
    "GET /api/ledger": _get("/api/ledger?limit=500&ref_type=ADJUSTMENT"),
    "GET /api/me": _get("/api/me"),
    "GET /api/me/limits": _get("/api/me/limits"),
    "PUT /api/me/limits": (
        lambda attacker: Ask("/api/me/limits", _json({"stake_day_max_cents": 10**12 - attacker.number})),
        lambda _: Ask("/api/me/limits", _json({"stake_day_max_cents": None, "loss_day_max_cents": 10**12})),
    ),
    "GET /api/me/reality-check": _get("/api/me/reality-check"),
    "POST /api/me/reality-check": (lambda _: Ask("/api/me/reality-check"),),
    "GET /api/me/sessions": _get("/api/me/sessions"),
    "DELETE /api/me/sessions/{session_id}": (lambda _: Ask(f"/api/me/sessions/{secrets.token_hex(32)}"),),
    **{f"GET /api/operate/{path}": (_as_operator(path),) for path in OPERATORS_LOOKS},
    **{f"POST /api/operate/{path}": (_as_operator(path, body),) for path, body in OPERATORS_WORDS.items()},
    "POST /api/operate/login": (_operators_login,),
    "POST /api/me/wallet": (_new_adoption,),
    "GET /api/price": _get("/api/price"),
    "GET /api/prices": (
        lambda _: Ask("/api/prices?limit=500&resolution=tick"),
        lambda _: Ask("/api/prices?limit=500&resolution=30s"),
        lambda _: Ask("/api/prices?limit=500&resolution=1h&from=0"),
    ),
    "POST /api/processor/deposits": (_guessed_secret,),
    "GET /api/rules": _get("/api/rules"),
    "GET /api/stream": (lambda _: Ask("/api/stream", is_stream=True),),
    "GET /api/time": _get("/api/time"),
    "GET /api/withdrawals": _get("/api/withdrawals?limit=500"),
    "POST /api/withdrawals": (lambda attacker: Ask("/api/withdrawals", attacker.withdrawal(), _long_key()),),
    "GET /bets/{bet_id}": _get("/bets/none"),
    "GET /docs": _get("/docs"),
    "GET /healthz": _get("/healthz"),
    "GET /metrics": _get("/metrics"),
    "GET /openapi.json": _get("/openapi.json"),
    "GET /operate": _get("/operate"),
    "GET /page/{name:path}": (lambda attacker: Ask(f"/page/{attacker.number}.js"),),
    "GET /readyz": _get("/readyz"),
    "GET /version": _get("/version"),
}
"""By method and route; those of several kinds are sent one after the other."""
