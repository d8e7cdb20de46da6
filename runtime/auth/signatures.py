"""Who signed a text: EIP-191 recovery on libsecp256k1 and C keccak, without eth-account's message objects."""

from __future__ import annotations

import re
from typing import Annotated

import msgspec
from coincurve import PrivateKey, PublicKey
from sha3 import keccak_256

from runtime.errors import InvalidSignature, TaptradeError

SIGNATURE_BYTES = 65
SIGNATURE_DIGITS = 2 * SIGNATURE_BYTES
SIGNATURE_TEXT_MAX = 2 + SIGNATURE_DIGITS
SIGNATURE_RULE = f"a signature is {SIGNATURE_BYTES} bytes: {SIGNATURE_DIGITS} hex digits, with or without 0x"

# Described here and judged by parse_signature, whose refusal says the whole rule.
SignatureField = Annotated[
    str,
    msgspec.Meta(
        description="EIP-191 signature: 65 bytes in hex, 0x before them or not",
        extra_json_schema={"pattern": f"^(0[xX])?[0-9a-fA-F]{{{SIGNATURE_DIGITS}}}$"},
    ),
]
TapSignatureField = Annotated[
    str,
    msgspec.Meta(
        description="of a wallet or session key: EIP-191, 65 bytes in hex; of a P-256 key: 64. 0x before them or not",
        extra_json_schema={"pattern": f"^((0[xX])?[0-9a-fA-F]{{{SIGNATURE_DIGITS - 2},{SIGNATURE_DIGITS}}})?$"},
    ),
]

CONTRACT_DIGITS_MIN = 2 * 73
"""No key's signature is as long in any encoding."""
CONTRACT_RULE = "Contract wallets (EIP-1271, EIP-6492) are not supported: only the chain could check what they sign"

_CONTRACT = re.compile(r"(?:0[xX])?(?:[0-9a-fA-F]{2})+")
_PREFIX = b"\x19Ethereum Signed Message:\n"
_SIGNATURE = re.compile(rf"(?:0[xX])?[0-9a-fA-F]{{{SIGNATURE_DIGITS}}}")
_HALF_ORDER = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0
_HALF_ORDER_BYTES = _HALF_ORDER.to_bytes(32, "big")
_RECOVERY_IDS = {0: b"\x00", 1: b"\x01", 27: b"\x00", 28: b"\x01"}


class BackendError(TaptradeError):
    """The native signature library gives wrong answers."""


def keccak(data: bytes) -> bytes:
    """Hash with Keccak-256, the padding that Ethereum uses."""
    digest: bytes = keccak_256(data).digest()
    return digest


def personal_hash(message: bytes) -> bytes:
    """Hash a message the way a wallet's personal_sign does."""
    return keccak(b"%b%d%b" % (_PREFIX, len(message), message))


def parse_signature(text: str) -> bytes | None:
    """Read 130 hex digits of either case, `0x` before them or not; anything else is None, whatever its length.

    All spellings are one signature, and wallets' libraries differ in them; it is stored as `signature_text` writes it.
    """
    if len(text) > SIGNATURE_TEXT_MAX or _SIGNATURE.fullmatch(text) is None:
        return None
    return bytes.fromhex(text[-SIGNATURE_DIGITS:])


def refuse_contract(text: str) -> None:
    """Raise the refusal of a contract wallet's signature if `text` is one: hex, and longer than any key's."""
    if len(text) >= CONTRACT_DIGITS_MIN and _CONTRACT.fullmatch(text):
        raise InvalidSignature(f"{CONTRACT_RULE}; {SIGNATURE_RULE}.", code="CONTRACT_WALLET")


def read_signature(text: str) -> bytes:
    """Read a wallet's signature; raise the refusal that says what is wrong with its form."""
    raw = parse_signature(text)
    if raw is None:
        refuse_contract(text)
        raise InvalidSignature(f"The signature cannot be read: {SIGNATURE_RULE}.")
    return raw


def signature_text(signature: bytes) -> str:
    """Write a signature in the one form that is stored and shown: `0x`, lower-case digits, v of 27 or 28."""
    v = signature[64]
    return f"0x{signature[:64].hex()}{27 + v if v in (0, 1) else v:02x}"


def recover(message: bytes, signature: bytes) -> str | None:
    """Return the lower-case address that signed `message`, None if this is no acceptable signature.

    Of the two signatures that anyone can derive from one, only that with the low `s` counts.
    """
    if len(signature) != SIGNATURE_BYTES:
        return None
    recovery_id = _RECOVERY_IDS.get(signature[64])
    # Big-endian bytes of one length compare like the numbers they stand for.
    if recovery_id is None or signature[32:64] > _HALF_ORDER_BYTES:
        return None
    try:
        key = PublicKey.from_signature_and_message(signature[:64] + recovery_id, personal_hash(message), hasher=None)
    except ValueError:  # r or s is zero or not below the order, or r is no point of the curve
        return None
    return _address(key)


def recover_text(message: str, signature: str) -> str | None:
    """Recover from text as it came in JSON: the message's UTF-8 bytes and a hex signature."""
    raw = parse_signature(signature)
    if raw is None:
        return None
    try:
        return recover(message.encode(), raw)
    except UnicodeEncodeError:  # a lone surrogate has no bytes that a wallet could have signed
        return None


def address_of(private_key: bytes) -> str:
    """Return the lower-case address of a private key."""
    return _address(PrivateKey(private_key).public_key)


def sign(message: bytes, private_key: bytes) -> str:
    """Sign like a wallet's personal_sign: `0x` and 130 hex digits, low s, v of 27 or 28."""
    raw = PrivateKey(private_key).sign_recoverable(personal_hash(message), hasher=None)
    return f"0x{raw[:64].hex()}{27 + raw[64]:02x}"


def check_backend() -> None:
    """Raise unless a known signature is recovered to its known address; called once at start."""
    private_key = b"\x11" * 32
    expected = "0x19e7e376e7c213b7e7e7e46cc70a5dd086daff2a"
    if recover_text("taptrade", sign(b"taptrade", private_key)) != expected:
        raise BackendError


def _address(key: PublicKey) -> str:
    return "0x" + keccak(key.format(compressed=False)[1:])[12:].hex()
