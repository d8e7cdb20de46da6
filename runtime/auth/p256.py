"""Who signed a text with a browser's own key: ECDSA on P-256 with SHA-256, as WebCrypto makes it, on OpenSSL.

A P-256 signature does not tell its key, as a wallet's does, so keys go by their own text and not by an address.
"""

from __future__ import annotations

import re
from functools import lru_cache

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from runtime.auth.signatures import BackendError, keccak

PREFIX = "p256:"
KEY_RULE = f"a P-256 key is {PREFIX} and its compressed point, 66 lower-case hex digits that begin with 02 or 03"
KEY_CHARACTERS = len(PREFIX) + 66
SIGNATURE_BYTES = 64
SIGNATURE_DIGITS = 2 * SIGNATURE_BYTES
SIGNATURE_RULE = f"a P-256 key's signature is r and s, {SIGNATURE_BYTES} bytes: {SIGNATURE_DIGITS} hex digits"
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551

_KEY = re.compile(rf"{PREFIX}(0[23][0-9a-f]{{64}})")
_SIGNATURE = re.compile(rf"(?:0[xX])?[0-9a-fA-F]{{{SIGNATURE_DIGITS}}}")
_DER = re.compile(r"(?:0[xX])?30[0-9a-fA-F]{2}02[0-9a-fA-F]{60,140}")
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{86,96}={0,2}")
_KEYS_CACHED = 4_096
_CURVE, _ALGORITHM = SECP256R1(), ECDSA(SHA256())


class KeyTextError(ValueError):
    """This is no P-256 key; the argument says why."""


def is_key(text: str) -> bool:
    """Tell whether a signer is named as a P-256 key, and not by a wallet's address."""
    return text.startswith(PREFIX)


@lru_cache(_KEYS_CACHED)
def parse_key(text: str) -> EllipticCurvePublicKey:
    """Read a key in its one spelling; raise KeyTextError for any other, and for what is no point of the curve.

    Reading costs half as much as verifying, and a session's taps bring the same key each time.
    """
    match = _KEY.fullmatch(text) if len(text) == KEY_CHARACTERS else None
    if match is None:
        raise KeyTextError(KEY_RULE)
    try:
        return EllipticCurvePublicKey.from_encoded_point(_CURVE, bytes.fromhex(match[1]))
    except (ValueError, UnsupportedAlgorithm) as ex:
        raise KeyTextError("the P-256 key is no point of the curve P-256") from ex


def address_of_key(text: str) -> str:
    """Return the lower-case address that stands for a key: the end of a hash over its point, as for a wallet."""
    point = parse_key(text).public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return "0x" + keccak(point[1:])[12:].hex()


def parse_signature(text: str) -> bytes | None:
    """Read 128 hex digits of either case, `0x` before them or not; anything else is None."""
    if len(text) > 2 + SIGNATURE_DIGITS or _SIGNATURE.fullmatch(text) is None:
        return None
    return bytes.fromhex(text[-SIGNATURE_DIGITS:])


def signature_text(signature: bytes) -> str:
    """Write a signature in the one form that is stored and shown: `0x` and lower-case digits."""
    return f"0x{signature.hex()}"


def other_encoding(text: str) -> str:
    """Say in which other encoding a signature seems to be, "" if in none that is known."""
    if _DER.fullmatch(text):
        return "it seems to be DER; send r and s as they are, 32 bytes each"
    if _BASE64.fullmatch(text) and not text.startswith(("0x", "0X")):
        return "it seems to be base64; send hex digits"
    return ""


def fault_of(signature: bytes) -> str:
    """Say what is wrong with the numbers of a signature, whoever signed: "" where nothing is."""
    r, s = _numbers(signature)
    if not (0 < r < ORDER and 0 < s < ORDER):
        return "The signature's r and s must lie between 0 and the order n of P-256."
    if s > ORDER // 2:
        return "The signature's s is in the high half: replace s by n - s; WebCrypto does not do that by itself."
    return ""


def verify(key: str, message: bytes, signature: bytes) -> bool:
    """Tell whether a key signed a message; of the two signatures that anyone can derive, only that with the low s."""
    if len(signature) != SIGNATURE_BYTES or fault_of(signature):
        return False
    try:
        parse_key(key).verify(encode_dss_signature(*_numbers(signature)), message, _ALGORITHM)
    except (KeyTextError, InvalidSignature):
        return False
    return True


def check_backend() -> None:
    """Raise unless the signature of RFC 6979's key over "test" holds, and does not over another text."""
    key = f"{PREFIX}0360fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6"
    signature = bytes.fromhex(
        "f1abb023518351cd71d881567b1ea663ed3efcf6c5132b354f28d3b0b7d38367"
        "019f4113742a2b14bd25926b49c649155f267e60d3814b4c0cc84250e46f0083"
    )
    if not verify(key, b"test", signature) or verify(key, b"text", signature):
        raise BackendError


def _numbers(signature: bytes) -> tuple[int, int]:
    return int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
