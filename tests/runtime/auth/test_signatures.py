"""The native recovery gives eth-account's answers, and None for everything that we are stricter about."""

from __future__ import annotations

import random

import pytest
from eth_account import Account
from eth_account.messages import encode_defunct

from runtime.auth.signatures import (
    SIGNATURE_TEXT_MAX,
    address_of,
    check_backend,
    parse_signature,
    recover,
    recover_text,
    sign,
    signature_text,
)

ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
FIELD = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEFFFFFC2F
KEY = b"\x11" * 32
ADDRESS = "0x19e7e376e7c213b7e7e7e46cc70a5dd086daff2a"
MESSAGE = b"Tap Trading Bet"


def raw(r: int, s: int, v: int) -> bytes:
    return r.to_bytes(32, "big") + s.to_bytes(32, "big") + bytes([v])


def good() -> tuple[int, int, int]:
    signature = parse_signature(sign(MESSAGE, KEY))
    assert signature is not None
    return int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:64], "big"), signature[64]


def reference(message: bytes, signature: bytes) -> str | None:
    """What eth-account says, under our stricter rules about form."""
    s = int.from_bytes(signature[32:64], "big")
    if len(signature) != 65 or signature[64] not in (0, 1, 27, 28) or s > ORDER // 2:
        return None
    try:
        return str(Account.recover_message(encode_defunct(message), signature=signature)).lower()
    except Exception:  # noqa: BLE001 - it raises a dozen kinds
        return None


def hostile(rng: random.Random, signature: bytes) -> bytes:
    """Change a signature in one of the ways that an attacker would."""
    r, s, v = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:64], "big"), signature[64]
    odd_number = rng.choice([0, 1, ORDER - 1, ORDER, ORDER + 1, FIELD, 2**256 - 1, ORDER // 2, ORDER // 2 + 1])
    flipped = bytearray(signature)
    flipped[rng.randrange(65)] ^= 1 << rng.randrange(8)
    return rng.choice(
        [
            signature,
            bytes(flipped),
            raw(r, ORDER - s, 27 + 28 - v),
            raw(r, ORDER - s, v),
            raw(odd_number, s, v),
            raw(r, odd_number, v),
            raw(r, s, v - 27),
            raw(r, s, rng.randrange(256)),
            rng.randbytes(64) + bytes([rng.choice([0, 1, 27, 28])]),
        ]
    )


def test_thousands_of_signatures_get_the_answers_of_eth_account() -> None:
    rng = random.Random(20_260_901)
    recovered = refused = 0
    for _ in range(5_000):
        key, message = rng.randbytes(32), rng.randbytes(rng.randrange(0, 300))
        genuine = parse_signature(sign(message, key))
        assert genuine is not None
        assert recover(message, genuine) == reference(message, genuine) == address_of(key)
        signature = hostile(rng, genuine)
        answer = recover(message, signature)
        assert answer == reference(message, signature), (message.hex(), signature.hex())
        recovered, refused = recovered + (answer is not None), refused + (answer is None)
    assert recovered > 300
    assert refused > 300


def test_signing_is_that_of_eth_account() -> None:
    theirs = Account.sign_message(encode_defunct(MESSAGE), KEY).signature.hex()
    assert sign(MESSAGE, KEY) == "0x" + theirs.removeprefix("0x")
    assert address_of(KEY) == ADDRESS


@pytest.mark.parametrize("v_offset", [0, 27])
def test_v_may_count_from_0_or_from_27(v_offset: int) -> None:
    r, s, v = good()
    assert recover(MESSAGE, raw(r, s, v - 27 + v_offset)) == ADDRESS


R, S, V = good()
HOSTILE = [
    pytest.param(raw(R, ORDER - S, 55 - V), id="high s, the other half of every signature"),
    pytest.param(raw(R, 0, V), id="s = 0"),
    pytest.param(raw(0, S, V), id="r = 0"),
    pytest.param(raw(0, 0, V), id="all zero"),
    pytest.param(raw(ORDER, S, V), id="r = order"),
    pytest.param(raw(R, ORDER, V), id="s = order"),
    pytest.param(raw(2**256 - 1, S, V), id="r overflows"),
    pytest.param(raw(FIELD, S, V), id="r = field"),
    *(pytest.param(raw(R, S, v), id=f"v = {v}") for v in (2, 3, 26, 29, 30, 31, 35, 36, 37, 38, 128, 255)),
    pytest.param(raw(R, S, V)[:64], id="64 bytes (EIP-2098)"),
    pytest.param(raw(R, S, V) + b"\x00", id="66 bytes"),
    pytest.param(b"", id="no bytes"),
    pytest.param(raw(R, S, V) * 9, id="585 bytes, a contract wallet's"),
]


@pytest.mark.parametrize("signature", HOSTILE)
def test_hostile_signatures_recover_nobody(signature: bytes) -> None:
    assert recover(MESSAGE, signature) is None


def test_the_other_recovery_id_is_somebody_else() -> None:
    other = recover(MESSAGE, raw(R, S, 55 - V))
    assert other is None or other != ADDRESS


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0x",
        "0x" + "0" * 129,
        "0x" + "0" * 131,
        "0y" + "0" * 130,
        "0x0x" + "0" * 128,
        "0" * 132,
        "0x" + "g" * 130,
        "0x" + "0" * 128 + " 0",
        "0x" + "0" * 128 + "\n0",
        "0x" + "٣" * 130,
        " 0x" + "0" * 129,
        "0x" + "0" * 128 + "_0",
        "0x" + "0" * 10_000_000,
        "\ud800" * 132,
    ],
    ids=range(15),
)
def test_only_exact_hex_is_a_signature(text: str) -> None:
    assert parse_signature(text) is None


@pytest.mark.parametrize("prefix", ["0x", "0X", ""])
@pytest.mark.parametrize("upper", [False, True])
def test_every_spelling_in_hex_is_one_signature_and_written_in_one_form(prefix: str, upper: bool) -> None:
    text = sign(MESSAGE, KEY)
    assert len(text) == SIGNATURE_TEXT_MAX
    signature = parse_signature(prefix + (text[2:].upper() if upper else text[2:]))
    assert signature is not None
    assert signature_text(signature) == text


def test_v_of_0_or_1_is_kept_as_27_or_28() -> None:
    r, s, v = good()
    signature = parse_signature("0x" + raw(r, s, v - 27).hex())
    assert signature is not None
    text = signature_text(signature)
    assert text == "0x" + raw(r, s, v).hex()
    assert recover_text(MESSAGE.decode(), text) == ADDRESS


@pytest.mark.parametrize("message", ["", "é", "e\u0301", "\U0001f600", "0x1234", "a\r\nb", "trailing  "])
def test_the_very_bytes_count(message: str) -> None:
    assert recover_text(message, sign(message.encode(), KEY)) == ADDRESS


def test_composed_and_decomposed_letters_are_two_messages() -> None:
    assert recover_text("e\u0301", sign("é".encode(), KEY)) != ADDRESS


def test_a_lone_surrogate_was_signed_by_nobody() -> None:
    assert recover_text("\ud800", sign(MESSAGE, KEY)) is None


def test_the_backend_is_the_native_one() -> None:
    check_backend()
