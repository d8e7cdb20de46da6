"""Keys as a browser keeps them, and what WebCrypto itself made with one."""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from runtime.auth.guests import guest_text
from runtime.auth.p256 import ORDER, PREFIX

_ALGORITHM = ec.ECDSA(SHA256(), deterministic_signing=True)


class BrowserKey:
    """A P-256 key with a known secret, which signs the same text alike each time."""

    def __init__(self, secret: int) -> None:
        self.private = ec.derive_private_key(secret, ec.SECP256R1())
        point = self.private.public_key().public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
        self.text = PREFIX + point.hex()

    def numbers(self, message: bytes) -> tuple[int, int]:
        """Return r and s of a signature, s in whichever half."""
        return decode_dss_signature(self.private.sign(message, _ALGORITHM))

    def sign(self, message: bytes) -> str:
        """Sign as the page does: r and s as they are, a high s replaced."""
        r, s = self.numbers(message)
        return joined(r, min(s, ORDER - s))


def joined(r: int, s: int) -> str:
    """Put a signature together."""
    return f"0x{r:064x}{s:064x}"


def guest_body(key: BrowserKey, domain: str, now_ms: int, nonce: str, **changed: object) -> dict[str, object]:
    """Return the body of a guest's sign-in; what is changed was not signed."""
    timestamp = now_ms // 1000
    text = guest_text(domain, key.text, nonce, timestamp)
    good = {"public_key": key.text, "domain": domain, "nonce": nonce, "timestamp": timestamp}
    return good | {"signature": key.sign(text.encode())} | changed


WEBCRYPTO_KEY = "p256:03c876247a729e7dbae39ab7d3468ab9c79fc7816cd659bb264b1733b4aab04535"
"""Made by WebCrypto of Node 20, as were the signatures."""
WEBCRYPTO_TEXT = (
    "Tap Trading Bet\nAction: place_bet\nCell: 1790000030_6750000_6750500\nAmount: 100\nMinRate: 10000\n"
    "Nonce: nonce00000001\nTimestamp: 1790000000\nChain: 1\nVersion: 1"
)
WEBCRYPTO_LOW = (
    "ac50ea8f4d498839e58451327d622fecf8454db0d40cbe7a87dcfcfb0a76ec4e"
    "6f9482fd44470a184165f473b68c600612a134a1712add9d1fafefc701891bd9"
)
WEBCRYPTO_HIGH = (
    "4ca69e7e9f03aa2dbe51d4e523e6148ca9ec5ba2f65b0ec99c72ce07b7f2e73a"
    "8a36424e95dc821a35a831820d6e16f95e52a087eb9e572baf6fe06028582abb"
)
