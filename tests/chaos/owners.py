"""Who owns an account under faults: a wallet with a session key of either kind, or a guest until one adopts it."""

from __future__ import annotations

import secrets
from typing import Literal

from runtime.auth.p256 import ORDER, address_of_key
from runtime.auth.siwe import GUEST_URN, SiweMessage
from runtime.clock import SystemClock, rfc3339
from taptrade.client import ApiError, TapClient
from taptrade.client.calls import Call
from taptrade.views import LoginView, SignedLogin
from taptrade.wallet import Audience, Signer, new_nonce, new_wallet, sign_login
from tests.runtime.auth.browser import BrowserKey, guest_body

Kind = Literal["wallet", "wallet with a browser's key", "guest", "guest who gets a wallet"]
KINDS: tuple[Kind, ...] = (
    *("wallet", "wallet with a browser's key"),
    *("wallet", "guest"),
    *("wallet", "guest who gets a wallet"),
)
"""The kinds of the players of a crowd, in order: every second one taps by a P-256 key of the browser."""
CLOCK = SystemClock()


class BrowserSigner:
    """A browser's key that signs texts as the page does."""

    def __init__(self) -> None:
        self.key = BrowserKey(1 + secrets.randbelow(ORDER - 1))

    def sign(self, text: str) -> str:
        """Sign a text's UTF-8 bytes."""
        return self.key.sign(text.encode())


class OwnersClient(TapClient):
    """A client that also does what only a page does."""

    def guest(self, key: BrowserKey, domain: str) -> LoginView:
        """Sign in with a key of the browser; later calls use the session."""
        body = guest_body(key, domain, CLOCK.now_ms(), new_nonce())
        return self._entered(self.send(Call("POST", "/api/auth/guest", LoginView, body)))

    def adopt(self, signed: SignedLogin) -> LoginView:
        """Give the guest's account to a wallet; later calls use the new session."""
        return self._entered(self.send(Call("POST", "/api/me/wallet", LoginView, signed)))

    def _entered(self, answer: LoginView) -> LoginView:
        self.token = answer.token
        return answer


class Owner:
    """The keys of one account, and how they sign in."""

    def __init__(self, kind: Kind, audience: Audience) -> None:
        self.kind = kind
        self.audience = audience
        self.wallet = new_wallet()
        self.is_guest = kind.startswith("guest")
        """Whether the account is still the key's, as far as its owner knows."""
        self.browser: BrowserKey | None = None
        self.tapper: Signer
        """What signs the taps, for ever."""
        if kind == "wallet":
            tapper = new_wallet()
            self.tapper, self._key_name = tapper, tapper.address
        else:
            signer = BrowserSigner()
            self.tapper, self.browser, self._key_name = signer, signer.key, signer.key.text

    @property
    def address(self) -> str:
        """What the account must go by, in lower case."""
        if self.is_guest and self.browser is not None:
            return address_of_key(self.browser.text)
        return self.wallet.address.lower()

    @property
    def wants_wallet(self) -> bool:
        """Tell whether the account is to be given to the wallet, and is not yet."""
        return self.is_guest and self.kind == "guest who gets a wallet"

    def sign_in(self, client: OwnersClient) -> LoginView:
        """Sign in, with a new signature each time; who was taken over meanwhile comes by the wallet."""
        if self.is_guest and self.browser is not None:
            try:
                return client.guest(self.browser, self.audience.domain)
            except ApiError as ex:
                if ex.code != "GUEST_ADOPTED" or not self.wants_wallet:
                    raise
                self.is_guest = False
        return client.login(sign_login(self.wallet, self._key_name, self.audience, CLOCK.now_ms()))

    def get_wallet(self, client: OwnersClient, user_id: str) -> LoginView:
        """Let the wallet take the account over; a repeat, signed anew, is done again without harm."""
        message = SiweMessage(
            domain=self.audience.domain,
            address=self.wallet.address,
            uri=self.audience.uri,
            chain_id=self.audience.chain_id,
            nonce=new_nonce(),
            issued_at=rfc3339(CLOCK.now_ms()),
            resources=(GUEST_URN + user_id,),
        ).to_text()
        entered = client.adopt(SignedLogin(message, self.wallet.sign(message)))
        self.is_guest = False
        return entered
