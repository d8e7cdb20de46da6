"""P-256: one spelling of a key, one form of a signature, and only the curve's own."""

from __future__ import annotations

from random import Random

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from runtime.auth import p256
from runtime.auth.p256 import ORDER, KeyTextError
from runtime.auth.signatures import BackendError
from tests.runtime.auth.browser import (
    WEBCRYPTO_HIGH,
    WEBCRYPTO_KEY,
    WEBCRYPTO_LOW,
    WEBCRYPTO_TEXT,
    BrowserKey,
    joined,
)

FIELD = 0xFFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF
KEY = BrowserKey(7)
POINT = KEY.text.removeprefix(p256.PREFIX)
TEXT = b"a text"


def uncompressed() -> str:
    return KEY.private.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint).hex()


def secp256k1_point() -> str:
    """Return a point of the other curve whose x has no point on this one."""
    for secret in range(1, 50):
        key = ec.derive_private_key(secret, ec.SECP256K1()).public_key()
        point = key.public_bytes(Encoding.X962, PublicFormat.CompressedPoint).hex()
        try:
            p256.parse_key(p256.PREFIX + point)
        except KeyTextError:
            return point
    raise AssertionError("half of all x have no point")


BAD_KEYS = {
    "nothing": "",
    "prefix alone": p256.PREFIX,
    "no prefix": POINT,
    "upper case": p256.PREFIX + POINT.upper(),
    "prefix in upper case": "P256:" + POINT,
    "0x": p256.PREFIX + "0x" + POINT,
    "uncompressed": p256.PREFIX + uncompressed(),
    "hybrid": p256.PREFIX + "06" + uncompressed()[2:],
    "compressed, marked as uncompressed": p256.PREFIX + "04" + POINT[2:],
    "point at infinity": p256.PREFIX + "00",
    "point at infinity, filled up": p256.PREFIX + "00" * 33,
    "no point of the curve": p256.PREFIX + "02" + f"{1:064x}",
    "x of zero and a parity that it has": p256.PREFIX + "03" + f"{FIELD:064x}",
    "x beyond the field": p256.PREFIX + "02" + "ff" * 32,
    "x of 5 more than the field": p256.PREFIX + "02" + f"{FIELD + 5:064x}",
    "a point of secp256k1": p256.PREFIX + secp256k1_point(),
    "a point of P-384": p256.PREFIX
    + ec.derive_private_key(7, ec.SECP384R1())
    .public_key()
    .public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
    .hex(),
    "newline behind": KEY.text + "\n",
    "space before": " " + KEY.text,
    "full-width digit": KEY.text[:-1] + "\uff11",
    "a digit less": KEY.text[:-1],
    "a digit more": KEY.text + "0",
    "much more": KEY.text + "0" * 10_000,
}


@pytest.mark.parametrize("text", BAD_KEYS.values(), ids=BAD_KEYS.keys())
def test_a_key_has_one_spelling_and_lies_on_the_curve(text: str) -> None:
    with pytest.raises(KeyTextError, match="P-256"):
        p256.parse_key(text)
    assert not p256.verify(text, TEXT, bytes.fromhex(KEY.sign(TEXT)[2:]))


def test_a_key_that_is_read_is_written_alike() -> None:
    for secret in range(1, 40):
        text = BrowserKey(secret).text
        point = p256.parse_key(text).public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
        assert p256.PREFIX + point.hex() == text


def test_the_address_of_a_key_is_a_hash_of_its_point() -> None:
    from eth_utils.crypto import keccak

    assert p256.address_of_key(KEY.text) == "0x" + keccak(bytes.fromhex(uncompressed()[2:]))[-20:].hex()


def test_what_webcrypto_signed_holds_once_its_s_is_low() -> None:
    text = WEBCRYPTO_TEXT.encode()
    low, high = bytes.fromhex(WEBCRYPTO_LOW), bytes.fromhex(WEBCRYPTO_HIGH)
    assert p256.verify(WEBCRYPTO_KEY, text, low)
    assert not p256.verify(WEBCRYPTO_KEY, text, high)
    assert "replace s by n - s" in p256.fault_of(high)
    turned = high[:32] + (ORDER - int.from_bytes(high[32:], "big")).to_bytes(32, "big")
    assert p256.verify(WEBCRYPTO_KEY, text, turned)
    assert not p256.verify(WEBCRYPTO_KEY, text + b"\n", low)


def test_only_low_s_and_numbers_within_the_order_count() -> None:
    r, s = KEY.numbers(TEXT)
    s = min(s, ORDER - s)
    assert p256.verify(KEY.text, TEXT, bytes.fromhex(joined(r, s)[2:]))
    for wrong in ((r, ORDER - s), (0, s), (r, 0), (ORDER, s), (r, ORDER), (0, 0), (s, r), (2**256 - 1, 2**256 - 1)):
        assert not p256.verify(KEY.text, TEXT, bytes.fromhex(joined(*wrong)[2:]))
    if r + ORDER < 2**256:
        assert not p256.verify(KEY.text, TEXT, bytes.fromhex(joined(r + ORDER, s)[2:]))
    assert [p256.fault_of(bytes.fromhex(joined(1, one)[2:])) for one in (1, ORDER // 2)] == ["", ""]
    assert "high half" in p256.fault_of(bytes.fromhex(joined(1, ORDER // 2 + 1)[2:]))


def test_no_flipped_bit_of_a_signature_text_or_key_holds() -> None:
    random = Random(256)
    good = bytes.fromhex(KEY.sign(TEXT)[2:])
    for _ in range(300):
        signature = bytearray(good)
        signature[random.randrange(64)] ^= 1 << random.randrange(8)
        assert not p256.verify(KEY.text, TEXT, bytes(signature))
    for other in range(8, 40):
        assert not p256.verify(BrowserKey(other).text, TEXT, good)


@pytest.mark.parametrize("spelling", [str, str.upper, lambda text: "0x" + text, lambda text: "0X" + text.upper()])
def test_every_spelling_of_a_signature_is_kept_in_one_form(spelling: type[str]) -> None:
    raw = p256.parse_signature(spelling(WEBCRYPTO_LOW))
    assert raw is not None
    assert p256.signature_text(raw) == "0x" + WEBCRYPTO_LOW


def test_the_backend_is_tried_at_start(monkeypatch: pytest.MonkeyPatch) -> None:
    p256.check_backend()
    monkeypatch.setattr(p256, "verify", lambda *_: True)
    with pytest.raises(BackendError):
        p256.check_backend()
