"""A player of the arena: a wallet, perhaps a session key, and requests that are signed right unless told otherwise."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from falcon import testing

from runtime.addresses import to_checksum_address
from runtime.auth.bet_text import bet_text, gesture_text, withdraw_text
from runtime.auth.signatures import address_of, sign
from runtime.auth.siwe import SESSION_KEY_URN
from runtime.game.gestures import TapLine, taps_text
from runtime.game.grid import column_of
from tests.attack.arena import Arena, Instance
from tests.jobs.writer_desk import PRICE_CENTS, RULES
from tests.runtime.auth.browser import BrowserKey, Key, guest_body, name_of, signature_by
from tests.runtime.auth.logins import DOMAIN, message

STEP = RULES.row_step_cents
Signed = dict[str, Any]


def cell_id(now_ms: int, *, columns: int = 3, rows: int = 0) -> str:
    """Return the cell so many columns ahead of now and rows above the price."""
    start_s = column_of(now_ms, RULES) + columns * RULES.column_seconds
    low = PRICE_CENTS - PRICE_CENTS % STEP + rows * STEP
    return f"{start_s}_{low}_{low + STEP}"


def bet_text_of(bet: Signed, chain_id: int = 1) -> str:
    """Return the text that the signature of a bet's body is over."""
    signed = {name: bet[name] for name in ("cell_id", "amount", "min_rate_bp", "nonce", "timestamp")}
    return bet_text(**signed, chain_id=chain_id)


def tap_of(now_ms: int, *, columns: int = 3, rows: int = 0, **changes: Any) -> Signed:
    """Return one tap of a gesture."""
    return {"cell_id": cell_id(now_ms, columns=columns, rows=rows), "amount": 100, "min_rate_bp": 10_000} | changes


def lines_of(taps: list[Signed]) -> str:
    """Return the taps of a gesture as they are signed."""
    return taps_text(TapLine(tap["cell_id"], tap["amount"], tap["min_rate_bp"]) for tap in taps)


@dataclass
class Player:
    """One signed-in wallet; `session_key` is empty unless the login named one."""

    arena: Arena
    wallet_key: bytes
    session_key: Key = b""
    token: str = ""
    user_id: str = ""

    @property
    def wallet(self) -> str:
        """The wallet's address."""
        return address_of(self.wallet_key)

    def log_in(self, *, instance: Instance | None = None) -> Player:
        """Sign in; the token replaces the one before."""
        resources = (SESSION_KEY_URN + name_of(self.session_key),) if self.session_key else None
        text = message(
            self.arena.now_ms,
            address=to_checksum_address(self.wallet),
            nonce=self.arena.nonce(),
            resources=resources,
        ).to_text()
        body = {"message": text, "signature": sign(text.encode(), self.wallet_key)}
        result = (instance or self.arena.one).client.simulate_post("/api/auth/login", json=body)
        assert result.status_code == 200, result.text
        self.token, self.user_id = result.json["token"], result.json["user"]["id"]
        return self

    def enter(self, key: BrowserKey, *, instance: Instance | None = None) -> Player:
        """Sign in as the guest of a key, which then signs the taps."""
        body = guest_body(key, DOMAIN, self.arena.now_ms, self.arena.nonce())
        result = (instance or self.arena.one).client.simulate_post("/api/auth/guest", json=body)
        assert result.status_code == 200, result.text
        self.token, self.user_id, self.session_key = result.json["token"], result.json["user"]["id"], key
        return self

    def bet(self, *, key: Key = b"", chain_id: int = 1, **changes: Any) -> Signed:
        """Return a bet's body, signed by the session key if there is one; changes are signed with it."""
        now_ms = self.arena.now_ms
        where = {name: changes.pop(name) for name in ("columns", "rows") if name in changes}
        body: Signed = {
            "cell_id": cell_id(now_ms, **where),
            "amount": 100,
            "min_rate_bp": 10_000,
            "nonce": self.arena.nonce(),
            "timestamp": now_ms // 1000,
        } | changes
        text = bet_text_of(body, chain_id).encode("utf-8", "surrogatepass")
        return body | {"signature": signature_by(key or self.session_key or self.wallet_key, text)}

    def gesture(self, *taps: Signed, key: Key = b"", chain_id: int = 1, **changes: Any) -> Signed:
        """Return the body of a gesture: taps say `columns` and `rows` from here, or `cell_id`, and what differs."""
        now_ms = self.arena.now_ms
        body: Signed = {
            "taps": [tap_of(now_ms, **tap) for tap in taps],
            "nonce": self.arena.nonce(),
            "timestamp": now_ms // 1000,
        } | changes
        text = gesture_text(lines_of(body["taps"]), body["nonce"], body["timestamp"], chain_id)
        return body | {"signature": signature_by(key or self.session_key or self.wallet_key, text.encode())}

    def withdrawal(self, *, key: Key = b"", chain_id: int = 1, **changes: Any) -> Signed:
        """Return a withdrawal's body, signed by the wallet."""
        body: Signed = {"amount": 100, "nonce": self.arena.nonce(), "timestamp": self.arena.now_ms // 1000} | changes
        text = withdraw_text(body["amount"], body["nonce"], body["timestamp"], chain_id)
        return body | {"signature": signature_by(key or self.wallet_key, text.encode())}

    def send(
        self, path: str, body: Any, *, instance: Instance | None = None, token: str | None = None, **headers: str
    ) -> testing.Result:
        """Post a body, or bytes as they are, with this player's token or with another."""
        given = {
            "Authorization": f"Bearer {self.token if token is None else token}",
            "Content-Type": "application/json",
        }
        given |= {name.replace("_", "-"): value for name, value in headers.items()}
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        return (instance or self.arena.one).client.simulate_post(path, body=data, headers=given)

    def place(self, body: Signed | bytes, **how: Any) -> testing.Result:
        """Send a bet."""
        return self.send("/api/bets", body, **how)

    def tap(self, **how: Any) -> dict[str, Any]:
        """Place a bet that is taken; return it as the API shows it."""
        answer = self.place(self.bet(**how))
        assert answer.status_code == 201, answer.text
        bet: dict[str, Any] = answer.json["bet"]
        return bet

    def set_limits(self, **wanted: int | None) -> dict[str, Any]:
        """Change the account's own limits; return what counts then."""
        headers = {"Authorization": f"Bearer {self.token}"}
        answer = self.arena.one.client.simulate_put("/api/me/limits", json=wanted, headers=headers)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json
        return found

    def withdraw(self, body: Signed, **how: Any) -> testing.Result:
        """Send a withdrawal."""
        return self.send("/api/withdrawals", body, **how)

    def get(self, path: str, *, instance: Instance | None = None) -> testing.Result:
        """Ask for something of one's own."""
        headers = {"Authorization": f"Bearer {self.token}"}
        return (instance or self.arena.one).client.simulate_get(path, headers=headers)

    @property
    def balance(self) -> int:
        """What the account holds."""
        return self.arena.desk.balance(self.user_id)


def code_of(result: testing.Result) -> tuple[int, str]:
    """Return status and code of an answer; an answer that is no refusal has no code."""
    refused = result.status_code >= 400
    return result.status_code, result.json["code"] if refused else ""
