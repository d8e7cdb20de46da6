"""An operator of the arena's house: a wallet that signs in to operate, and requests as its page sends them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from falcon import testing

from runtime.addresses import to_checksum_address
from runtime.auth.operators import COOKIE
from runtime.auth.signatures import address_of, sign
from runtime.auth.siwe import OPERATE_URN
from runtime.clock import ManualClock
from runtime.settings import Settings
from tests.attack.arena import Arena, Instance, open_arena
from tests.runtime.auth.logins import message

KEY = b"\x66" * 32
OTHER_KEY = b"\x77" * 32
OPERATORS = (address_of(KEY), address_of(OTHER_KEY))
OWN_PAGE = {"Sec-Fetch-Site": "same-origin"}
WHY = "because of a test"


@dataclass
class Operator:
    """One wallet and what its browser keeps of operating."""

    arena: Arena
    key: bytes = KEY
    cookies: dict[str, str] = field(default_factory=dict)

    @property
    def shown(self) -> str:
        """The wallet as it is written beside what it decides."""
        return to_checksum_address(address_of(self.key))

    def signed(self, **changed: Any) -> dict[str, str]:
        """Return a login for operating, with some fields of its message changed."""
        given = {"address": self.shown, "nonce": self.arena.nonce(), "resources": (OPERATE_URN,)} | changed
        text = message(self.arena.now_ms, **given).to_text()
        return {"message": text, "signature": sign(text.encode(), self.key)}

    def knock(
        self,
        body: dict[str, str] | None = None,
        *,
        instance: Instance | None = None,
        headers: dict[str, str] | None = None,
    ) -> testing.Result:
        """Send a login, and keep the cookie that it brings."""
        client = (instance or self.arena.one).client
        given = OWN_PAGE if headers is None else headers
        result = client.simulate_post("/api/operate/login", json=body or self.signed(), headers=given)
        self.cookies = {name: cookie.value for name, cookie in result.cookies.items()}
        return result

    def log_in(self) -> Operator:
        """Sign in to operate."""
        result = self.knock()
        assert result.status_code == 200, result.text
        return self

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        instance: Instance | None = None,
        headers: dict[str, str] | None = None,
    ) -> testing.Result:
        """Send a request as the page does, or with other header fields than its own."""
        return (instance or self.arena.one).client.simulate_request(
            method,
            f"/api/operate/{path}",
            json=body,
            headers=OWN_PAGE if headers is None else headers,
            cookies=self.cookies,
        )

    def look(self, path: str) -> Any:
        """Return what a GET is answered."""
        result = self.ask("GET", path)
        assert result.status_code == 200, result.text
        return result.json

    @property
    def token(self) -> str:
        """The token in the cookie."""
        return self.cookies[COOKIE]


@contextmanager
def open_house(settings: Settings, clock: ManualClock) -> Iterator[Arena]:
    """Open an arena that two wallets operate."""
    with open_arena(replace(settings, operators=OPERATORS), clock) as opened:
        yield opened
