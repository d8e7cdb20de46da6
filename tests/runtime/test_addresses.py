"""Addresses: one canonical form, EIP-55 to show, and no repair of what is wrong."""

from __future__ import annotations

import random

import pytest
from eth_utils.address import to_checksum_address as reference

from runtime.addresses import AddressError, canonical_address, to_checksum_address

CHECKSUM = "0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A"
LOWER = CHECKSUM.lower()


def test_checksum_and_lower_case_name_one_account() -> None:
    assert canonical_address(CHECKSUM) == canonical_address(LOWER) == LOWER


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("0X" + CHECKSUM[2:], id="0X"),
        pytest.param("0X" + CHECKSUM[2:].upper(), id="0X and upper case"),
        pytest.param("0x" + CHECKSUM[2:].upper(), id="upper case"),
        pytest.param(CHECKSUM[2:], id="no 0x"),
        pytest.param("0x19e7E376E7C213B7E7e7e46cc70A5dD086DAff2A", id="one letter of the wrong case"),
        pytest.param(CHECKSUM[:-1], id="too short"),
        pytest.param(CHECKSUM + "0", id="too long"),
        pytest.param(CHECKSUM + "\n", id="newline behind"),
        pytest.param(" " + CHECKSUM, id="blank before"),
        pytest.param("0x" + "٣" * 40, id="other digits"),
        pytest.param("0x" + "g" * 40, id="no hex"),
        pytest.param("alice.eth", id="a name"),
        pytest.param("", id="nothing"),
        pytest.param("\ud800" * 42, id="lone surrogates"),
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(AddressError):
        canonical_address(text)


def test_shown_addresses_are_those_of_eth_utils() -> None:
    rng = random.Random(55)
    for _ in range(500):
        address = "0x" + rng.randbytes(20).hex()
        assert to_checksum_address(address) == reference(address)
        assert canonical_address(to_checksum_address(address)) == address
